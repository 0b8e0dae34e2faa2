"""Views of a person, and those that ask for one."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="views", move="chalicelib.views.renaming:move")]
