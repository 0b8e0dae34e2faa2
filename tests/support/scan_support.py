"""What the tests of live codes share: a new process, codes to scan."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.assignments import history, member_claim, pooled_ways, reservations
from chalicelib.assignments.models import AssignmentItem, PlaceItem, member_key
from chalicelib.assignments.types import AssignmentsQuery
from chalicelib.contactways import join_ways, making
from chalicelib.contactways import service as contactways
from chalicelib.groupcodes import reservations as group_reservations
from chalicelib.livecodes import rates
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import NewLiveCode
from chalicelib.platform import storage
from chalicelib.platform.principal import SYSTEM
from chalicelib.printruns import runs
from chalicelib.scans import address_limit
from chalicelib.staff import ramps, spelling
from chalicelib.staff import service as staff
from chalicelib.stores import maps
from tests.support.wecom import FakeWeCom as FakeWeCom

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
DAY = "2026-11-23"


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}
MACHINE = {"Accept": "application/json"}
CODE: dict[str, Any] = {
    "name": "Parcel card, winter",
    "kind": "staff",
    "channel": "parcel",
    "tags": ["渠道/包裹卡"],
    "assignment": {
        "strategy": "round_robin",
        "sticky": True,
        "members": [{"staff_id": "lihua", "weight": 1, "daily_cap": 1, "total_cap": None}],
        "fallback_staff_ids": ["wangwu"],
        "reserve_for": "PT10M",
    },
    "welcome": {"text": "您好 {customer_name}", "attachments": []},
    "skip_verify": True,
    "schedule": {"from": None, "until": None},
}


def new_process() -> None:
    """Forget what a process keeps."""
    of_scans = (
        livecodes._configs,
        contactways._ways,
        reservations._hints,
        reservations._loads,
        pooled_ways._held,
        rates._seen,
    )
    of_groups = (join_ways._ways, group_reservations._lines, group_reservations._noticed)
    for kept in (*of_scans, *of_groups, staff._names, ramps._kept, making._refused, member_claim._sharing):
        kept.clear()  # type: ignore[attr-defined]
    address_limit.forget()
    maps.forget()
    runs.forget()
    spelling.forget()


def listed(
    live_code_id: str, limit: int = 200, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """What a code's scans got, as the API lists it, and the next cursor."""
    query = AssignmentsQuery(live_code_id=live_code_id, limit=limit, cursor=cursor)
    page = history.list_assignments(query, SYSTEM)
    return msgspec.to_builtins(page.items), page.next_cursor


def definition(*members: dict[str, Any], fallback: tuple[str, ...] = (), **rest: Any) -> dict[str, Any]:
    """A complete definition of these members; `strategy`, `sticky`, `reserve_for` go into the assignment."""
    assignment = {k: rest.pop(k) for k in ("strategy", "sticky", "reserve_for") if k in rest}
    given = {
        "name": "Parcel card",
        "channel": "parcel",
        "assignment": {"members": list(members), "fallback_staff_ids": list(fallback), **assignment},
        **rest,
    }
    return msgspec.to_builtins(msgspec.convert(given, NewLiveCode))  # type: ignore[no-any-return]


def complete(merged: Any) -> dict[str, Any]:
    """What the API hands to `service.change`."""
    return msgspec.to_builtins(msgspec.convert(merged, NewLiveCode))  # type: ignore[no-any-return]


def taken(live_code_id: str, staff_id: str, period: str = DAY) -> int:
    row = PlaceItem.find(member_key(live_code_id, staff_id), period)
    return int(row.taken) if row else 0


def statuses(live_code_id: str, staff_id: str) -> Counter[str]:
    return Counter(row.status for row in AssignmentItem.query(member_key(live_code_id, staff_id)))


def requests() -> list[str]:
    """From now on, the DynamoDB operations that are asked for."""
    asked: list[str] = []
    storage.connection().client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: asked.append(model.name)
    )
    return asked
