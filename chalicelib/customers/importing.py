"""What WeCom lists of customers, taken in: the first import, and later the repair (docs/import.md).

WeCom's pages name bonds, and are old by the time they are worked on. Whoever is not known yet is stored as
the page says. Of somebody who is known a page can only hint that something differs: WeCom is then asked
anew, after the customer was read, and written under the version that was read. So an event that is heard
meanwhile is never overwritten by an older page:

| import | callback |
|---|---|
| WeCom's page: the remark is A | |
| | the remark is B: stored, version 4 |
| reads version 4: differs from the page | |
| asks WeCom anew: B. Nothing to do | |

| import | callback |
|---|---|
| reads version 3, asks WeCom anew: A | |
| | the remark is B: stored, version 4 |
| writes under version 3: refused; reads version 4, asks anew: B | |

A repair starts nothing: what it found different is a `follow_edited`, of which SOPs do not hear.

What an import did to a bond has a line of the timeline under the import's own key, in the same transaction.
So a page that is worked on again, since the worker was killed, counts what it counted before.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.customers import models, rules
from chalicelib.customers.rules import Customer, Source
from chalicelib.origins import service as origins
from chalicelib.origins.types import Origin
from chalicelib.platform import clock, storage, timeline
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.platform.userids import fold
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

_TIME = timedelta(seconds=8)  # for one customer: a worker has a hundred to ask for
_BUSY = "others keep changing this customer"
_OF_ADD_WAY = {10: "video", 16: "acquisition_link"}
_IMPORTED, _EDITED, _LOST = "customer_imported", "follow_edited", "customer_lost"


class Import(Struct, frozen=True):
    """One import: its id, and when it began.

    tag_names: WeCom's ids of corp tags → `group/name`. origin_of: whose a bond's state is; it may remember.
    """

    import_id: str
    at: datetime
    tag_names: Mapping[str, str]
    origin_of: Callable[[str], Origin | None] = origins.find


class Bond(Struct, frozen=True):
    """A row of a page: a customer's bond with a member of staff."""

    staff_id: str
    at: datetime
    remark: str
    tags: frozenset[str]
    state: str
    add_way: int


class Found(Struct, frozen=True):
    """A customer of a page, with those of their bonds that are in it. contact: WeCom's `external_contact`."""

    external_userid: str
    contact: Mapping[str, Any]
    bonds: tuple[Bond, ...]

    @property
    def staff_ids(self) -> frozenset[str]:
        return frozenset(bond.staff_id for bond in self.bonds)


class Tally(Struct, frozen=True):
    """How many customers: each counts once in an import, however many guides they have."""

    seen: int = 0
    new: int = 0
    changed: int = 0


def group(rows: Sequence[Mapping[str, Any]], run: Import) -> list[Found]:
    """A page's rows by customer."""
    bonds: dict[str, list[Bond]] = {}
    contacts: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        external_userid, follow = str(row["external_contact"]["external_userid"]), row["follow_info"]
        names = (run.tag_names.get(str(tag_id)) for tag_id in follow.get("tag_id") or ())
        contacts[external_userid] = row["external_contact"]
        bonds.setdefault(external_userid, []).append(_bond(follow, frozenset(filter(None, names))))
    return [Found(who, contacts[who], tuple(bonds[who])) for who in bonds]


def take_in(found: Found, stored: Customer | None, run: Import, again: bool) -> Tally:
    """Store what a page says of a customer. stored: as read after the page; None: not known.

    again: the page may have been worked on before. WeComError, Upstream, Busy.
    """
    before = stored or Customer(found.external_userid)
    lines, kept = _take_in(found, run, [before])
    outside = kept.follows.keys() - found.staff_ids
    if again or outside:
        lines = _lines(kept, found.staff_ids, run)
    return _tally(found, kept, lines)


def _tally(found: Found, customer: Customer, lines: Sequence[Line]) -> Tally:
    """A customer counts at the page of their first guide among those known before; else at the first page.

    lines: all that the import has done to their bonds.
    """
    mine = [line for line in lines if line.data["staff_id"] in found.staff_ids]
    elsewhere = [line for line in lines if line not in mine]
    known = _known_before(customer, lines)
    is_met = any(line.type != _LOST for line in elsewhere)
    is_new = any(line.data.get("first") for line in mine)
    return Tally(
        seen=int(min(known) in found.staff_ids if known else not is_met),
        new=int(is_new),
        changed=int(bool(mine) and not is_new and not elsewhere),
    )


def _known_before(customer: Customer, lines: Sequence[Line]) -> set[str]:
    """Whose bonds stand that the import has not found."""
    found = {line.data["staff_id"] for line in lines if line.type == _IMPORTED}
    return {staff_id for staff_id, follow in customer.follows.items() if follow.stands} - found


@storage.retrying(_BUSY)
def _take_in(found: Found, run: Import, read: list[Customer]) -> tuple[list[Line], Customer]:
    """The lines of what changed, and the customer as it is then. read: as read already, for the first try."""
    customer = read.pop() if read else models.load(found.external_userid)
    now = _by_page(customer, found, run)
    if customer.version and (now is None or _may_be_changed(customer, now, found)):
        now = _by_asking(customer, run)
    if now is None or now == customer:
        return [], customer
    lines = _lines_of(customer, now, found, run)
    tx = Transaction()
    models.add(tx, now)
    for line in lines:
        timeline.add(tx, line)
    tx.commit()
    return lines, now


def _by_page(customer: Customer, found: Found, run: Import) -> Customer | None:
    """The customer with the page's bonds and tags; None where the page hints at what it can't tell."""
    now = rules.with_profile(customer, found.contact)
    tags = frozenset[str]().union(*(bond.tags for bond in found.bonds))
    standing = {staff_id for staff_id, follow in customer.follows.items() if follow.stands}
    if standing and min(standing) in found.staff_ids and set(customer.tags) - tags:
        return None  # a tag is not on these bonds any more; it may be on another
    for bond in found.bonds:
        now = _with_bond(now, bond, run)
        if now.follows[bond.staff_id] != customer.follows.get(bond.staff_id):
            now = rules.with_remark(now, bond.staff_id, bond.remark)
    return rules.with_tags(now, add=tags)


def _with_bond(customer: Customer, bond: Bond, run: Import) -> Customer:
    return rules.found(customer, bond.staff_id, bond.at, _source(bond, run))


def _may_be_changed(customer: Customer, now: Customer, found: Found) -> bool:
    """Whether anything but a new bond, with its tags and its remark, is different: a page may be old."""
    added = {
        bond.staff_id
        for bond in found.bonds
        if now.follows[bond.staff_id] != customer.follows.get(bond.staff_id)
    }
    same = replace(now, follows=customer.follows, source=customer.source, tags=customer.tags)
    if same != customer or (now.tags != customer.tags and not added):
        return True
    known = [bond for bond in found.bonds if bond.staff_id not in added]
    return any(customer.follows[bond.staff_id].remark != bond.remark for bond in known)


def _by_asking(customer: Customer, run: Import) -> Customer | None:
    """The customer as WeCom has it now; None when it is nobody's friend any more, which is found later."""
    details = ask(customer.external_userid)
    if details is None:
        return None
    bonds = [_bond(row, frozenset()) for row in details["follow_user"]]
    now = rules.with_profile(customer, details["external_contact"])
    for bond in bonds:
        now = _with_bond(now, bond, run)
    tags = rules.corp_tags(details["follow_user"])
    now = rules.with_tags(now, add=tags, remove=set(customer.tags) - tags)
    return rules.with_remarks(now, details["follow_user"])


def ask(external_userid: str) -> dict[str, Any] | None:
    """WeCom's own word on a customer; None where it has none for us. WeComError for what may pass."""
    try:
        return wecom.default_client().external_contact(external_userid, deadline=clock.now() + _TIME)
    except WeComError as error:
        if error.treatment is Treatment.DATA:
            return None
        raise


def _lines_of(before: Customer, now: Customer, found: Found, run: Import) -> list[Line]:
    """One line for each bond that is new, or for all else that is different."""
    lines = []
    tags, states = list(now.tags), {bond.staff_id: bond.state for bond in found.bonds}
    for staff_id, follow in now.follows.items():
        if follow.added_at in (None, before.follows.get(staff_id, rules.Follow()).added_at):
            continue
        data = {
            "staff_id": staff_id,
            "added_at": clock.iso(follow.added_at),
            "channel": follow.source.channel if follow.source else None,
            "state": states.get(staff_id) or None,
            "tags": tags,
            "first": not before.version,
        }
        lines.append(_line(_IMPORTED, found.external_userid, staff_id, run, data))
    if lines:
        return lines
    staff_id = found.bonds[0].staff_id
    return [_line(_EDITED, found.external_userid, staff_id, run, {"staff_id": staff_id})]


def _line(type_: str, external_userid: str, staff_id: str, run: Import, data: dict[str, Any]) -> Line:
    return Line(external_userid, type_, run.at, f"{run.import_id}#{staff_id}", data)


def _lines(customer: Customer, staff_ids: Collection[str], run: Import) -> list[Line]:
    """What this import has done to the customer's bonds, and to those with these."""
    wanted = [
        _line(type_, customer.external_userid, staff_id, run, {})
        for staff_id in {*customer.follows, *staff_ids}
        for type_ in (_IMPORTED, _EDITED, _LOST)
    ]
    return timeline.find(wanted)


def _bond(follow: Mapping[str, Any], tags: frozenset[str]) -> Bond:
    return Bond(
        staff_id=fold(str(follow["userid"])),
        at=datetime.fromtimestamp(int(follow["createtime"]), UTC),
        remark=str(follow.get("remark") or ""),
        tags=tags,
        state=str(follow.get("state") or ""),
        add_way=int(follow.get("add_way") or 0),
    )


def _source(bond: Bond, run: Import) -> Source | None:
    """Where the bond came from: by our own state, or where WeCom's way of adding says it."""
    origin = run.origin_of(bond.state) if bond.state else None
    if origin:
        return Source(bond.at, origin.channel, origin.live_code_id, origin.ad_campaign_id)
    channel = _OF_ADD_WAY.get(bond.add_way)
    return Source(bond.at, channel, "") if channel else None


def lose(external_userid: str, staff_id: str, run: Import, is_listed: Callable[[], bool], last: str) -> Tally:
    """End a bond that WeCom does not list, unless it is there after all, or heard of since the import began.

    is_listed: asks WeCom for the very bond, after the customer was read. last: up to which guide the pages
    are done: who had no other bond in them counts with a later one, or not.
    """
    customer = _lose(external_userid, staff_id, run, is_listed)
    lines = _lines(customer, (), run)
    lost = [line for line in lines if line.type == _LOST and line.data["staff_id"] == staff_id]
    if not lost:
        return Tally()
    known = _known_before(customer, lines)
    was_first = staff_id == min({*known, staff_id})
    was_in_pages = any(follow.stands and other <= last for other, follow in customer.follows.items())
    return Tally(seen=int(was_first and was_in_pages), changed=int(lines == lost))


@storage.retrying(_BUSY)
def _lose(external_userid: str, staff_id: str, run: Import, is_listed: Callable[[], bool]) -> Customer:
    customer = models.load(external_userid)
    follow = customer.follows.get(staff_id)
    if follow is None or follow.status != rules.ACTIVE or follow.changed_at >= run.at or is_listed():
        return customer
    change = rules.lost(customer, staff_id, run.at)
    figures = {"ends": change.ends, "last": change.last, "channel": change.channel}
    # Whom a customer has deleted goes on to have them in the book, so it was the guide.
    data = {"staff_id": staff_id, "by": "staff", **figures}
    tx = Transaction()
    models.add(tx, change.customer)
    timeline.add(tx, _line(_LOST, external_userid, staff_id, run, data))
    tx.commit()
    return change.customer


def bonds_of_guide(staff_id: str, before: datetime) -> list[str]:
    """Customers whose bond with the guide stands here, and was made before that time."""
    places = models.places_of_guide(staff_id, before.isoformat(timespec="seconds"), None)
    return [place.partition("#")[2] for place in places]
