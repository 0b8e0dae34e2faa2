"""Places that are taken, of today and in all."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="places", move="chalicelib.assignments.renaming:move")]
