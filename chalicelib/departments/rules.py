"""The tree of departments, pure."""

from collections.abc import Iterable, Mapping

Tree = tuple[dict[str, str], dict[str, str]]  # of each department the one above it, and its name


def with_all_below(department_ids: Iterable[str], parents: Mapping[str, str]) -> set[str]:
    """These departments and those below them, however deep. A circle in `parents` ends where it began."""
    below: dict[str, list[str]] = {}
    for department_id, parent in parents.items():
        below.setdefault(parent, []).append(department_id)
    found: set[str] = set()
    waiting = list(department_ids)
    while waiting:
        department_id = waiting.pop()
        if department_id not in found:
            found.add(department_id)
            waiting += below.get(department_id, ())
    return found


def changed(tree: Tree, department_id: str, parent: str | None, name: str | None) -> Tree:
    """With what an event told of a department."""
    parents, names = tree
    moved = {**parents, department_id: parent} if parent else parents
    return moved, {**names, department_id: name} if name else names


def without(tree: Tree, department_id: str) -> Tree:
    parents, names = ({one: value for one, value in part.items() if one != department_id} for part in tree)
    return parents, names
