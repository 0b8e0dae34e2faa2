"""What stands in a table's rows: names of columns, one row's fields. Pure; the readers are beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

_USUAL = {
    "phone": "phone mobile tel telephone 手机 手机号 手机号码 电话 电话号码 联系电话 联系方式",
    "name": "name 姓名 名字 客户姓名 客户名称 称呼",
    "note": "note remark 备注 说明",
    "store_id": "store_id store 门店 门店编号 门店id",
    "staff_id": "staff_id staff guide 导购 员工 员工id 导购id",
    "external_id": "external_id id 编号 会员号 会员编号 客户编号",
}
FIELDS = tuple(_USUAL)
_KNOWN = {word: field for field, words in _USUAL.items() for word in words.split()}
LIMITS = {"name": 100, "note": 200, "store_id": 64, "staff_id": 64, "external_id": 100}


class BadTable(ValueError):
    """The file as a whole can't be imported: a code of `platform.messages`, which quotes nothing of it."""

    def __init__(self, code: str, **params: Any):
        self.code, self.params = code, params
        super().__init__(code)


class Record(Struct, frozen=True):
    """One row of a table. line: its (first) line in the file; fault: the code of why it can't be read.

    end: where the next one begins: a byte of a CSV, after a row of an XLSX; following: its line.
    """

    line: int
    values: tuple[str, ...]
    end: int
    following: int
    fault: str = ""


def positions(header: Sequence[str], columns: Mapping[str, str | None]) -> dict[str, int]:
    """Field → position of its column. BadTable without a column for phones, or for one named twice."""
    names = [name.strip().strip("\ufeff").lower() for name in header]
    where: dict[str, int] = {}
    for field in FIELDS:
        wanted = columns.get(field)
        if wanted:
            places = [i for i, name in enumerate(names) if name == wanted.strip().lower()]
            if not places:
                raise BadTable("table_no_such_column", field=field)
        else:
            places = [i for i, name in enumerate(names) if _KNOWN.get(name.replace(" ", "")) == field]
        if len(places) > 1:
            raise BadTable("table_two_columns", field=field)
        if places:
            where[field] = places[0]
    if "phone" not in where:
        raise BadTable("table_no_phone_column")
    return where


def fields(values: Sequence[str], where: Mapping[str, int]) -> dict[str, str]:
    """A row's fields, cut to what is kept; empty ones left out."""
    row = {}
    for field, place in where.items():
        text = values[place].strip() if place < len(values) else ""
        if text:
            row[field] = text[: LIMITS[field]] if field in LIMITS else text
    return row
