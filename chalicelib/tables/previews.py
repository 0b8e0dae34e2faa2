"""A file as an operator looks at it before an import: its columns, and what they are known to hold."""

from itertools import islice

from chalicelib.tables import reading
from chalicelib.tables.columns import Columns
from chalicelib.tables.types import BadTable, TableColumn, TablePreview, TableRow

_ROWS = 8
_MOST_COLUMNS, _LONGEST = 60, 200


def preview(raw: bytes, columns: Columns) -> TablePreview:
    """Of a whole file, or of a CSV's beginning. BadTable."""
    is_workbook = reading.is_workbook(raw[:8])
    records = reading.records(raw)
    header = next(records, None)
    if header is None or header.fault:
        raise BadTable("table_no_header")
    names = header.values[:_MOST_COLUMNS]
    rows = [TableRow(line=r.line, values=_values(r.values, len(names))) for r in islice(records, _ROWS)]
    return TablePreview(
        format="xlsx" if is_workbook else "csv",
        columns=[TableColumn(name=name.strip("\ufeff"), field=columns.field_of(name)) for name in names],
        rows=rows,
    )


def _values(values: tuple[str, ...], width: int) -> list[str]:
    return [text[:_LONGEST] for text in (*values, *[""] * width)[:width]]
