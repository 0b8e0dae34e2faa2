"""What an event does to a customer: the same final state in whatever order the events come.

WeCom repeats events, sends them late and out of order, and dates them to the second. So nothing
here asks "what came last": each part of the state is the greatest of what the events say. A bond's
status is that of the newest event; within one second a loss wins over an add, and a whole add over
a half one. A bond's channel is that of its newest add that names one, a customer's channel that of
the oldest.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.platform.plain_text import tag_name, tag_names
from chalicelib.platform.userids import fold

HALF, ACTIVE, LOST = "half", "active", "lost"
_RANK = {"": 0, HALF: 1, ACTIVE: 2, LOST: 3}  # who wins within one second
MASK = "***"
_NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Source(Struct, frozen=True):
    """Where an add came from: the live code that was scanned, its channel, and when.

    origin: what it was besides, e.g. a printed card (`pr_…#123`), or instead of a scan: a phone import.
    """

    at: datetime
    channel: str
    live_code_id: str
    origin: str = ""


class Follow(Struct, frozen=True):
    """The bond between a customer and one member of staff.

    status: "half" (added, not added back: WeCom takes no tags for the pair yet), "active", "lost".
    added_at: the newest add we heard of; None when only its loss has come so far.
    remark: what the guide calls the customer (备注), as WeCom or we wrote it last.
    """

    status: str = ""
    changed_at: datetime = _NEVER
    added_at: datetime | None = None
    source: Source | None = None
    remark: str = ""

    @property
    def stands(self) -> bool:
        """Whether the two can talk."""
        return self.status in (HALF, ACTIVE)


class Customer(Struct, frozen=True):
    """An external contact. `version` grows with each write; 0 is "not stored yet".

    listed: by staff_id, the places of its bonds that are stored as rows of lists.
    """

    external_userid: str
    name: str = ""
    avatar: str = ""
    unionid: str | None = None
    source: Source | None = None
    follows: Mapping[str, Follow] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    version: int = 0
    listed: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str | None:
        """Where it stands among all customers: by its newest add. None while only losses are known."""
        return max(filter(None, map(self._place, self.follows.values())), default=None)

    @property
    def guides_places(self) -> Mapping[str, str]:
        """Where it stands among the customers of each member of staff whose bond with it stands."""
        places = {staff_id: self._place(f) for staff_id, f in self.follows.items() if f.stands}
        return {staff_id: place for staff_id, place in places.items() if place}

    def place_among(self, guides: Collection[str]) -> str | None:
        """Where it stands among the customers of these guides together; None when it is none of theirs."""
        return max((p for staff_id, p in self.guides_places.items() if staff_id in guides), default=None)

    def _place(self, follow: Follow) -> str | None:
        if follow.added_at is None:
            return None
        at = follow.added_at.astimezone(timezone.utc)
        return f"{at.isoformat(timespec='seconds')}#{self.external_userid}"

    @property
    def channel(self) -> str | None:
        return self.source.channel if self.source else None

    @property
    def live_code_id(self) -> str | None:
        return self.source.live_code_id or None if self.source else None

    @property
    def staff_ids(self) -> list[str]:
        """Staff whose bond stands, the newest bond first."""
        standing = [(f.changed_at, staff_id) for staff_id, f in self.follows.items() if f.stands]
        return [staff_id for _, staff_id in sorted(standing, reverse=True)]


class Change(Struct, frozen=True):
    """What an add or a loss did, for its line and for the figures.

    begins: it began a bond (a repeated add, or the whole add after a half one, begins none).
    ends: a bond that had begun ended with it; for an add: its loss had come before it.
    first: never a customer before. last: no bond is left.
    """

    customer: Customer
    begins: bool = False
    ends: bool = False
    first: bool = False
    last: bool = False
    live_code_id: str | None = None
    channel: str | None = None


def added(customer: Customer, staff_id: str, at: datetime, half: bool, source: Source | None) -> Change:
    """An add (whole or half) of that time, from `source` if it is known."""
    before = customer.follows.get(staff_id, Follow())
    after = replace(
        _moved(before, HALF if half else ACTIVE, at),
        added_at=max(before.added_at or at, at),
        source=_newest(before.source, source),
    )
    late = not after.stands and before.added_at is None
    return Change(
        customer=replace(
            customer,
            follows={**customer.follows, staff_id: after},
            source=_oldest(customer.source, source),
        ),
        begins=late or (after.stands and not before.stands),
        ends=late,
        first=all(f.added_at is None for f in customer.follows.values()),
        channel=after.source.channel if after.source else None,
    )


def lost(customer: Customer, staff_id: str, at: datetime) -> Change:
    """The end of a bond at that time, whoever ended it."""
    before = customer.follows.get(staff_id, Follow())
    after = _moved(before, LOST, at)
    follows = {**customer.follows, staff_id: after}
    return Change(
        customer=replace(customer, follows=follows),
        ends=before.stands and not after.stands,
        last=not any(f.stands for f in follows.values()),
        channel=after.source.channel if after.source else None,
        live_code_id=(after.source.live_code_id or None) if after.source else None,
    )


def with_profile(customer: Customer, contact: Mapping[str, Any]) -> Customer:
    """With what WeCom says of the person (`external_contact`); what it leaves out stays as it was."""
    return replace(
        customer,
        name=str(contact.get("name") or customer.name),
        avatar=str(contact.get("avatar") or customer.avatar),
        unionid=str(contact.get("unionid") or "") or customer.unionid,
    )


def with_remarks(customer: Customer, follow_user: Iterable[Mapping[str, Any]]) -> Customer:
    """With what each guide calls them, of WeCom's `follow_user`."""
    follows = dict(customer.follows)
    for bond in follow_user:
        follow = follows.get(fold(str(bond.get("userid") or "")))
        if follow is not None:
            follows[fold(str(bond["userid"]))] = replace(follow, remark=str(bond.get("remark") or ""))
    return replace(customer, follows=follows)


def with_remark(customer: Customer, staff_id: str, remark: str) -> Customer:
    """With what that guide calls them."""
    follow = replace(customer.follows[staff_id], remark=remark)
    return replace(customer, follows={**customer.follows, staff_id: follow})


def by_card(customer: Customer, source: Source | None, origin: Mapping[str, Any]) -> Customer:
    """With the printed card that was scanned, if `source` is where the customer came from."""
    if source is None or customer.source != source or "print_run_id" not in origin:
        return customer
    return replace(customer, source=replace(source, origin=f"{origin['print_run_id']}#{origin['card']}"))


def credited(customer: Customer, source: Source) -> Customer:
    """With that source if nothing else is known of where the customer came from."""
    return customer if customer.source else replace(customer, source=source)


def masked(customer: Customer) -> Customer:
    """As an auditor sees a person: without ids, name and picture."""
    unionid, name = MASK if customer.unionid else None, customer.name[:1] and customer.name[:1] + MASK
    follows = {s: replace(f, remark=MASK if f.remark else "") for s, f in customer.follows.items()}
    return replace(customer, external_userid=MASK, name=name, avatar="", unionid=unionid, follows=follows)


def with_tags(customer: Customer, add: Iterable[str] = (), remove: Iterable[str] = ()) -> Customer:
    """With these names in its tags and those out of them."""
    before, out, into = (set(tag_names(names)) for names in (customer.tags, tuple(remove), tuple(add)))
    return replace(customer, tags=tuple(sorted((before - out) | into)))


def corp_tags(follow_user: Iterable[Mapping[str, Any]]) -> set[str]:
    """The corp's tags (type 1) that any member of staff has put on a customer, as `group/name`."""
    return {
        tag_name(f"{tag['group_name']}/{tag['tag_name']}")
        for follow in follow_user
        for tag in follow.get("tags") or []
        if tag.get("type") == 1 and tag.get("group_name") and tag.get("tag_name")
    }


def with_folded_ids(follows: Mapping[str, Follow]) -> dict[str, Follow]:
    """By userids as keys have them; of two spellings of one, the newer bond."""
    made: dict[str, Follow] = {}
    for staff_id, follow in follows.items():
        key, other = fold(staff_id), made.get(fold(staff_id))
        made[key] = follow if other is None else _newer(other, follow)
    return made


def renamed(customer: Customer, old: str, new: str) -> Customer:
    """The member of staff has another userid from now on. Twice is once."""
    if old not in customer.follows:
        return customer
    follows = dict(customer.follows)
    moved, there = follows.pop(old), follows.get(new)
    return replace(customer, follows={**follows, new: moved if there is None else _newer(there, moved)})


def _newer(one: Follow, other: Follow) -> Follow:
    """What is known of one bond from two: the newer, with the newest add and source of both."""
    first, second = sorted((one, other), key=lambda follow: (follow.changed_at, _RANK[follow.status]))
    added = max((f.added_at for f in (first, second) if f.added_at), default=None)
    return replace(second, added_at=added, source=_newest(first.source, second.source))


def _moved(before: Follow, status: str, at: datetime) -> Follow:
    newest = max((before.changed_at, _RANK[before.status], before.status), (at, _RANK[status], status))
    return replace(before, changed_at=newest[0], status=newest[2])


def _newest(*sources: Source | None) -> Source | None:
    known = [source for source in sources if source]
    return max(known, key=lambda s: (s.at, s.channel, s.live_code_id), default=None)


def _oldest(*sources: Source | None) -> Source | None:
    known = [source for source in sources if source]
    return min(known, key=lambda s: (s.at, s.channel, s.live_code_id), default=None)
