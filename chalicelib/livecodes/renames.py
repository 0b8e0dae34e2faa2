"""Members of codes."""

from chalicelib.renames.types import Rename

RENAMES = [Rename(name="live_codes", move="chalicelib.livecodes.renaming:move")]
