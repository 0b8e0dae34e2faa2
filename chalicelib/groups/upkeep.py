"""The upkeep of groups: what works.py declares. Each may come twice.

WeCom's refusals of one group are logged and stop nothing else; what may pass is raised, and the queue hands
the work out again.
"""

from typing import Any

from chalicelib.groups import announce, blacklist, joins, mirror, reading, tasks
from chalicelib.platform import audit, clock, ids, jobs, log, queues
from chalicelib.platform.storage import Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

_AT_ONCE = 20  # groups that one message looks after
_OWNERS = 100  # WeCom: owners in one groupchat/list
Message = dict[str, Any]


def read(message: Message) -> None:
    """A group anew; asked again while the answer may be older than the event."""
    chat_id, attempt = message["chat_id"], int(message["attempt"])
    since = clock.parse(message["since"]) if message["since"] else None
    members, want = list(message["members"]), message["want"]
    try:
        answer = reading.read(chat_id, want, since, last=attempt >= len(reading.AGAIN))
    except WeComError as error:
        if error.retryable:
            raise
        # A new group may not be there yet; one that WeCom does not show us is left alone.
        log.failure("group not read", error, chat_id=chat_id, errcode=error.errcode)
        reading.ask(chat_id, want, members, since, attempt + 1, bool(message["named"]))
        return
    if members or answer.pending:  # whoever an old answer names has come in as it says
        joins.confirm_joined(answer.item, answer.chat, list(dict.fromkeys([*members, *answer.pending])))
    if answer.old:
        reading.ask(chat_id, want, members, since, attempt + 1, bool(message["named"]))
        return
    announce.announce_change(answer.item, read=True, named=bool(message["named"]))


def ask_owner(message: Message) -> None:
    tasks.ask(message["task_id"], int(message["time"]))


def look_for_blacklisted(message: Message) -> None:
    blacklist.look(message["external_userid"])


def sync(owners: list[str] | None) -> str:
    """Have all groups of these owners (of all who serve customers) read; the job's id."""
    first = {"kind": "groups_sync", "asked": owners, "after": "", "owners": [], "cursor": "", "done": 0}
    tx, job_id = Transaction(), f"job_{ids.short(16)}"
    audit.add(tx, "groups.sync", job_id, None, {"owners": owners, "kind": "groups_sync"})
    tx.commit()  # before the job: reading that nobody sees started changes nothing of the operator's
    return jobs.start("groups_sync", 0, job_id=job_id, first=("assign", first))


def sync_page(message: Message) -> None:
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
            read_listed(row["chat_id"], int(row.get("status", 0)))
    except WeComError as error:
        if error.retryable:
            raise
        jobs.update(job_id, status="failed", error=str(error))
        return
    done += len(chats)
    jobs.update(job_id, done=done, total=done)
    place = {"after": after, "owners": owners if cursor else [], "cursor": cursor, "done": done}
    queues.send("assign", {**message, **place})


def read_listed(chat_id: str, status: int) -> None:
    """Read a group that WeCom's list has, with the status it has there. Upstream for what may pass."""
    try:
        answer = reading.read(chat_id)
        mirror.has_status(answer.item, status)
    except WeComError as error:
        if error.retryable:
            raise
        log.failure("group not read", error, chat_id=chat_id, errcode=error.errcode)
        return
    if not answer.old and answer.item.codes:
        joins.confirm_joined(answer.item, answer.chat, [])
