"""What came of a live code, by member, store and month: exact, however often it was scanned."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from chalicelib.metrics import models, rules, views
from chalicelib.metrics.rules import Figures
from chalicelib.metrics.views import View
from chalicelib.platform.principal import Principal
from chalicelib.stores.scope import groups_in_scope


class CodeCell(Struct, frozen=True):
    """One counter of a code. A store's or a guide's figures stay with the store of their time."""

    month: str
    store_id: str
    staff_id: str
    chat_id: str
    figures: Figures


def cells(live_code_id: str, principal: Principal) -> list[CodeCell]:
    """The counters that the principal sees."""
    view = views.of(principal)
    found = [
        CodeCell(month, store_id, staff_id, chat_id, cell.figures)
        for cell in models.cells(rules.of_code(live_code_id))
        for month, store_id, staff_id, chat_id in [cell.what.split("#", 3)]
    ]
    if view is None:
        return found
    chats = groups_in_scope(principal) or frozenset()
    return [cell for cell in found if _is_seen(cell, view, chats)]


def sums_by(cells: Iterable[CodeCell], key: Callable[[CodeCell], str]) -> dict[str, Figures]:
    """The figures by what `key` says of a cell; those of which it says nothing are left out."""
    parts: dict[str, list[Figures]] = {}
    for cell in cells:
        if key(cell):
            parts.setdefault(key(cell), []).append(cell.figures)
    return {one: rules.total(figures) for one, figures in sorted(parts.items())}


def _is_seen(cell: CodeCell, view: View, chats: frozenset[str]) -> bool:
    if cell.chat_id:
        return cell.chat_id in chats
    is_in = cell.store_id in view.store_ids if cell.store_id else cell.staff_id in view.alone
    if not cell.staff_id:
        return is_in and view.whole
    return is_in and (view.only is None or cell.staff_id in view.only)
