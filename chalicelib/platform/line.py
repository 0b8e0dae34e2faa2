"""A line of the timeline, as rules see it: without where it is stored."""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from chalicelib.platform import clock


class Line(Struct, frozen=True):
    """One thing that happened.

    subject: an external_userid, a chat_id, `order#<id>`, `scan#<assignment_id>`, `distributor#<id>`.
    type: past tense, see docs/architecture.md "Events". at: when it happened (not when we heard).
    key: what makes the line unique within its subject and time, e.g. the digest of the callback.
    data: JSON values; ids and figures, no phone numbers, no message texts.
    """

    subject: str
    type: str
    at: datetime
    key: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def sort(self) -> str:
        return f"{clock.iso(self.at)}#{self.type}#{self.key}"
