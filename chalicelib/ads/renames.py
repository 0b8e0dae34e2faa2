"""Guides of campaigns, and those who are told."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="ads", move="chalicelib.ads.renaming:move")]
