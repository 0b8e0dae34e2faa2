"""Which column holds what, by the usual names of columns. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct

from chalicelib.tables.types import BadTable

NO_COLUMN = "-"
_ASIDE = re.compile(r"\(.*\)|\[.*\]|[*:]")  # 手机号（必填）, *手机号


class Columns(Struct, frozen=True):
    """words: field → what its column is called, in small letters without spaces, with spaces between."""

    words: Mapping[str, str]
    required: tuple[str, ...] = ()

    def field_of(self, name: str) -> str | None:
        """The field that a column of that name holds."""
        whole = "".join(unicodedata.normalize("NFKC", name).strip("\ufeff").lower().split())
        for text in (whole, _ASIDE.sub("", whole)):
            for field, words in self.words.items():
                if text and text in words.split():
                    return field
        return None


def positions(
    header: Sequence[str], columns: Columns, named: Mapping[str, str | None] | None = None
) -> dict[str, int]:
    """Field → position of its column, in the fields' order. named: fields whose column is called otherwise;
    `-`: that has none, whatever the columns are called.

    BadTable: a required column is not there, or one is there twice.
    """
    named = {field: name for field, name in (named or {}).items() if name}
    held = [columns.field_of(name) for name in header]
    where: dict[str, int] = {}
    for field in columns.words:
        if named.get(field) == NO_COLUMN:
            continue
        if name := named.get(field):
            places = [i for i, each in enumerate(header) if _bare(each) == _bare(name)]
            if not places:
                raise BadTable("table_no_such_column", field=field)
        else:
            places = [i for i, each in enumerate(held) if each == field]
        if len(places) > 1:
            raise BadTable("table_two_columns", field=field)
        if places:
            where[field] = places[0]
    if missing := [field for field in columns.required if field not in where]:
        raise BadTable("columns_missing", columns=missing)
    return where


def _bare(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip("\ufeff ").lower()
