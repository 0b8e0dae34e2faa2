"""The person's role; their sessions go on."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="people", move="chalicelib.people.renaming:move")]
