"""WeCom's join ways (加入群聊): one per group and code, or one of up to five groups for a native code.

Made like contact ways (making), with one difference: WeCom lists them nowhere. One whose answer was
lost can't be found again; another is made under the same state, the lost one is logged, and goes on
counting in the quota that they share with contact ways. Nobody has seen its code, so nobody misses it.

WeCom forgets what an update does not repeat, so all fields are sent, and only when one differs from
what it knows. One process tells it at a time: it holds the row's `lease`, and while it tells, `told` is
empty: whoever comes after one that died tells it all again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.contactways import usage
from chalicelib.contactways.models import MAKING, READY, JoinWayItem
from chalicelib.contactways.rows import DEADLINE, GONE, LEASE, wait_for_maker
from chalicelib.contactways.types import PrintedWay
from chalicelib.contactways.usage import UsedUp
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, due, ids, log, storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError

IN_ONE = 5  # WeCom: groups of one join way (41091)
_MAX_REMARK = 30
_KEEP, _KEPT = timedelta(hours=1), 20_000
_ways: dict[str, tuple[datetime, "JoinWay"]] = {}


class JoinWay(Struct, frozen=True):
    """Who scans `qr_url`'s picture may enter the group; `state` then stands in the group's member list.

    A native way's chat_id is empty: it leads into several groups.
    """

    state: str
    live_code_id: str
    chat_id: str
    qr_url: str


def state_of(live_code_id: str, chat_id: str = "") -> str:
    """22 of WeCom's 30 characters, the same for the same group and code."""
    return "mj" + ids.derived(live_code_id, chat_id or "native", length=20)


def find(state: str) -> JoinWay | None:
    """Whose code a member's `state` is; None for one that isn't ours."""
    kept = _ways.get(state)
    if kept is not None and clock.now() < kept[0]:
        return kept[1]
    row = JoinWayItem.find(state)
    return None if row is None else _kept(row)


def way(code: LiveCode, chat_id: str, auto: bool) -> JoinWay:
    """The join way into the group, made if there is none.

    auto: whether WeCom opens another room when it is full. Upstream, WeComError, UsedUp.
    """
    state = state_of(code.live_code_id, chat_id)
    kept = _ways.get(state)
    if kept is not None and clock.now() < kept[0]:
        return kept[1]
    row = JoinWayItem.find(state)
    if row is None or row.status != READY:
        row = _make(code.live_code_id, chat_id, fields(code, state, [chat_id], auto))
    return _kept(row)


def fields(code: LiveCode, state: str, chat_ids: Sequence[str], auto: bool) -> dict[str, Any]:
    """A join way whole, as WeCom takes it."""
    groups = code.definition["groups"]
    return {
        "scene": 2,
        "remark": code.name[:_MAX_REMARK],
        "auto_create_room": int(auto),
        "room_base_name": groups["room_base_name"],
        "room_base_id": groups.get("room_base_id", 1),
        "chat_id_list": list(chat_ids),
        "state": state,
        "mark_source": True,
    }


def keep_in_step(live_code_id: str, chat_id: str, wanted: Callable[[], dict[str, Any] | None]) -> bool:
    """Have the way there, and WeCom know its fields. False: come again later.

    chat_id: empty of a native code's. wanted: what the fields are to be now, None: leave them. It is asked
    again once nobody else can tell WeCom, since another may have told it something newer meanwhile.
    WeComError, Upstream: then it is told again whenever somebody asks for it next.
    """
    asked = wanted()
    if asked is None:
        return True
    row = JoinWayItem.find(state_of(live_code_id, chat_id))
    if row is None or row.status != READY:
        row = _make(live_code_id, chat_id, asked)
    if row.told == asked:
        return True
    now = clock.now()
    mine = f"{clock.iso(now + LEASE)}#{ids.short()}"
    hold = [JoinWayItem.lease.set(mine), JoinWayItem.told.remove()]
    free = JoinWayItem.lease < clock.iso(now)
    if not storage.update_if(row, hold, free, lambda row: row.lease == mine):
        return False
    over = JoinWayItem.lease.set(clock.iso(clock.now() - timedelta(seconds=1)))
    held = JoinWayItem.lease == mine
    asked = wanted()
    if asked is None:
        storage.update_if(row, [over], held)
        return True
    try:
        wecom.default_client().update_join_way(row.config_id, asked, deadline=clock.now() + DEADLINE)
    except WeComError as error:
        if error.errcode == GONE:  # another is made, now or by the next who needs it
            _remove_gone(row, error)
            return False
        storage.update_if(row, [over], held)
        raise
    storage.update_if(row, [JoinWayItem.told.set(asked), over], held)
    return True


def list_groups(state: str) -> list[str]:
    """The groups that the way leads into by now, those that WeCom opened among them; none without a way."""
    row = JoinWayItem.find(state)
    if row is None or row.config_id is None:
        return []
    try:
        return [str(chat_id) for chat_id in _at_wecom(row).get("chat_id_list", [])]
    except WeComError as error:
        if error.errcode != GONE:
            raise
        return []


def states_of_code(live_code_id: str) -> list[str]:
    return [row.state for row in JoinWayItem.by_live_code.query(live_code_id)]


def find_printed(state: str) -> PrintedWay | None:
    """The way as it is printed; None while it is not made."""
    row = JoinWayItem.find(state)
    if row is None or not row.qr_url:
        return None
    return PrintedWay(qr_url=row.qr_url, chat_ids=(row.told or {}).get("chat_id_list", []))


def give_up(state: str, at: datetime, check: Callable[[Transaction, str], None]) -> None:
    """In one transaction: the way's row, its count, and the order to delete the way at WeCom.

    check: adds to the transaction, of the way's chat_id, the conditions under which nobody needs it.

    at: when WeCom is told. One that is being made stays. Of one whose making came to no end WeCom may have
    what nobody can find: that goes on counting.
    """
    row = JoinWayItem.find(state)
    if row is None:
        return
    tx = Transaction()
    check(tx, row.chat_id)
    if row.status == MAKING and row.lease >= clock.iso(clock.now()):
        return
    if row.config_id is not None:
        due.add(tx, "join_way_delete", at, row.config_id, {"config_id": row.config_id})
        _remove(row, JoinWayItem.config_id == row.config_id, tx)
        return
    tx.delete("way", row, JoinWayItem.lease == row.lease)
    try:
        tx.commit()
    except ConditionFailed:
        return
    _log_lost(row)


def delete_at_wecom(config_id: str) -> None:
    """Delete a way at WeCom: who scans its code enters nothing. One that is gone is deleted.

    WeComError, Upstream.
    """
    try:
        wecom.default_client().del_join_way(config_id, deadline=clock.now() + DEADLINE)
    except WeComError as error:
        if error.errcode != GONE:
            raise


def _make(live_code_id: str, chat_id: str, asked: Mapping[str, Any]) -> JoinWayItem:
    now = clock.now()
    mine = f"{clock.iso(now + LEASE)}#{ids.short()}"
    state = asked["state"]
    row = JoinWayItem(state, live_code_id=live_code_id, chat_id=chat_id, status=MAKING, lease=mine)
    tx = Transaction()
    tx.put("way", row, JoinWayItem.state.does_not_exist())
    usage.count(tx, "group", state, 1)
    try:
        tx.commit()
    except ConditionFailed:
        left = (JoinWayItem.lease < clock.iso(now)) & (JoinWayItem.status == MAKING)
        if not storage.update_if(row, [JoinWayItem.lease.set(mine)], left, lambda row: row.lease == mine):
            return wait_for_maker(JoinWayItem, state)
        if row.config_id is None:
            _count_lost(row)
    if row.config_id is None:
        _add(row, mine, asked)
    ready = [
        JoinWayItem.status.set(READY),
        JoinWayItem.qr_url.set(str(_at_wecom(row).get("qr_code", ""))),
        JoinWayItem.lease.set(clock.iso(now - timedelta(seconds=1))),
    ]
    if storage.update_if(row, ready, JoinWayItem.lease == mine, lambda row: row.status == READY):
        return row
    return wait_for_maker(JoinWayItem, state)  # our lease ran out, and another has taken over


def _add(row: JoinWayItem, lease: str, asked: Mapping[str, Any]) -> None:
    held = JoinWayItem.lease == lease
    try:
        config_id = wecom.default_client().add_join_way(asked, deadline=clock.now() + DEADLINE)
    except AnswerLost:
        storage.update_if(row, [JoinWayItem.lease.set(clock.iso(clock.now()))], held)
        raise
    except Upstream as error:
        _remove(row, held)  # WeCom has refused or was not reached: nothing was made
        if isinstance(error, WeComError) and error.errcode == UsedUp.errcode:
            log.measure("ContactWaysUsedUp", 1, "Count")
            raise UsedUp from error
        raise
    usage.warn_when_nearly_used_up()
    # Before its picture is fetched: it is shown nowhere else.
    known = [JoinWayItem.config_id.set(config_id), JoinWayItem.told.set(dict(asked))]
    if not storage.update_if(row, known, held, lambda row: row.config_id == config_id):
        _count_lost(row)
        raise Upstream(code="way_being_made")


def _count_lost(row: JoinWayItem) -> None:
    """One more at WeCom, perhaps, that nobody will find again: it counts."""
    _log_lost(row)
    tx = Transaction()
    usage.count(tx, "group", row.state, 1)
    tx.commit()


def _log_lost(row: JoinWayItem) -> None:
    log.logger.warning(
        "a join way was lost", extra={"live_code_id": row.live_code_id, "chat_id": row.chat_id}
    )
    log.measure("JoinWaysLost", 1, "Count")


def _at_wecom(row: JoinWayItem) -> dict[str, Any]:
    """What WeCom has of the way. WeComError, Upstream; without the row when it is gone there."""
    try:
        return wecom.default_client().get_join_way(row.config_id, deadline=clock.now() + DEADLINE)
    except WeComError as error:
        if error.errcode == GONE:
            _remove_gone(row, error)
        raise


def _remove_gone(row: JoinWayItem, error: WeComError) -> None:
    """Somebody has deleted it at WeCom: what is printed of it is dead."""
    log.failure("join way is gone", error, live_code_id=row.live_code_id)
    _remove(row, JoinWayItem.config_id == row.config_id)


def _remove(row: JoinWayItem, condition: Any, tx: Transaction | None = None) -> None:
    tx = tx or Transaction()
    tx.delete("way", row, condition)
    usage.count(tx, "group", row.state, -1)
    try:
        tx.commit()
    except ConditionFailed:
        return
    _ways.pop(row.state, None)


def _kept(row: JoinWayItem) -> JoinWay:
    made = JoinWay(row.state, row.live_code_id, row.chat_id, row.qr_url or "")
    if row.status == READY:
        if len(_ways) >= _KEPT:
            _ways.clear()
        _ways[row.state] = clock.now() + _KEEP, made
    return made
