"""Groups, pure: what an event or WeCom's answer changes, which group is next, when another is needed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from math import ceil
from typing import Any

from msgspec import Struct

QR_LIMIT = 200  # WeCom: from so many members on nobody enters by a QR code
IN_ONE_WAY = 5  # WeCom: groups of one join way
MAX_NAME = 40  # WeCom: characters of room_base_name
_SCENES = {1: "invited", 2: "link", 3: "qr"}  # of member_list[]
_EVENT_SCENES = {"0": "invited", "3": "qr"}  # of JoinScene: another numbering
_PASSED = 8
_SHORT = 16  # characters of a version that are kept of those passed


class Step(Enum):
    """What to do with an event that changes members."""

    REPEAT = "repeat"
    APPLY = "apply"
    READ = "read"


class Person(Struct, frozen=True):
    """Somebody in a group, as WeCom tells it."""

    member_id: str
    staff: bool
    joined_at: datetime
    scene: str  # invited, link, qr
    state: str | None = None
    invitor: str | None = None


class Chat(Struct, frozen=True):
    """A whole group, as groupchat/get tells it."""

    chat_id: str
    name: str
    owner: str
    created_at: datetime
    version: str
    people: Mapping[str, Person]


class Room(Struct, frozen=True):
    """How full a group of a line is."""

    chat_id: str
    taken: int
    usable: bool

    def left(self, limit: int) -> int:
        return max(0, limit - self.taken) if self.usable else 0


def chat(answer: Mapping[str, Any]) -> Chat:
    """WeCom's group_chat. Whoever it has no time for has always been there."""
    rows = [_person(row) for row in answer.get("member_list", [])]
    return Chat(
        chat_id=str(answer["chat_id"]),
        name=str(answer.get("name") or ""),
        owner=str(answer.get("owner") or ""),
        created_at=_time(answer.get("create_time")),
        version=str(answer.get("member_version") or ""),
        people={row.member_id: row for row in rows},
    )


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        member_id=str(row["userid"]),
        staff=row.get("type") == 1,
        joined_at=_time(row.get("join_time")),
        scene=_SCENES.get(int(row.get("join_scene") or 0), "invited"),
        state=str(row["state"]) if row.get("state") else None,
        invitor=str((row.get("invitor") or {}).get("userid") or "") or None,
    )


def _time(seconds: Any) -> datetime:
    return datetime.fromtimestamp(int(seconds or 0), UTC)


def event_scene(code: str | None) -> str:
    """JoinScene of an event."""
    return _EVENT_SCENES.get(code or "", "invited")


def is_staff(member_id: str) -> bool:
    """Whether an id in MemChangeList is a userid. Outsiders' are wm… or wo… and 32 characters long.

    The event does not say which it is; a userid that looks like theirs is put right by the next reading.
    """
    return not (member_id.startswith("wm") and len(member_id) >= 8) and not (
        member_id.startswith("wo") and len(member_id) >= 20
    )


def step(
    stored: str, passed: Sequence[str], last: str | None, current: str | None, listed: int, count: int
) -> Step:
    """Whether the event's delta can be applied to the mirror at version `stored`.

    last, current: the group's version before and after the event. listed: members it names; count:
    how many it says there are (older pushes name none, long lists may be cut).
    """
    if current and (current == stored or short(current) in passed):
        return Step.REPEAT
    if last and current and last == stored and listed and listed >= count:
        return Step.APPLY
    return Step.READ


def short(version: str) -> str:
    return version[:_SHORT]


def with_passed(passed: Sequence[str], stored: str) -> list[str]:
    """The versions that a mirror at `stored` has gone through once it goes on to another."""
    return [*[v for v in passed if v != short(stored)], *([short(stored)] if stored else [])][-_PASSED:]


def line(own: Iterable[str], added: Iterable[str]) -> list[str]:
    """A code's groups in the order in which they fill up: the operator's, then those that were opened."""
    return list(dict.fromkeys([*own, *added]))


def end_of(rooms: Sequence[Room]) -> Room | None:
    """The last group of a line that is there: WeCom opens the next one from it."""
    return next((room for room in reversed(rooms) if room.usable), None)


def with_waiting(limit: int) -> int:
    """How many may be in a full group and waiting for WeCom to open the next one."""
    return limit + spare(limit)


def spare(limit: int) -> int:
    """With fewer places than this left in all, the next group is wanted: a tenth of a group, at least five.

    Of groups so small that five were most of it: half of one.
    """
    return max(1, min(max(5, ceil(limit / 10)), limit // 2))


def needs_another(rooms: Iterable[Room], limit: int) -> bool:
    return sum(room.left(limit) for room in rooms) < spare(limit)


def by_wecom(auto_create: bool, limit: int) -> bool:
    """Whether WeCom opens the next group itself: it does so when one is full, by its own measure."""
    return auto_create and limit == QR_LIMIT


def in_native(rooms: Sequence[Room], limit: int) -> list[str]:
    """The groups of a native join way: the first five with room. With none: nobody can be named."""
    return [room.chat_id for room in rooms if room.left(limit)][:IN_ONE_WAY]


def next_name(base: str, names: Sequence[str], first: int = 1) -> str:
    """What the next group is to be called: the base and the number after the highest there is."""
    stem = base or re.sub(r"\d+\Z", "", names[-1] if names else "").strip() or "客户群"
    matches = [re.fullmatch(re.escape(stem) + r"\s*(\d{1,9})", name) for name in names]
    highest = max((int(match[1]) for match in matches if match), default=0)
    number = max(highest + 1, first, len(names) + 1 if not highest else 1)
    return f"{stem[: MAX_NAME - len(str(number))]}{number}"


def is_that_group(wanted: str, name: str) -> bool:
    """Whether a new group is the one that was asked for: it bears the name it was to bear."""
    return "".join(wanted.split()) == "".join(name.split())
