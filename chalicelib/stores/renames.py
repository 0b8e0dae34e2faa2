"""Guides of stores."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="stores", move="chalicelib.stores.renaming:move")]
