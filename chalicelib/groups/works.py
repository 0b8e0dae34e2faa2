"""What is done for groups later, by kind of work: see `WORK`. Each may come twice.

WeCom's refusals of one group or one code are logged and stop nothing else; what may pass is raised, and
the queue hands the work out again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.groups import blacklist, joins, mirror, opening, reading, rules, tasks
from chalicelib.groups.models import DISMISSED, ChatItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, due, jobs, log, queues
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import Treatment, WeComError

_AT_ONCE = 20  # groups that one message looks after
_OWNERS = 100  # WeCom: owners in one groupchat/list
_OPEN_EACH, _FULL_EACH = timedelta(hours=1), timedelta(days=1)  # how often a group is read unasked
Message = dict[str, Any]


def work(message: Message) -> None:
    WORK[message["kind"]](message)


def _read(message: Message) -> None:
    """A group anew; asked again while the answer may be older than the event."""
    chat_id, attempt = message["chat_id"], int(message["attempt"])
    since = clock.parse(message["since"]) if message["since"] else None
    members, want = list(message["members"]), message["want"]
    try:
        found = reading.read(chat_id, want, since, last=attempt >= len(reading.AGAIN))
    except WeComError as error:
        if error.retryable:
            raise
        # A new group may not be there yet; one that WeCom does not show us is left alone.
        log.failure("group not read", error, chat_id=chat_id, errcode=error.errcode)
        reading.ask(chat_id, want, members, since, attempt + 1, bool(message["named"]))
        return
    if members or found.pending:  # whoever an old answer names has come in as it says
        joins.settle(found.item, found.told, list(dict.fromkeys([*members, *found.pending])))
    if found.old:
        reading.ask(chat_id, want, members, since, attempt + 1, bool(message["named"]))
        return
    if found.item.codes:
        opening.noticed(found.item)
        _check_later(found.item)
    if message["named"]:
        opening.arrived(found.item)


def _check(message: Message) -> None:
    """A group of a live code, unasked: what callbacks did not tell is put right."""
    item = mirror.find(message["chat_id"])
    if item is None or item.status == DISMISSED or not _in_use(item):
        return
    _check_later(item)  # before WeCom is asked: it may not answer
    try:
        found = reading.read(item.chat_id)
    except WeComError as error:
        if error.retryable:
            raise
        log.failure("group not read", error, chat_id=item.chat_id, errcode=error.errcode)
        if _is_gone(item, error):
            joins.gone(item.chat_id)
        return
    if not found.old:
        joins.settle(found.item, found.told, [])
        opening.noticed(found.item)
    _check_later(found.item)  # sooner, if it is not full any more


def _is_gone(item: ChatItem, error: WeComError) -> bool:
    """Whether WeCom neither shows the group nor has it among its owner's: its dismissal was not told."""
    if error.treatment is not Treatment.DATA or not item.owner:
        return False
    try:
        return all(row["chat_id"] != item.chat_id for row in wecom.default_client().group_list([item.owner]))
    except WeComError as refused:
        log.failure("groups not listed", refused, chat_id=item.chat_id, errcode=refused.errcode)
        return False


def _in_use(item: ChatItem) -> bool:
    return any(_leads_to(live_code_id, item.chat_id) for live_code_id in item.codes or ())


def _leads_to(live_code_id: str, chat_id: str) -> bool:
    try:
        code = livecodes.current(live_code_id)
    except NotFound:
        return False
    if not livecodes.is_group_code(code):
        return code.active and livecodes.leads_to_store_groups(code)
    return code.active and chat_id in livecodes.group_line(code)


def _check_later(item: ChatItem) -> None:
    """The same item of work however often it is put: one for each group and hour (or, when full, day)."""
    each = _FULL_EACH if item.taken >= rules.QR_LIMIT else _OPEN_EACH
    seconds = each.total_seconds()
    turn = int(clock.now().timestamp() // seconds + 1) * seconds
    at = datetime.fromtimestamp(turn, clock.now().tzinfo) + _spread(item.chat_id, min(each, _OPEN_EACH))
    due.put("group_check", at, item.chat_id, {"chat_id": item.chat_id})


def _spread(chat_id: str, over: timedelta) -> timedelta:
    """Not all groups in one minute."""
    return over * (sum(chat_id.encode()) % 60) / 60


def _keep(message: Message) -> None:
    """A code's groups known, and its join ways there and as its settings want them."""
    try:
        code = livecodes.get(message["live_code_id"])
    except NotFound:
        return
    if not code.active or not livecodes.is_group_code(code):
        return
    start = int(message.get("start", 0))
    line, kept = mirror.there(livecodes.group_line(code)), True
    for chat_id in line[start : start + _AT_ONCE]:
        try:
            mirror.use(chat_id, code.live_code_id)
            _check_later(reading.learn(chat_id))
            kept = livecodes.keep_join_way(code.live_code_id, chat_id, mirror.there) and kept
        except (Upstream, livecodes.UsedUp) as error:
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


def _room(message: Message) -> None:
    opening.look(message["live_code_id"])


def _poll(message: Message) -> None:
    opening.poll(message["live_code_id"], message["task_id"], int(message["time"]))


def _lapse(message: Message) -> None:
    livecodes.lapse_join(message["live_code_id"], message["chat_id"], message["assignment_id"])


def _ask(message: Message) -> None:
    tasks.ask(message["task_id"], int(message["time"]))


def _black(message: Message) -> None:
    blacklist.look(message["external_userid"])


def sync(owners: list[str] | None) -> str:
    """Have all groups of these owners (of all who serve customers) read; the job's id."""
    first = {"kind": "groups_sync", "asked": owners, "after": "", "owners": [], "cursor": "", "done": 0}
    return jobs.start("groups_sync", 0, first=("assign", first))


def _sync(message: Message) -> None:
    """A page of groups, then the next message. Each says how far it is, so a repeat does nothing new, and
    stays small however many groups and owners there are."""
    job_id, done = message["job_id"], int(message["done"])
    owners, after, cursor = list(message["owners"]), message["after"], message["cursor"]
    client = wecom.default_client()
    try:
        if not owners:
            everyone = message["asked"] or client.get_follow_user_list()
            owners = sorted(owner for owner in set(everyone) if owner > after)[:_OWNERS]
            if not owners:
                jobs.update(job_id, done=done, total=done, status="finished")
                return
        after = owners[-1]
        chats, cursor = client.group_page(owners, cursor, _AT_ONCE)
        for row in chats:
            _synced(row["chat_id"], int(row.get("status", 0)))
    except WeComError as error:
        if error.retryable:
            raise
        jobs.update(job_id, status="failed", error=str(error))
        return
    done += len(chats)
    jobs.update(job_id, done=done, total=done)
    place = {"after": after, "owners": owners if cursor else [], "cursor": cursor, "done": done}
    queues.send("assign", {**message, **place})


def _synced(chat_id: str, status: int) -> None:
    try:
        found = reading.read(chat_id)
        mirror.has_status(found.item, status)
    except WeComError as error:
        if error.retryable:
            raise
        log.failure("group not read", error, chat_id=chat_id, errcode=error.errcode)
        return
    if not found.old and found.item.codes:
        joins.settle(found.item, found.told, [])


WORK: dict[str, Callable[[Message], None]] = {
    "group_read": _read,
    "group_check": _check,
    "group_code": _keep,
    "group_room": _room,
    "group_poll": _poll,
    "group_lapse": _lapse,
    "group_ask": _ask,
    "group_black": _black,
    "groups_sync": _sync,
}
