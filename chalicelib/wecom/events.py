"""What WeCom tells us: one decrypted callback as a value that travels through the queues.

Dispatch on `(kind, change)`. Any element may be missing and any may be new, so `values` holds what
is there and the helpers say None for what is not.
"""

import base64
import hashlib
import re
import sys
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree  # see _ROOT  # nosec B405

from chalicelib.platform import clock, plain_text
from chalicelib.platform.userids import PATTERN, fold

# A document type, and with it every entity, can only stand before the root element: when the root
# comes first, the parser itself refuses a later one.
_ROOT = re.compile(r"\s*(?:<\?xml[^<>]*\?>\s*)?<xml>")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_BEGINNING = datetime(2016, 1, 1, tzinfo=UTC)
UNREADABLE = "unreadable"
_RAW = "raw"  # of an unreadable event: what was decrypted, compressed, base64


@dataclass(frozen=True)
class Event:
    """One callback. `digest`: SHA-256 hex of the decrypted bytes, the key that repeats share.

    `kind`: WeCom's `Event`; "message" for a message to the app (`change` is then its MsgType);
    "suite" for a third-party envelope that is not ours (`change` is then its InfoType); UNREADABLE.
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
        """The member's id from now on, where the event says that it was changed, to what can be one."""
        userid = self.values.get("NewUserID", "")
        return fold(userid) if re.match(PATTERN, userid) else None

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
        if self.kind == UNREADABLE:  # it will fail for a while, and holds up nobody else
            return self.digest
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


def parse(data: bytes, now: datetime | None = None) -> Event:
    """The event in a verified callback. It is WeCom's own word, so nothing of it is refused: characters that
    XML forbids are taken out, a time that is none is `now`, and what can't be read is an `UNREADABLE` one.
    """
    now, digest = now or clock.now(), hashlib.sha256(data).hexdigest()
    root = _root(plain_text.clean(data.decode(errors="replace")))
    if root is None:
        packed = base64.b64encode(zlib.compress(data)).decode()
        return Event(UNREADABLE, "", now, "", {_RAW: packed}, (), digest)
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
        at=_time(values.get("CreateTime") or values.get("TimeStamp") or "", now),
        to_corp=values.get("ToUserName", ""),
        values=values,
        items=items,
        digest=digest,
    )


def read_again(event: Event) -> Event:
    """An `UNREADABLE` event as this version reads it; still one when it can't either."""
    return parse(zlib.decompress(base64.b64decode(event.values[_RAW])), event.at)


def _root(text: str) -> ElementTree.Element | None:
    """The root element; None when it is not WeCom's XML."""
    if not _ROOT.match(text):
        return None
    for tried in (text, _REFERENCE.sub(_readable, text)):
        try:
            return ElementTree.fromstring(tried)  # noqa: S314  # nosec B314
        except ElementTree.ParseError:
            continue
    return None


def _readable(reference: re.Match[str]) -> str:
    """A reference by number, unless the character is one that XML forbids."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return reference[0] if number <= sys.maxunicode and plain_text.clean(chr(number)) else ""


def _time(seconds: str, now: datetime) -> datetime:
    """`now` for what is no time of an event's: none, before WeCom was, or after tomorrow."""
    try:
        at = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if _BEGINNING <= at <= now + timedelta(days=1) else now
