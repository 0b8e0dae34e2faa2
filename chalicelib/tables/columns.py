"""Which column holds what, by the usual names of columns. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct

from chalicelib.tables.types import BadTable

NO_COLUMN = "-"
STAFF = (  # what a column of members' userids is called, in whatever table
    "staff_id staffid staff_ids staffids staff guide userid 员工 员工id 员工账号 员工帐号 "
    "导购 导购id 导购账号 导购帐号 店员 店员id 店员账号 成员 成员id 成员账号 负责导购 "
    "企业微信账号 企业微信帐号 企业微信id 企微账号 企微id "
    "員工 員工id 員工帳號 導購 導購id 導購帳號 店員 店員帳號 成員 成員帳號 企業微信帳號 企業微信id 企微帳號"
)
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
