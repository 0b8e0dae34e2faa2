"""Names of staff: fetched from WeCom when they enter a live code, then at hand."""

from datetime import datetime, timedelta

from chalicelib.platform import clock
from chalicelib.staff.models import StaffItem
from chalicelib.wecom import client as wecom

_FRESH = timedelta(days=1)  # how long what WeCom told is not asked again
_KEEP = timedelta(minutes=10)  # how long a process keeps a name
_KEPT = 10_000
_names: dict[str, tuple[datetime, str]] = {}


def name(staff_id: str) -> str:
    """The member's name as customers see it; the id while WeCom has not been asked."""
    now = clock.now()
    kept = _names.get(staff_id)
    if kept is not None and now < kept[0]:
        return kept[1]
    row = StaffItem.find(staff_id, consistent=False)
    if row is None:
        return staff_id
    if len(_names) >= _KEPT:
        _names.clear()
    _names[staff_id] = (now + _KEEP, str(row.name))
    return str(row.name)


def status(staff_id: str) -> int | None:
    """WeCom's: 1 active, 2 disabled, 4 not activated, 5 left; None while WeCom has not been asked."""
    row = StaffItem.find(staff_id)
    return int(row.status) if row else None


def learn(staff_id: str) -> None:
    """Ask WeCom for the member, unless it was asked within a day. WeComError, Upstream."""
    now = clock.now()
    row = StaffItem.find(staff_id)
    if row is not None and now - clock.parse(row.seen_at) < _FRESH:
        return
    told = wecom.default_client().user_get(staff_id)
    StaffItem(
        staff_id,
        name=str(told.get("name") or staff_id),
        status=int(told.get("status", 1)),
        seen_at=clock.iso(now),
    ).save()
    _names.pop(staff_id, None)
