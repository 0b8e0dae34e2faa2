"""Segments whose rules ask for a guide."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="segments", move="chalicelib.segments.renaming:move")]
