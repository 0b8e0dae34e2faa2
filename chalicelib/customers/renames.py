"""Bonds that stand."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="follows", move="chalicelib.customers.renaming:move")]
