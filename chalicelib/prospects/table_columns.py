"""What stands in a table's rows: names of columns, one row's fields. Pure; the readers are beside it."""

from collections.abc import Mapping, Sequence

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
    """The file as a whole can't be imported. The text says why and quotes nothing of it."""


class Record(Struct, frozen=True):
    """One row of a table. line: its (first) line in the file; fault: why it can't be read at all.

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
    found: dict[str, int] = {}
    for field in FIELDS:
        wanted = columns.get(field)
        if wanted:
            places = [i for i, name in enumerate(names) if name == wanted.strip().lower()]
            if not places:
                raise BadTable(f"the first line has no column as named for {field}")
        else:
            places = [i for i, name in enumerate(names) if _KNOWN.get(name.replace(" ", "")) == field]
        if len(places) > 1:
            raise BadTable(f"the first line has two columns for {field}: say which in `columns`")
        if places:
            found[field] = places[0]
    if "phone" not in found:
        raise BadTable("the first line has no column for phone numbers (手机号): say which in `columns`")
    return found


def fields(values: Sequence[str], where: Mapping[str, int]) -> dict[str, str]:
    """A row's fields, cut to what is kept; empty ones left out."""
    row = {}
    for field, place in where.items():
        text = values[place].strip() if place < len(values) else ""
        if text:
            row[field] = text[: LIMITS[field]] if field in LIMITS else text
    return row
