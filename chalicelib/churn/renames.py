"""Losses of a guide who has another userid."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="losses", move="chalicelib.churn.renaming:move")]
