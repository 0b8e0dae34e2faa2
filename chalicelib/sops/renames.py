"""Whose customers the enrolled are."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="sops", move="chalicelib.sops.renaming:move")]
