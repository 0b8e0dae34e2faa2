"""The mirror: a group's count and its members' rows change in the same transaction, so they always agree.

A change is conditional on the version that it was worked out from. Who is in a group that is seen for the
first time has not joined now: they have lines of a type of their own, of which only facts hear.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.groups import rules, tasks
from chalicelib.groups.models import LISTED, ChatItem, MemberItem
from chalicelib.groups.rules import Person, Room
from chalicelib.groups.types import DISMISSED, NORMAL, STATUSES
from chalicelib.platform import clock, storage, timeline
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line

_IN_ONE = 24  # members in one transaction, four writes each at most
_EARLIER = timedelta(minutes=1)  # WeCom's clock and its events'


class Change(Struct, frozen=True):
    """What brings a mirror from one version to another.

    joined: with `pending` for those of whom it is not known yet by whose code they came. left: member
    ids. by: why they left (self, staff, dismissed, None when we only found them gone).
    """

    version: str
    at: datetime
    joined: Sequence[tuple[Person, bool]] = ()
    left: Sequence[str] = ()
    by: str | None = None
    since: datetime | None = None  # who joined before that is no news
    facts: Mapping[str, Any] | None = None  # attributes of the group that are set besides
    black: frozenset[str] = frozenset()  # of those who joined


def find(chat_id: str) -> ChatItem | None:
    item: ChatItem | None = ChatItem.find(chat_id)
    return item


def begin(chat_id: str) -> ChatItem:
    """The group's row, made when there is none."""
    item: ChatItem | None = ChatItem.find(chat_id)
    if item is not None:
        return item
    fresh = ChatItem(
        chat_id,
        listing=LISTED,
        status=NORMAL,
        people=0,
        staff=0,
        reserved=0,
        taken=0,
        member_version="",
        passed=[],
    )
    if storage.put_once(fresh, ChatItem.chat_id.does_not_exist()):
        return fresh
    return begin(chat_id)


def rooms(chat_ids: Sequence[str], consistent: bool = True) -> list[Room]:
    """How full the groups are, in that order; those never heard of are not usable yet."""
    wanted = list(dict.fromkeys(chat_ids))
    names = ["chat_id", "taken", "status", "seen_at"]
    rows = ChatItem.batch_get(wanted, consistent_read=consistent, attributes_to_get=names) if wanted else []
    rows_by_id = {row.chat_id: row for row in rows}
    return [
        Room(one, int(row.taken), row.status != DISMISSED and row.seen_at is not None)
        if (row := rows_by_id.get(one))
        else Room(one, 0, usable=False)
        for one in wanted
    ]


def there(line: Sequence[str]) -> list[str]:
    """Those of the groups that are not dismissed."""
    known = several(line)
    return [one for one in line if one not in known or known[one].status != DISMISSED]


def several(chat_ids: Iterable[str]) -> dict[str, ChatItem]:
    wanted = list(dict.fromkeys(chat_ids))
    return {row.chat_id: row for row in ChatItem.batch_get(wanted, consistent_read=True)} if wanted else {}


def use(chat_id: str, live_code_id: str) -> None:
    """Remember that the group is in a code's line."""
    item = begin(chat_id)
    if live_code_id not in (item.codes or ()):
        storage.update_if(item, [ChatItem.codes.add({live_code_id})])


def has_status(item: ChatItem, number: int) -> None:
    """What WeCom's list says of the group's owner: 0 is there, 1 left, 2 being inherited, 3 inherited."""
    status = STATUSES[number] if number < len(STATUSES) else NORMAL
    if item.status not in (status, DISMISSED):
        storage.update_if(item, [ChatItem.status.set(status)], ChatItem.status != DISMISSED)


def present(chat_id: str, member_ids: Iterable[str]) -> dict[str, MemberItem]:
    """The rows of these, also of those who have left."""
    keys = [(chat_id, one) for one in dict.fromkeys(member_ids)]
    return {row.member_id: row for row in MemberItem.batch_get(keys, consistent_read=True)} if keys else {}


def members(chat_id: str) -> dict[str, MemberItem]:
    """The rows of those who are in the group."""
    rows = MemberItem.query(
        chat_id, filter_condition=MemberItem.left_at.does_not_exist(), consistent_read=True
    )
    return {row.member_id: row for row in rows}


def apply(item: ChatItem, change: Change, rows: Mapping[str, MemberItem]) -> None:
    """Bring the mirror on. ConditionFailed when somebody else did since `item` and `rows` were read.

    rows: of those whom the change names, as far as they have one. Who is there already does not join
    again, who is gone does not leave again. Cut off in the middle, the version is the old one still, and
    the next reading does the rest.
    """
    joined = [(one, p) for one, p in change.joined if not _is_in(rows.get(one.member_id))]
    left = [rows[one] for one in change.left if _is_in(rows.get(one))]
    changes: list[Any] = [*joined, *left]
    parts = [changes[i : i + _IN_ONE] for i in range(0, len(changes), _IN_ONE)] or [[]]
    for number, part in enumerate(parts, 1):
        tx = Transaction()
        people = staff = 0
        for one in part:
            if isinstance(one, MemberItem):
                _leave(tx, one, change)
                people, staff = people - 1, staff - one.staff
            else:
                person, pending = one
                _join(tx, item, person, pending, change)
                people, staff = people + 1, staff + person.staff
        actions = [ChatItem.people.add(people), ChatItem.taken.add(people), ChatItem.staff.add(staff)]
        if number == len(parts):
            facts: dict[str, Any] = {"member_version": change.version, "changed_at": clock.iso(change.at)}
            facts |= {"passed": rules.with_passed(item.passed, item.member_version), **(change.facts or {})}
            actions += [getattr(ChatItem, name).set(value) for name, value in facts.items()]
        tx.update("chat", item, actions, ChatItem.member_version == item.member_version)
        tx.commit()


def _is_in(row: MemberItem | None) -> bool:
    return row is not None and row.left_at is None


def _join(tx: Transaction, item: ChatItem, one: Person, pending: bool, change: Change) -> None:
    black = one.member_id in change.black
    row = MemberItem(
        item.chat_id,
        one.member_id,
        staff=one.staff,
        joined_at=clock.iso(one.joined_at),
        scene=one.scene,
        version=rules.short(change.version),
        state=one.state,
        invitor=one.invitor,
        pending=pending or None,
        black=black or None,
        external_userid=None if one.staff else one.member_id,
    )
    name = f"join {one.member_id}"
    tx.put(name, row, MemberItem.chat_id.does_not_exist() | MemberItem.left_at.exists())
    is_news = change.since is None or one.joined_at >= change.since - _EARLIER
    if not pending and is_news:
        timeline.add(tx, joined_line(row, {}))
    if not pending and not is_news and not one.staff:
        was_in = Line(one.member_id, "group_member_imported", one.joined_at, f"{item.chat_id}#{_key(row)}")
        timeline.add(tx, replace(was_in, data={"chat_id": item.chat_id}))
    if black:
        tasks.remove_member(tx, item, one.member_id, row.version)


def _leave(tx: Transaction, row: MemberItem, change: Change) -> None:
    name = f"leave {row.member_id}"
    actions = [
        MemberItem.left_at.set(clock.iso(change.at)),
        MemberItem.external_userid.remove(),
        MemberItem.pending.remove(),
    ]
    same = MemberItem.left_at.does_not_exist() & (MemberItem.version == row.version)
    same &= MemberItem.black.exists() if row.black else MemberItem.black.does_not_exist()
    tx.update(name, row, actions, same)
    if row.pending:  # gone before it was known by whose code they came
        timeline.add(tx, joined_line(row, {}))
    if row.black:
        tasks.finish_removal(tx, row.chat_id, row.member_id, row.version)
    subject, who = _subject(row)
    data = {"chat_id": row.chat_id, "by": change.by, **who}
    timeline.add(tx, Line(subject, "left_group", change.at, f"{row.chat_id}#{_key(row)}", data))


def joined_line(row: MemberItem, data: Mapping[str, Any]) -> Line:
    """The one line of somebody's joining: of an outsider in their own timeline, of staff in the group's."""
    subject, who = _subject(row)
    known = {"live_code_id": None, "assignment_id": None, "first": None, **data}
    joined: dict[str, Any] = {"chat_id": row.chat_id, **known, "scene": row.scene, "by": row.invitor, **who}
    if row.black:
        joined["blacklisted"] = True
    at = clock.parse(row.joined_at)
    return Line(subject, "joined_group", at, f"{row.chat_id}#{_key(row)}", joined)


def _key(row: MemberItem) -> str:
    return str(row.version) + ("" if not row.staff else f"#{row.member_id}")


def _subject(row: MemberItem) -> tuple[str, dict[str, str]]:
    if row.staff:
        return str(row.chat_id), {"staff_id": str(row.member_id)}
    return str(row.member_id), {}
