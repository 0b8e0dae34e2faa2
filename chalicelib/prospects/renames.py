"""Prospects, the guide's day, and that they have any."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="prospects", move="chalicelib.prospects.renaming:move")]
