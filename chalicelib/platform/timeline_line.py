"""A line of the timeline, as rules see it: without where it is stored."""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from chalicelib.platform import clock, events
from chalicelib.platform.events import AnyEvent, Kind


class Line(Struct, frozen=True):
    """One thing that happened.

    subject: an external_userid, a chat_id, `order#<id>`, `scan#<assignment_id>`, `distributor#<id>`.
    type: one of platform/events.py. at: when it happened (not when we heard).
    key: what makes the line unique within its subject and time, e.g. the digest of the callback.
    data: what events.py has for the type, as JSON values.
    """

    subject: str
    type: str
    at: datetime
    key: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def sort(self) -> str:
        return f"{clock.iso(self.at)}#{self.type}#{self.key}"

    def data_as(self, kind: Kind[AnyEvent]) -> AnyEvent:
        """The data, typed: `line.data_as(events.CustomerAdded)`."""
        return events.read(self.type, self.data, kind)
