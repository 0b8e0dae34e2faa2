"""Connections: whether WeCom, WeChat Pay, the official account and the malls answer, and what mends it."""
