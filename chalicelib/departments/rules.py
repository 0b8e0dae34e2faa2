"""The tree of departments, pure."""

from collections.abc import Iterable, Mapping


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
