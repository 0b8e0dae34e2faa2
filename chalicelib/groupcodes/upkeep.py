"""The upkeep of group codes: what works.py declares. Each may come twice.

WeCom's refusals of one group or one code are logged and stop nothing else; what may pass is raised, and
the queue hands the work out again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.contactways.usage import UsedUp
from chalicelib.groupcodes import join_ways, open_next_group
from chalicelib.groupcodes.group_order import is_group_code, line_of
from chalicelib.groups import joins, mirror, reading, rules
from chalicelib.groups.types import DISMISSED
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, due, log, queues
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

_AT_ONCE = 20  # groups that one message looks after
_OPEN_EACH, _FULL_EACH = timedelta(hours=1), timedelta(days=1)  # how often a group is read unasked
Message = dict[str, Any]


def follow_change(message: Message) -> None:
    """A group has changed: its codes may need another group, or it may be the one that was asked for."""
    item = mirror.find(message["chat_id"])
    if item is None:
        return
    open_next_group.notice(sorted(item.codes or ()), int(message["before"]), int(message["after"]))
    if item.codes and message["read"]:
        _check_later(item.chat_id, int(item.taken))
    if message["named"]:
        open_next_group.recognise(item.chat_id, item.owner, item.name or "")


def check(message: Message) -> None:
    """A group of a live code, unasked: what callbacks did not tell is put right."""
    item = mirror.find(message["chat_id"])
    if item is None or item.status == DISMISSED or not _in_use(item.chat_id, item.codes):
        return
    _check_later(item.chat_id, int(item.taken))  # before WeCom is asked: it may not answer
    try:
        group = reading.read(item.chat_id)
    except WeComError as error:
        if error.retryable:
            raise
        log.failure("group not read", error, chat_id=item.chat_id, errcode=error.errcode)
        if _is_gone(item.chat_id, item.owner, error):
            joins.dismiss_gone(item.chat_id)
        return
    if not group.old:
        joins.confirm_joined(group.item, group.chat, [])
        taken = int(group.item.taken)
        open_next_group.notice(sorted(group.item.codes or ()), taken, taken)
    _check_later(group.item.chat_id, int(group.item.taken))  # sooner, if it is not full any more


def _is_gone(chat_id: str, owner: str | None, error: WeComError) -> bool:
    """Whether WeCom neither shows the group nor has it among its owner's: its dismissal was not told."""
    if error.treatment is not Treatment.DATA or not owner:
        return False
    try:
        return all(row["chat_id"] != chat_id for row in wecom.default_client().group_list([owner]))
    except WeComError as refused:
        log.failure("groups not listed", refused, chat_id=chat_id, errcode=refused.errcode)
        return False


def _in_use(chat_id: str, live_code_ids: Iterable[str] | None) -> bool:
    return any(_leads_to(live_code_id, chat_id) for live_code_id in live_code_ids or ())


def _leads_to(live_code_id: str, chat_id: str) -> bool:
    try:
        code = livecodes.current(live_code_id)
    except NotFound:
        return False
    if not is_group_code(code):
        return code.active and code.gives_store_groups
    return code.active and chat_id in line_of(code)


def _check_later(chat_id: str, taken: int) -> None:
    """The same item of work however often it is put: one for each group and hour (or, when full, day)."""
    each = _FULL_EACH if taken >= rules.QR_LIMIT else _OPEN_EACH
    seconds = each.total_seconds()
    turn = int(clock.now().timestamp() // seconds + 1) * seconds
    at = datetime.fromtimestamp(turn, clock.now().tzinfo) + _spread(chat_id, min(each, _OPEN_EACH))
    due.put("group_check", at, chat_id, {"chat_id": chat_id})


def _spread(chat_id: str, over: timedelta) -> timedelta:
    """Not all groups in one minute."""
    return over * (sum(chat_id.encode()) % 60) / 60


def keep(message: Message) -> None:
    """A code's groups known, and its join ways there and as its settings want them."""
    try:
        code = livecodes.get(message["live_code_id"])
    except NotFound:
        return
    if not code.active or not is_group_code(code):
        return
    start = int(message.get("start", 0))
    line, kept = mirror.there(line_of(code)), True
    for chat_id in line[start : start + _AT_ONCE]:
        try:
            mirror.use(chat_id, code.live_code_id)
            _check_later(chat_id, int(reading.learn(chat_id).taken))
            kept = join_ways.keep_in_step(code.live_code_id, chat_id, mirror.there) and kept
        except (Upstream, UsedUp) as error:
            # What WeCom refuses for good stays as it is until the next change, or the scan that needs it.
            log.failure("group not prepared", error, live_code_id=code.live_code_id, chat_id=chat_id)
            kept = kept and not error.retryable
    if not kept:
        again = clock.now() + timedelta(minutes=1)
        work = {"live_code_id": code.live_code_id, "start": start, "again": True}
        due.put("group_code", again, f"{code.live_code_id}#{start}", work)
    if message.get("again"):
        return  # the others had their turn
    if start + _AT_ONCE < len(line):
        queues.send("assign", {**message, "start": start + _AT_ONCE})
    else:
        queues.send("assign", {"kind": "group_room", "live_code_id": code.live_code_id})
