"""What the tests of live codes share: a WeCom in memory, a new process, codes to scan."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.assignments import member_claim, pooled_ways, reservations
from chalicelib.assignments.models import AssignmentItem, PlaceItem, member_key
from chalicelib.contactways import join_ways, making
from chalicelib.contactways import service as contactways
from chalicelib.groupcodes import reservations as group_reservations
from chalicelib.livecodes import rates
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import NewLiveCode
from chalicelib.platform import storage
from chalicelib.printruns import runs
from chalicelib.staff import ramps
from chalicelib.staff import service as staff
from chalicelib.stores import maps
from chalicelib.wecom.client import ContactWay
from chalicelib.wecom.errors import WeComError

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
DAY = "2026-11-23"


class FakeWeCom:
    """Contact ways and staff in memory. `fail`: what the next calls of a name raise, in their order.

    A failure given as (error, "done") is raised after the call was carried out.
    """

    def __init__(self) -> None:
        self.ways: dict[str, dict[str, Any]] = {}
        self.made = 0
        self.calls: Counter[str] = Counter()
        self.fail: dict[str, list[Any]] = {}
        self._lock = threading.Lock()

    def _called(self, name: str) -> Any:
        self.calls[name] += 1
        left = self.fail.get(name)
        planned = left.pop(0) if left else None
        if isinstance(planned, BaseException):
            raise planned
        return planned

    def add_contact_way(self, fields: Mapping[str, Any], *, deadline: datetime | None = None) -> ContactWay:
        with self._lock:
            planned = self._called("add_contact_way")
            config_id = f"cfg{self.made}"
            self.made += 1
            qr_code = f"https://wework.qpic.cn/wwpic/{config_id}/0"
            self.ways[config_id] = {**fields, "config_id": config_id, "qr_code": qr_code}
            if planned:
                raise planned[0]
            return ContactWay(config_id, qr_code)

    def list_contact_way(
        self, start: datetime, end: datetime, *, deadline: datetime | None = None
    ) -> Iterator[str]:
        self._called("list_contact_way")
        yield from list(self.ways)

    def get_contact_way(self, config_id: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        self._called("get_contact_way")
        if config_id not in self.ways:
            raise WeComError("externalcontact/get_contact_way", 41044)
        return self.ways[config_id]

    def update_contact_way(
        self, config_id: str, changes: Mapping[str, Any], *, deadline: datetime | None = None
    ) -> None:
        self._called("update_contact_way")
        if config_id not in self.ways:
            raise WeComError("externalcontact/update_contact_way", 41044)
        self.ways[config_id].update(changes)

    def del_contact_way(self, config_id: str, *, deadline: datetime | None = None) -> None:
        self._called("del_contact_way")
        if self.ways.pop(config_id, None) is None:
            raise WeComError("externalcontact/del_contact_way", 41044)

    def user_get(self, userid: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        self._called("user_get")
        return {"userid": userid, "name": f"{userid.capitalize()}女士", "status": 1}


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
    maps.forget()
    runs.forget()


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
