"""What WeCom tells us: one decrypted callback as a value that travels through the queues.

Dispatch on `(kind, change)`. Any element may be missing and any may be new, so `values` holds what
is there and the helpers say None for what is not.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree  # see _ROOT  # nosec B405

from chalicelib.platform import clock
from chalicelib.platform.errors import Malformed
from chalicelib.platform.userids import fold

# A document type, and with it every entity, can only stand before the root element: when the root
# comes first, the parser itself refuses a later one.
_ROOT = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?<xml>")


@dataclass(frozen=True)
class Event:
    """One callback. `digest`: SHA-256 hex of the decrypted bytes, the key that repeats share.

    `kind`: WeCom's `Event`; "message" for a message to the app (`change` is then its MsgType);
    "suite" for a third-party envelope that is not ours (`change` is then its InfoType).
    `items`: MemChangeList. `values`: every other element with text, by name; it may hold a welcome
    code or a text, so it never shows in a log.
    """

    kind: str
    change: str
    at: datetime
    to_corp: str
    values: dict[str, str] = field(repr=False)
    items: tuple[str, ...]
    digest: str

    @property
    def staff_id(self) -> str | None:
        """As keys have it, however WeCom spells it here."""
        userid = self.values.get("UserID")
        return fold(userid) if userid else None

    def of_staff(self, staff_id: str) -> "Event":
        """The same of another member; itself of the same one."""
        if staff_id == self.staff_id:
            return self
        return replace(self, values={**self.values, "UserID": staff_id})

    @property
    def new_staff_id(self) -> str | None:
        """The member's id from now on, where the event says that it was changed."""
        userid = self.values.get("NewUserID")
        return fold(userid) if userid else None

    @property
    def external_userid(self) -> str | None:
        return self.values.get("ExternalUserID")

    @property
    def state(self) -> str | None:
        """The contact way's (or acquisition link's) own mark; None for an add by any other way."""
        return self.values.get("State")

    @property
    def welcome_code(self) -> str | None:
        """Good for 20 s after `at`, once. A secret: never log it."""
        return self.values.get("WelcomeCode")

    @property
    def source(self) -> str | None:
        """`DELETE_BY_TRANSFER` on a del_external_contact that is no loss."""
        return self.values.get("Source")

    @property
    def chat_id(self) -> str | None:
        return self.values.get("ChatId")

    def subject(self) -> str:
        """Whom it is about: the group in which a FIFO queue keeps the order."""
        return self.external_userid or self.chat_id or self.values.get("Id") or self.kind

    def to_message(self) -> dict[str, Any]:
        """JSON for a queue, whole (with the welcome code)."""
        return {
            "kind": self.kind,
            "change": self.change,
            "at": clock.iso(self.at),
            "to_corp": self.to_corp,
            "values": self.values,
            "items": list(self.items),
            "digest": self.digest,
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "Event":
        """The event that `to_message` wrote."""
        return cls(
            kind=message["kind"],
            change=message["change"],
            at=clock.parse(message["at"]),
            to_corp=message["to_corp"],
            values=dict(message["values"]),
            items=tuple(message["items"]),
            digest=message["digest"],
        )


def parse(data: bytes) -> Event:
    """The event in a decrypted callback. Malformed when it is not WeCom's XML or tells no time."""
    try:
        text = data.decode()
        if not _ROOT.match(text):
            raise Malformed(code="no_callback")
        root = ElementTree.fromstring(text)  # noqa: S314  # nosec B314
    except (UnicodeDecodeError, ElementTree.ParseError):
        raise Malformed(code="no_callback") from None
    values = {child.tag: child.text for child in root if child.text and not len(child)}
    members = root.find("MemChangeList")
    items = () if members is None else tuple(item.text for item in members if item.text)
    if "MsgType" not in values and "InfoType" in values:
        kind, change = "suite", values["InfoType"]
    elif values.get("MsgType") == "event":
        kind, change = values.get("Event", ""), values.get("ChangeType", "")
    else:
        kind, change = "message", values.get("MsgType", "")
    return Event(
        kind=kind,
        change=change,
        at=_time(values.get("CreateTime") or values.get("TimeStamp") or ""),
        to_corp=values.get("ToUserName", ""),
        values=values,
        items=items,
        digest=hashlib.sha256(data).hexdigest(),
    )


def _time(seconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise Malformed(code="no_callback") from None
