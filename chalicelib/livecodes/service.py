"""What others ask of live codes: a scan and what became of it, the codes themselves, their contact ways."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.groups import service as groups
from chalicelib.livecodes import answers, group_scans, group_ways, natives, nearest, rules, usage
from chalicelib.livecodes.cleanup import clean_up
from chalicelib.livecodes.codes import LiveCode, archive, change, create, current, get, page, restore, several
from chalicelib.livecodes.codes import prepare as prepare_all
from chalicelib.livecodes.group_scans import Joined
from chalicelib.livecodes.group_scans import append as append_group
from chalicelib.livecodes.group_scans import by_wecom as opened_by_wecom
from chalicelib.livecodes.group_scans import confirm as confirm_join
from chalicelib.livecodes.group_scans import gives_store_groups as leads_to_store_groups
from chalicelib.livecodes.group_scans import is_one as is_group_code
from chalicelib.livecodes.group_scans import lapse as lapse_join
from chalicelib.livecodes.group_scans import limit_of as group_limit
from chalicelib.livecodes.group_scans import line as group_line
from chalicelib.livecodes.group_ways import clean_up as clean_up_join_ways
from chalicelib.livecodes.group_ways import grown as grown_groups
from chalicelib.livecodes.group_ways import is_native as native_group
from chalicelib.livecodes.group_ways import keep as keep_join_way
from chalicelib.livecodes.group_ways import keep_native as keep_native_join_way
from chalicelib.livecodes.group_ways import native as native_join_way
from chalicelib.livecodes.join_ways import JoinWay
from chalicelib.livecodes.join_ways import delete as delete_join_way
from chalicelib.livecodes.join_ways import find as find_join_way
from chalicelib.livecodes.making import delete as delete_way
from chalicelib.livecodes.making import settle as settle_way
from chalicelib.livecodes.models import CONFIRMED, LAPSED, AssignmentItem, member_key
from chalicelib.livecodes.natives import keep as keep_native
from chalicelib.livecodes.nearest import Choices, Where
from chalicelib.livecodes.outcomes import confirm, lapse
from chalicelib.livecodes.reservations import CLOSED, Scan, again, reserve
from chalicelib.livecodes.tickets import take_ticket
from chalicelib.livecodes.usage import UsedUp
from chalicelib.livecodes.ways import Way, find_way, refresh, way
from chalicelib.platform import clock
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.staff import service as staff

__all__ = [
    "Choices",
    "JoinWay",
    "Joined",
    "LiveCode",
    "Scan",
    "UsedUp",
    "Way",
    "Where",
    "append_group",
    "archive",
    "assignment",
    "assignments",
    "change",
    "choices",
    "clean_up",
    "clean_up_join_ways",
    "closure",
    "confirm",
    "confirm_join",
    "create",
    "current",
    "delete_join_way",
    "delete_way",
    "find_join_way",
    "find_way",
    "get",
    "give_back",
    "group_limit",
    "group_line",
    "group_name",
    "grown_groups",
    "holds",
    "is_group_code",
    "keep_join_way",
    "keep_native",
    "keep_native_join_way",
    "lapse",
    "lapse_join",
    "leads_to_store_groups",
    "locate",
    "native_added",
    "native_group",
    "native_join_way",
    "native_picture",
    "native_status",
    "opened_by_wecom",
    "page",
    "prepare",
    "prepare_all",
    "restore",
    "scan",
    "settle_way",
    "several",
    "way",
    "ways_in_use",
    "would_get",
]

_CODE = re.compile(r"[2-9A-HJ-NP-Za-km-z]{8}")
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def scan(code: str, cookie: str | None = None, origin: Mapping[str, Any] | None = None) -> Scan:
    """Decide who gets this scan, and reserve their place. NotFound; Upstream when WeCom is needed and down.

    code: what stands in the link. cookie: `Scan.cookie` of the person's last scan of this code.
    origin: what the link told beside the code; kept with the assignment, and told by its line.
    """
    live_code_id, now = _id(code), clock.now()
    same, preferred = _again(live_code_id, cookie, now)
    if same is not None:
        return same
    ticket, live_code = take_ticket(live_code_id)
    if live_code.active and group_scans.is_one(live_code):
        return group_scans.scan(live_code, ticket, now, origin or {})
    if live_code.active and nearest.is_one(live_code):
        return nearest.unplaced(live_code, now)
    if live_code.active and live_code.native:
        qr_url = natives.scan(live_code, now, origin or {})
        return Scan("staff", qr_url=qr_url) if qr_url else CLOSED
    return reserve(live_code, ticket, now, preferred, origin or {}) if live_code.active else CLOSED


def closure(code: str) -> rules.Closure:
    """Why a scan of the code found it closed, and when it opens again. NotFound."""
    live_code = current(_id(code))
    return rules.closure(live_code.rule, live_code.active, clock.now())


def locate(
    code: str, where: Where, cookie: str | None = None, origin: Mapping[str, Any] | None = None
) -> Scan:
    """A scan by one who says where they are, or which store they want. NotFound, Invalid, Upstream.

    Only a nearest_store code cares. Who has added a guide keeps them, unless they choose another store; who
    has only a place reserved keeps it while they are where that store is the nearest.
    """
    live_code_id, now = _id(code), clock.now()
    live_code = current(live_code_id)
    if not nearest.is_one(live_code):
        return scan(code, cookie, origin)
    nearest.check(where)
    same, preferred = _again(live_code_id, cookie, now)
    if same is not None:
        added = same.expires_at is None
        wanted = where.store_id or (same.store_id if added else nearest.leads_to(live_code, where, now))
        if same.store_id == wanted or same is CLOSED:  # blacklisted, whichever store they choose
            return same
    return nearest.locate(live_code, where, preferred, now, origin or {})


def choices(code: str, city: str | None, text: str, page: int) -> Choices | None:
    """The stores of a nearest_store code that is open, to choose from; None: it is none. NotFound."""
    live_code, now = current(_id(code)), clock.now()
    if not live_code.active or not nearest.is_one(live_code):
        return None
    if nearest.unplaced(live_code, now).kind == "closed":
        return None
    return nearest.choices(live_code, city, text, page, now)


def assignments(live_code_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """What the code's scans got, newest first, and the next cursor. NotFound, Invalid."""
    if cursor is not None and not _ULID.fullmatch(cursor):
        raise Invalid(("cursor", "not a cursor that was given out"))
    rows = answers.newest(get(live_code_id), limit + 1, cursor)
    return rows[:limit], rows[limit - 1]["assignment_id"] if len(rows) > limit else None


def assignment(assignment_id: str) -> dict[str, Any]:
    """What a scan got, why, and what became of it. NotFound."""
    if not _ULID.fullmatch(assignment_id):
        raise NotFound("there is no such assignment")
    return answers.one(assignment_id)


def would_get(live_code_id: str, at: datetime | None = None) -> dict[str, Any]:
    """What a scan would get now, or at that time, and why. Writes nothing. NotFound."""
    return answers.would_get(live_code_id, at)


def holds(live_code_id: str, member_id: str, assignment_id: str) -> bool:
    """Whether an assignment is confirmed, or reserved and its time not over; when it is, it lapses now."""
    held = AssignmentItem.find(member_key(live_code_id, member_id), assignment_id)
    if held is None or held.status == LAPSED:
        return False
    if held.status == CONFIRMED or clock.now() < clock.parse(held.expires_at):
        return True
    return not give_back(live_code_id, member_id, assignment_id) and holds(
        live_code_id, member_id, assignment_id
    )


def give_back(live_code_id: str, member_id: str, assignment_id: str) -> bool:
    """Lapse a reservation now, a guide's or a group's. False if it is confirmed, or lapsed before."""
    held = AssignmentItem.find(member_key(live_code_id, member_id), assignment_id)
    if held is None:
        return False
    lapse_it = group_scans.lapse if group_scans.is_place(held) else lapse
    return lapse_it(live_code_id, member_id, assignment_id)


def prepare(live_code_id: str, staff_id: str) -> None:
    """Have the member's contact way and name at hand before the first scan. Upstream, WeComError."""
    try:
        live_code = get(live_code_id)
    except NotFound:
        return
    if not live_code.active or staff_id not in live_code.rule.staff_ids:
        return  # changed since this was asked for
    staff.learn(staff_id)
    if not live_code.native:  # which has one way for all
        refresh(live_code_id, staff_id)


def group_name(chat_id: str) -> str:
    """The group's name as its members see it; empty while nobody has asked WeCom."""
    return str(groups.shown([chat_id])[0]["name"] or "")


def native_added(live_code: LiveCode, staff_id: str, at: datetime) -> None:
    """After the commit of an add that `confirm` took part in: a member who is full leaves the native list."""
    if live_code.native:
        natives.added(live_code, staff_id, at)


def native_status(live_code: LiveCode) -> dict[str, Any] | None:
    """`{"qr_url","listed_staff_ids","told_at","left_out":[{"staff_id","reason"}]}`; None: not made yet."""
    return natives.status(live_code)


def native_picture(live_code: LiveCode) -> bytes | None:
    """The picture of WeCom's own code, PNG or JPEG; None of a dynamic code. Upstream, WeComError, UsedUp."""
    if live_code.native:
        return natives.picture(live_code)
    is_group = group_scans.is_one(live_code) and native_group(live_code)
    return group_ways.picture(live_code) if is_group else None


def ways_in_use() -> dict[str, Any]:
    """`{"in_use","limit","left","by_kind"}` of the corp's contact ways."""
    by_kind = usage.current()
    in_use = sum(by_kind.values())
    return {"in_use": in_use, "limit": usage.LIMIT, "left": max(0, usage.LIMIT - in_use), "by_kind": by_kind}


def _id(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise NotFound("there is no such live code")
    return f"lc_{code}"


def _again(live_code_id: str, cookie: str | None, now: datetime) -> tuple[Scan | None, str | None]:
    same: Scan | None = None
    preferred: str | None = None
    if cookie and group_scans.is_cookie(cookie):
        same = group_scans.again(live_code_id, cookie, now)
    elif cookie:
        same, preferred = again(live_code_id, cookie, now)
    if same is None or not same.store_id:
        return same, preferred
    return (same, preferred) if nearest.still_there(current(live_code_id), same) else (None, None)
