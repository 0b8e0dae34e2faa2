"""Pools of coupon codes: one code for each person, none for two."""
