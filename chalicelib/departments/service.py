"""Departments: who is in one, or in one below it.

Members are written as WeCom is asked for a member of staff, or tells of one (staff). The tree is read from
WeCom when somebody is kept to a department (people), and follows its events from then on.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from chalicelib.departments import rules
from chalicelib.departments.models import DepartmentItem, TreeItem
from chalicelib.platform import log, settings, storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold
from chalicelib.wecom import client as wecom
from chalicelib.wecom.events import Event

_TREE = "#departments"


def members_of(department_ids: Iterable[str]) -> frozenset[str]:
    """Who is in one of these departments, or in one below."""
    wanted = set(department_ids)
    if not wanted:
        return frozenset()
    tree: TreeItem | None = TreeItem.find(_TREE)
    keys = [_key(one) for one in rules.with_all_below(wanted, tree.parents if tree else {})]
    rows = DepartmentItem.batch_get(keys, consistent_read=True)
    return frozenset(fold(staff_id) for row in rows for staff_id in row.members or ())


def move_member(tx: Transaction, staff_id: str, before: set[str], after: set[str]) -> None:
    """Add to the transaction of the member's own row what it changes for the departments."""
    for department_id in sorted(before ^ after):
        change = DepartmentItem.members.add if department_id in after else DepartmentItem.members.delete
        tx.update(f"department {department_id}", DepartmentItem(_key(department_id)), [change({staff_id})])


class Department(Struct, frozen=True, kw_only=True):
    """name: the id while WeCom has told none. parent_id: null for the root."""

    department_id: str
    name: str
    parent_id: str | None


def tree() -> list[Department]:
    """All departments, as WeCom has them now; as they were known last while it can't be asked."""
    read_tree()
    row: TreeItem | None = TreeItem.find(_TREE)
    if row is None:
        return []
    known = dict(row.names or {})
    return [
        Department(department_id=one, name=known.get(one, one), parent_id=above if above != "0" else None)
        for one, above in row.parents.items()
    ]


def names() -> dict[str, str]:
    """The names that were told, by id."""
    row: TreeItem | None = TreeItem.find(_TREE)
    return dict(row.names or {}) if row else {}


def read_tree() -> None:
    """Read from WeCom which department is below which. While it can't be asked, the tree stays as it is."""
    try:
        rows = wecom.default_client().department_list()
    except (Upstream, settings.Missing) as error:
        log.failure("departments not read", error)
        return
    parents = {str(row["id"]): str(row["parentid"]) for row in rows}
    told = {str(row["id"]): str(row["name"]) for row in rows if row.get("name")}
    _change_tree(lambda _: (parents, told))


def on_event(event: Event) -> None:
    """A department was made, renamed, moved or deleted (an update tells only what it changes)."""
    department_id = event.values.get("Id")
    if not department_id or TreeItem.find(_TREE) is None:  # nobody is kept to a department yet
        return
    if event.change == "delete_party":
        _change_tree(lambda known: rules.without(known, department_id))
    else:
        parent, name = event.values.get("ParentId"), event.values.get("Name")
        _change_tree(lambda known: rules.changed(known, department_id, parent, name))


@storage.retrying("others keep changing the departments")
def _change_tree(change: Callable[[rules.Tree], rules.Tree]) -> None:
    row: TreeItem | None = TreeItem.find(_TREE)
    version = int(row.version) if row else 0
    before = (dict(row.parents), dict(row.names or {})) if row else ({}, {})
    parents, told = change(before)
    if row and (parents, told) == before:
        return
    made = TreeItem(_TREE, parents=parents, names=told, version=version + 1)
    same = TreeItem.version == version if row else TreeItem.staff_id.does_not_exist()
    if not storage.put_once(made, same):
        raise ConditionFailed({_TREE})


def _key(department_id: str) -> str:
    return f"#department#{department_id}"
