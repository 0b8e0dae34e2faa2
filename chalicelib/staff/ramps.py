"""Limits of accounts: the table, who is under it, who is gone, and what that makes today.

Those under a limit stand together in a few items, which a process reads once a minute in one request:
a guide without a limit costs nothing, however many there are.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from chalicelib.platform import audit, ids, storage
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.staff import rules
from chalicelib.staff.models import LimitsItem, StaffItem
from chalicelib.staff.types import RampStep

_RAMP, _RENAMED = "#ramp", "#renamed"
_SHARDS = 8
_KEEP = timedelta(minutes=1)


class Limit(NamedTuple):
    """Of one account. gone: has left, or is disabled."""

    started_at: str | None = None
    daily_cap: int | None = None
    gone: bool = False


class _Kept(NamedTuple):
    at: datetime
    steps: tuple[RampStep, ...]
    limits: dict[str, Limit]
    renamed: dict[str, str]


_kept: list[_Kept] = []


def caps(staff_ids: Iterable[str], now: datetime) -> dict[str, tuple[str, int]]:
    """(day, cap) of those among them whose accounts have a cap today."""
    kept = _known(now)
    if not kept.limits:
        return {}
    day = rules.today(now)
    known = {one: kept.limits[one] for one in staff_ids if one in kept.limits}
    capped = {one: _cap(kept.steps, limit, day) for one, limit in known.items()}
    return {one: (day.isoformat(), cap) for one, cap in capped.items() if cap is not None}


def is_gone(staff_id: str, now: datetime) -> bool:
    """Whether the member has left, or is disabled."""
    return _known(now).limits.get(staff_id, Limit()).gone


def renamed(now: datetime) -> dict[str, str]:
    """Userids that were changed, and what they are now."""
    return _known(now).renamed


def renamed_now() -> dict[str, str]:
    """The same as it is written at this moment."""
    row = LimitsItem.find(_RENAMED)
    return dict(row.limits) if row is not None else {}


def rename(old: str, new: str, gone: bool = False, keeps_limits: bool = True) -> None:
    """The account has the new id, with its limits; the old id gets nobody. Twice is once. Busy.

    gone: so is the account. keeps_limits: those that the new id has already.
    """
    carried: list[Limit] = []

    def take_over(there: Limit) -> Limit:
        limit = there if keeps_limits and there != Limit() else carried[0]
        return limit._replace(gone=gone)

    row = LimitsItem.find(_shard(old))
    carried.append(Limit(*row.limits.get(old, ())) if row is not None else Limit())
    is_new = renamed_now().get(old) != new
    if fold(old) != new and is_new:
        _change_row(_RENAMED, lambda map: {**{one: to for one, to in map.items() if one != new}, old: new})
    if is_new:
        _change_limit(new, take_over)
    _change_limit(old, lambda _: Limit() if fold(old) == new else Limit(gone=True))
    forget()


def release(staff_id: str) -> bool:
    """A userid that was given up is somebody else's now: it leads no further. False: it was not given up."""
    if staff_id not in renamed_now():
        return False
    _change_row(_RENAMED, lambda map: {one: to for one, to in map.items() if one != staff_id})
    _change_limit(staff_id, lambda _: Limit())
    forget()
    return True


@storage.retrying("others keep changing limits")
def _change_limit(staff_id: str, changed: Callable[[Limit], Limit]) -> None:
    tx = Transaction()
    before, after = _add(tx, _shard(staff_id), staff_id, changed)
    if before != after:
        tx.commit()


@storage.retrying("others keep changing userids")
def _change_row(key: str, changed: Callable[[dict[str, str]], dict[str, str]]) -> None:
    row = LimitsItem.find(key)
    version = int(row.version) if row else 0
    made = LimitsItem(key, version=version + 1, limits=changed(dict(row.limits) if row else {}))
    seen = LimitsItem.version == version if row else LimitsItem.staff_id.does_not_exist()
    if not storage.put_once(made, seen):
        raise ConditionFailed({key})


def is_marked(staff_id: str) -> bool:
    """The same as it is written at this moment."""
    row = LimitsItem.find(_shard(staff_id))
    return row is not None and Limit(*row.limits.get(staff_id, ())).gone


def table() -> tuple[RampStep, ...]:
    """The table as it is now."""
    return read_table()[0]


def read_table() -> tuple[tuple[RampStep, ...], int]:
    """The table, and its version."""
    row = LimitsItem.find(_RAMP)
    return _steps(row), int(row.version) if row else 0


@storage.retrying("others keep changing the table")
def set_table(steps: Sequence[RampStep], if_match: IfMatch = ANY_VERSION) -> int:
    """Its version. Stale."""
    before, version = read_table()
    if_match.check(version, lambda: _readable(before))
    rows = [[step.until_day, step.daily_cap] for step in steps]
    same = LimitsItem.version == version if version else _is_first(LimitsItem.version)
    tx = Transaction()
    tx.put("ramp", LimitsItem(_RAMP, version=version + 1, limits=rows), same)
    audit.add(tx, "settings.change", "staff_ramp", _readable(before), _readable(steps))
    tx.commit()
    forget()
    return version + 1


def _is_first(version: Any) -> Any:
    """That there is no row, or one of before tables were counted."""
    return version.does_not_exist() | (version == 0)


def _readable(steps: Sequence[RampStep]) -> dict[str, Any]:
    return {"steps": msgspec.to_builtins(steps)}


def set_limit(
    staff_id: str, started_at: str | None, daily_cap: int | None, seen: tuple[str | None, int | None]
) -> None:
    """Of a member of staff who is known. seen: what both are before; ConditionFailed when they are not (or
    nobody is known by that id), Busy when others keep changing theirs.
    """
    before_started, before_cap = seen
    # Who is grown up stays: a table made longer later finds them.
    is_written = _change(
        staff_id,
        _settings(started_at, daily_cap),
        StaffItem.staff_id.exists()
        & _holds(StaffItem.started_at, before_started)
        & _holds(StaffItem.daily_cap, before_cap),
        lambda limit: Limit(started_at, daily_cap, limit.gone),
        lambda tx, before, after: audit.add(tx, "staff.limit", staff_id, _limits(before), _limits(after)),
    )
    if not is_written:
        raise ConditionFailed({staff_id})


def _holds(attribute: Any, value: Any) -> Any:
    return attribute.does_not_exist() if value is None else attribute == value


def _limits(limit: Limit) -> dict[str, Any]:
    return {"started_at": limit.started_at, "daily_cap": limit.daily_cap}


def set_gone(
    staff_id: str, gone: bool, facts: Sequence[Any], condition: Any, add: Callable[[Transaction], None]
) -> bool:
    """With `facts` of the member, and what `add` adds, if `condition` holds: else False. Busy."""
    return _change(
        staff_id, facts, condition, lambda limit: limit._replace(gone=gone), lambda tx, *_: add(tx)
    )


@storage.retrying("others keep changing limits")
def _change(
    staff_id: str,
    actions: Sequence[Any],
    condition: Any,
    changed: Callable[[Limit], Limit],
    add: Callable[[Transaction, Limit, Limit], None],
) -> bool:
    """The member and their limit; False when the member's `condition` does not hold."""
    tx = Transaction()
    tx.update("staff", StaffItem(staff_id), list(actions), condition)
    before, after = _add(tx, _shard(staff_id), staff_id, changed)
    add(tx, before, after)
    try:
        tx.commit()
    except ConditionFailed as error:
        if "limits" in error.names:
            raise
        return False
    forget()
    return True


def forget() -> None:
    """Read them anew at the next need."""
    _kept.clear()


def _shard(key: str) -> str:
    return f"#limits#{ids.shard(key, _SHARDS)}"


def _add(tx: Transaction, shard: str, key: str, changed: Callable[[Limit], Limit]) -> tuple[Limit, Limit]:
    row = LimitsItem.find(shard)
    version = int(row.version) if row else 0
    limits = dict(row.limits) if row else {}
    before = Limit(*limits.pop(key, ()))
    limit = changed(before)
    if limit != Limit():
        limits[key] = limit
    now = LimitsItem(shard, version=version + 1, limits=limits)
    seen = LimitsItem.version == version if row else LimitsItem.staff_id.does_not_exist()
    tx.put("limits", now, seen)
    return before, limit


def _settings(started_at: str | None, daily_cap: int | None) -> list[Any]:
    return [
        StaffItem.started_at.set(started_at) if started_at else StaffItem.started_at.remove(),
        StaffItem.daily_cap.set(daily_cap) if daily_cap is not None else StaffItem.daily_cap.remove(),
    ]


def _known(now: datetime) -> _Kept:
    for kept in list(_kept):
        if kept.at <= now < kept.at + _KEEP:
            return kept
    keys = [_RAMP, _RENAMED, *(f"#limits#{shard}" for shard in range(_SHARDS))]
    rows = {row.staff_id: row for row in LimitsItem.batch_get(keys, consistent_read=True)}
    steps = _steps(rows.pop(_RAMP, None))
    changed = rows.pop(_RENAMED, None)
    limits = {one: Limit(*limit) for row in rows.values() for one, limit in row.limits.items()}
    _kept[:] = [_Kept(now, steps, limits, dict(changed.limits) if changed is not None else {})]
    return _kept[0]


def _steps(row: LimitsItem | None) -> tuple[RampStep, ...]:
    return rules.DEFAULT if row is None else tuple(RampStep(*pair) for pair in row.limits)


def _cap(steps: Sequence[RampStep], limit: Limit, day: date) -> int | None:
    return 0 if limit.gone else rules.cap(steps, _date(limit.started_at), limit.daily_cap, day)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
