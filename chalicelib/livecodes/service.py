"""What others ask of live codes: a scan and what became of it, the codes themselves, their contact ways."""

import heapq
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.livecodes.codes import LiveCode, archive, change, create, current, get, page, several, take_ticket
from chalicelib.livecodes.models import CONFIRMED, LAPSED, AssignmentItem, member_key
from chalicelib.livecodes.reservations import CLOSED, Scan, again, confirm, lapse, reserve
from chalicelib.livecodes.ways import Way, find_way, refresh, way
from chalicelib.platform import clock
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.staff import service as staff

__all__ = [
    "LiveCode",
    "Scan",
    "Way",
    "archive",
    "assignments",
    "change",
    "confirm",
    "create",
    "current",
    "find_way",
    "get",
    "holds",
    "lapse",
    "page",
    "prepare",
    "scan",
    "several",
    "way",
]

_CODE = re.compile(r"[2-9A-HJ-NP-Za-km-z]{8}")
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


def scan(code: str, cookie: str | None = None, origin: Mapping[str, Any] | None = None) -> Scan:
    """Decide who gets this scan, and reserve their place. NotFound; Upstream when WeCom is needed and down.

    code: what stands in the link. cookie: `Scan.cookie` of the person's last scan of this code.
    origin: what the link told beside the code; kept with the assignment, and told by its line.
    """
    if not _CODE.fullmatch(code):
        raise NotFound("there is no such live code")
    live_code_id, now = f"lc_{code}", clock.now()
    same, preferred = again(live_code_id, cookie, now) if cookie else (None, None)
    if same is not None:
        return same
    ticket, live_code = take_ticket(live_code_id)
    return reserve(live_code, ticket, now, preferred, origin or {}) if live_code.active else CLOSED


def assignments(live_code_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """What the code's scans got, newest first, and the next cursor. NotFound, Invalid."""
    if cursor is not None and not _ULID.fullmatch(cursor):
        raise Invalid(("cursor", "not a cursor that was given out"))
    live_code = get(live_code_id)
    members = [_newest(live_code_id, staff_id, limit + 1, cursor) for staff_id in live_code.staff_ids_ever]
    merged = heapq.merge(*members, key=lambda row: row["assignment_id"], reverse=True)
    rows = [row for row, _ in zip(merged, range(limit + 1), strict=False)]
    return rows[:limit], rows[limit - 1]["assignment_id"] if len(rows) > limit else None


def holds(live_code_id: str, member_id: str, assignment_id: str) -> bool:
    """Whether an assignment is confirmed, or reserved and its time not over; when it is, it lapses now."""
    held = AssignmentItem.find(member_key(live_code_id, member_id), assignment_id)
    if held is None or held.status == LAPSED:
        return False
    if held.status == CONFIRMED or clock.now() < clock.parse(held.expires_at):
        return True
    return not lapse(live_code_id, member_id, assignment_id) and holds(live_code_id, member_id, assignment_id)


def prepare(live_code_id: str, staff_id: str) -> None:
    """Have the member's contact way and name at hand before the first scan. Upstream, WeComError."""
    try:
        live_code = get(live_code_id)
    except NotFound:
        return
    if not live_code.active or staff_id not in live_code.rule.staff_ids:
        return  # changed since this was asked for
    staff.learn(staff_id)
    refresh(live_code, staff_id)


def _newest(live_code_id: str, staff_id: str, limit: int, before: str | None) -> Iterator[dict[str, Any]]:
    rows = AssignmentItem.query(
        member_key(live_code_id, staff_id),
        AssignmentItem.assignment_id < before if before else None,
        scan_index_forward=False,
        limit=limit,
        consistent_read=True,
    )
    for row in rows:
        yield {
            "assignment_id": row.assignment_id,
            "live_code_id": live_code_id,
            "staff_id": staff_id,
            "status": row.status,
            "at": row.at,
            "expires_at": row.expires_at,
            "external_userid": row.external_userid,
            "why": row.why,
        }
