"""Groups as operators see them: those of the caller's scope, their members, their owners' tasks."""

from collections.abc import Iterator
from functools import partial

import msgspec
from msgspec import Struct

from chalicelib.groups import mirror, tasks
from chalicelib.groups.models import LISTED, ChatItem, MemberItem, TaskItem
from chalicelib.groups.service import shown
from chalicelib.groups.types import GroupOut, GroupsQuery, MemberOut, MembersQuery, TaskOut, TasksQuery
from chalicelib.platform import lists
from chalicelib.platform.audit import MASK
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import Principal
from chalicelib.platform.userids import fold
from chalicelib.stores import service as stores


class Reach(Struct, frozen=True):
    """What a principal sees: groups of these owners, and those that their stores name; None: all."""

    guides: frozenset[str] | None
    chat_ids: frozenset[str] | None

    def holds(self, chat_id: str, owner: str | None) -> bool:
        return self.guides is None or fold(owner or "") in self.guides or chat_id in (self.chat_ids or ())


def page(query: GroupsQuery, principal: Principal) -> lists.Page[GroupOut]:
    """A page of the scope's groups: an index with their names is read whole, then the page's rows."""
    reach = _reach(principal)
    rows = [
        row
        for row in lists.partition(partial(ChatItem.by_name.query, LISTED))
        if query.status in (None, row.status)
        and query.owner in (None, fold(row.owner or ""))
        and reach.holds(row.chat_id, row.owner)
    ]
    listed = lists.whole(
        rows,
        query,
        key=lambda row: str(row.chat_id),
        sorts={"name": lambda row: row.name, "created_at": lambda row: row.created_at},
        sort=query.sort,
        texts=lambda row: (row.name, row.chat_id),
    )
    chats = mirror.several(row.chat_id for row in listed.items)
    groups = [shown(chats[row.chat_id]) for row in listed.items if row.chat_id in chats]
    return lists.Page(groups, listed.total, listed.next_cursor)


def get(chat_id: str, principal: Principal) -> GroupOut:
    """The group as the mirror has it. NotFound, also outside of the scope."""
    item = mirror.find(chat_id)
    if item is None or item.seen_at is None or not _reach(principal).holds(chat_id, item.owner):
        raise NotFound(code="unknown_group", chat_id=chat_id)
    return shown(item)


def members(chat_id: str, query: MembersQuery, principal: Principal) -> lists.Page[MemberOut]:
    """Who is, and who was, in the group. NotFound."""
    get(chat_id, principal)
    rows = [
        row
        for row in lists.partition(partial(MemberItem.query, chat_id))
        if query.present in (None, row.left_at is None) and query.staff in (None, bool(row.staff))
    ]
    return lists.whole(
        rows,
        query,
        key=lambda row: str(row.member_id),
        sorts={"joined_at": lambda row: row.joined_at},
        sort=query.sort,
    ).map(partial(_member, principal))


def page_of_tasks(query: TasksQuery, principal: Principal) -> lists.Page[TaskOut]:
    """Tasks of the scope's groups, newest first: of all by status, of owners from a partition for each."""
    reach = _reach(principal)
    if query.owner is None and reach.guides is None:
        read_all = partial(TaskItem.by_status.query, query.status, scan_index_forward=False)
        return lists.history(read_all, query).map(partial(_task, principal))
    owners = {query.owner} if query.owner is not None else _owners(reach)

    def read(owner: str, before: str | None, limit: int) -> Iterator[TaskItem]:
        return tasks.of_owner(owner, query.status, before, limit)

    def is_wanted(row: TaskItem) -> bool:
        return row.status == query.status and reach.holds(row.chat_id, row.owner)

    return lists.merged([sorted(owners)], read, query, tasks.place, is_wanted).map(partial(_task, principal))


def check_task(task_id: str, principal: Principal) -> None:
    """NotFound for a task that is outside of the scope."""
    task = tasks.find(task_id)
    if not _reach(principal).holds(task.chat_id, task.owner):
        raise NotFound(code="no_such_task")


def _owners(reach: Reach) -> set[str]:
    """Whose tasks may be of the scope: its guides', and those of the owners of its stores' groups."""
    chats = mirror.several(reach.chat_ids or ()).values()
    return {*(reach.guides or ()), *(chat.owner for chat in chats if chat.owner)}


def _reach(principal: Principal) -> Reach:
    return Reach(stores.guides_in_scope(principal), stores.groups_in_scope(principal))


def _task(principal: Principal, task: TaskItem) -> TaskOut:
    shown_task = tasks.shown(task)
    if principal.role != "auditor" or task.external_userid is None:
        return shown_task
    return msgspec.structs.replace(shown_task, external_userid=MASK)


def _member(principal: Principal, row: MemberItem) -> MemberOut:
    is_hidden = principal.role == "auditor" and not row.staff
    return MemberOut(
        member_id=MASK if is_hidden else row.member_id,
        staff=bool(row.staff),
        joined_at=row.joined_at,
        scene=row.scene,
        state=row.state,
        invitor=row.invitor,
        left_at=row.left_at,
    )
