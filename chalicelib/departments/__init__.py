"""Departments of WeCom's: which is below which, and who is in them."""
