"""What a table of prospects holds: its columns, one row's fields, what is wrong with them. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.tables import cells, columns
from chalicelib.tables.columns import Columns
from chalicelib.tables.types import BadTable

COLUMNS = Columns(
    {
        "phone": "phone mobile tel telephone phonenumber mobilephone 手机 手机号 手机号码 电话 电话号码 "
        "联系电话 联系方式 手機 手機號 手機號碼 電話 電話號碼 聯繫電話 聯絡電話",
        "name": "name 姓名 名字 客户姓名 客户名称 称呼 客戶姓名 客戶名稱 稱呼",
        "note": "note remark 备注 说明 備註 說明",
        "store_id": "store_id storeid store 门店 门店编号 门店id 門店 門店編號 門店id",
        "staff_id": columns.STAFF,
        "external_id": "external_id externalid id 编号 会员号 会员编号 客户编号 "
        "編號 會員號 會員編號 客戶編號",
    }
)
_IDS = ("external_id", "store_id", "staff_id")
_LIMITS = {"name": 100, "note": 200, "store_id": 64, "staff_id": 64, "external_id": 100}


def positions(header: Sequence[str], named: Mapping[str, str | None]) -> dict[str, int]:
    """Field → position of its column. BadTable without a column for phones, or for one named twice."""
    where = columns.positions(header, COLUMNS, named)
    if "phone" not in where:
        raise BadTable("table_no_phone_column")
    return where


def fields(values: Sequence[str], where: Mapping[str, int]) -> dict[str, str]:
    """A row's fields, cut to what is kept; empty ones left out."""
    row = {}
    for field, place in where.items():
        text = cells.unwrapped(values[place]) if place < len(values) else ""
        if text:
            row[field] = text[: _LIMITS[field]] if field in _LIMITS else text
    return row


def damage(row: dict[str, str]) -> tuple[str, str] | None:
    """(field, code) of what a spreadsheet has lost of a row, but of its phone; its ids are put in order."""
    for field, text in row.items():
        if field in _IDS:
            row[field] = text = text if text.isascii() and text.isalnum() else cells.plain(text)
            code = cells.damage(text)
        else:
            code = cells.formula(text)
        if code:
            return field, code
    return None


def rounded_ids(rows: Iterable[Mapping[str, str]]) -> dict[str, frozenset[str]]:
    """Field → ids that a spreadsheet has rounded, as far as these rows of a file show it."""
    rows = list(rows)
    return {field: found for field in _IDS if (found := cells.rounded(row.get(field, "") for row in rows))}
