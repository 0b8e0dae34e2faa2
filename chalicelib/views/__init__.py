"""Saved views: a list's filters and order under a name, one's own or shared with colleagues."""
