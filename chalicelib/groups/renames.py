"""Owners of groups, and what they were asked to do."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="groups", move="chalicelib.groups.renaming:move")]
