"""Stores: where a brand sells, with their guides and groups."""
