"""A table's rows as the readers give them, and why a file is none."""

from typing import Any, Literal

from msgspec import Struct


class BadTable(ValueError):
    """The file as a whole can't be taken: a code of `platform.messages`, which quotes nothing of it."""

    def __init__(self, code: str, **params: Any):
        self.code, self.params = code, params
        super().__init__(code)


class Unreadable(BadTable):
    """It is no text and no workbook, or a damaged one."""


class TableColumn(Struct, frozen=True, kw_only=True):
    """field: what the column is known to hold, by its name."""

    name: str
    field: str | None


class TableRow(Struct, frozen=True, kw_only=True):
    line: int
    values: list[str]


class TablePreview(Struct, frozen=True, kw_only=True):
    """The columns of a file and its first rows, as an operator looks at them before an import."""

    format: Literal["csv", "xlsx"]
    columns: list[TableColumn]
    rows: list[TableRow]


class Record(Struct, frozen=True):
    """One row of a table. line: its (first) line in the file; fault: the code of why it can't be read.

    end: where the next one begins: a byte of a CSV, after a row of an XLSX; following: its line.
    """

    line: int
    values: tuple[str, ...]
    end: int
    following: int
    fault: str = ""
