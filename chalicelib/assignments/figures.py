"""What came of a live code, for its page."""

from msgspec import Struct

from chalicelib.groups import service as groups
from chalicelib.livecodes import service as livecodes
from chalicelib.metrics import codes, rules
from chalicelib.metrics.rules import Figures
from chalicelib.platform.principal import Principal
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores


class CodeFigures(Struct, frozen=True, kw_only=True):
    """adds: bonds that began by it. lapsed: reserved by a scan, and not used.

    orders, gmv_fen: of customers who first came by it; paid less refunded.
    """

    scans: int
    adds: int
    lost: int
    kept: int
    joins: int
    lapsed: int
    buyers: int
    orders: int
    gmv_fen: int


class FiguresOf(CodeFigures, frozen=True, kw_only=True):
    """Of a guide, a group, a store or a month (`2026-11`). name: what it is called, where it has a name."""

    id: str
    name: str | None


class CodeResults(Struct, frozen=True, kw_only=True):
    total: CodeFigures
    by_staff: list[FiguresOf]
    by_group: list[FiguresOf]
    by_store: list[FiguresOf]
    by_month: list[FiguresOf]


def of_code(live_code_id: str, principal: Principal) -> CodeResults:
    """Since it was made, of the caller's stores and guides. NotFound."""
    livecodes.get(live_code_id, principal)
    cells = codes.cells(live_code_id, principal)
    by_staff = codes.sums_by(cells, lambda cell: cell.staff_id)
    by_group = codes.sums_by(cells, lambda cell: cell.chat_id)
    by_store = codes.sums_by(cells, lambda cell: cell.store_id)
    return CodeResults(
        total=CodeFigures(**_values(rules.total(cell.figures for cell in cells))),
        by_staff=_rows(by_staff, staff.names(by_staff)),
        by_group=_rows(by_group, groups.names(list(by_group))),
        by_store=_rows(by_store, stores.names(list(by_store))),
        by_month=_rows(codes.sums_by(cells, lambda cell: cell.month), {}),
    )


def _rows(sums: dict[str, Figures], names: dict[str, str]) -> list[FiguresOf]:
    return [FiguresOf(id=one, name=names.get(one), **_values(figures)) for one, figures in sums.items()]


def _values(sums: Figures) -> dict[str, int]:
    values = {name: sums.get(name, 0) for name in rules.OF_CODE}
    return {**values, "kept": values["adds"] - values["lost"]}
