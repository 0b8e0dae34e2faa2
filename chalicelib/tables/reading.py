"""A file that came whole, and small, through a door: CSV or XLSX, by its content.

Larger ones are uploaded and read piece by piece, by the same readers (prospects/import_reading.py).
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

from msgspec import Struct

from chalicelib.platform.errors import Invalid, Issue, Malformed
from chalicelib.tables import csv_rows, encodings
from chalicelib.tables.columns import Columns, positions
from chalicelib.tables.types import BadTable, Record, Unreadable

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_BYTES = 4 * 1024 * 1024  # what Lambda takes of a body, as API Gateway hands it on
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class Table(Struct):
    """where: field → position. width: columns with a name, or some behind. rows: those behind the header."""

    where: dict[str, int]
    width: int
    rows: Iterator[Record]


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins so is an XLSX. Unreadable: one from before that, or under a password."""
    if start.startswith(_OLE):
        raise Unreadable("table_old_workbook")
    return start.startswith(_ZIP)


def read(
    raw: bytes,
    columns: Columns,
    named: Mapping[str, str | None] | None = None,
    *,
    is_utf8: bool = False,
    needs_header: bool = True,
) -> Table:
    """The table in the file; BadTable, also while its rows are read.

    named: fields whose column is called otherwise. is_utf8: the text came in JSON. needs_header: a first row
    without any known column is one of the rows, and the first column the first field's.
    """
    rows = records(raw, "utf-8" if is_utf8 else "")
    header = next(rows, None)
    if header is None:
        raise BadTable("table_no_header" if needs_header else "table_no_rows")
    if not needs_header and not any(map(columns.field_of, header.values)):
        return Table({next(iter(columns.words)): 0}, len(header.values), chain([header], rows))
    return Table(positions(header.values, columns, named), len(header.values), rows)


def records(raw: bytes, encoding: str = "") -> Iterator[Record]:
    """All rows of the file, its header first. BadTable."""
    if not encoding and is_workbook(raw[:8]):
        from chalicelib.tables import xlsx_parts, xlsx_rows

        return xlsx_rows.Book(io.BytesIO(raw), xlsx_parts.AT_A_DOOR).records()

    def part(start: int, length: int) -> bytes:
        return raw[start : start + length]

    found, lines = encodings.examine(part)
    if not encoding and found.startswith("utf-16"):
        return records(b"".join(encodings.transcoded(part, found)), "utf-8")
    how = csv_rows.layout(part, encoding or found, lines)
    rows = csv_rows.records(part, how.header.end, how.header.following, how.encoding, how.delimiter)
    return chain([how.header], rows)


@contextmanager
def file_errors(field: str = "file") -> Iterator[None]:
    """What is wrong with a file as a whole is an answer: 400 for what is no table, 422 for the wrong one."""
    try:
        yield
    except Unreadable as error:
        raise Malformed(code=error.code, **error.params) from error
    except BadTable as error:
        raise Invalid(Issue(field, error.code, error.params)) from error  # which may have a `field` too
