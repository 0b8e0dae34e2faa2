"""A packing desk's file of cards and orders → what is to be bound, row by row."""

from typing import Any

from chalicelib.platform.errors import DomainError, Invalid, issue
from chalicelib.platform.validation import convert
from chalicelib.printruns.types import MAX_BINDINGS, Binding
from chalicelib.tables import cells, reading
from chalicelib.tables.columns import Columns
from chalicelib.tables.types import BadTable, Record

_COLUMNS = Columns(
    {
        "code": "code card cardcode card_code url link 卡片 卡号 卡片编号 卡片号 编号 二维码 链接 "
        "卡號 卡片編號 編號 二維碼 鏈接",
        "order_id": "order_id orderid order orderno order_no 订单 订单号 订单编号 訂單 訂單號 訂單編號",
        "mall": "mall shop 商城 店铺 平台 店鋪",
        "batch": "batch 批次",
    },
    required=("code", "order_id"),
)


def read(raw: bytes) -> list[tuple[int, Binding | DomainError]]:
    """(line, what is to be bound, or why it can't be read) of each row. BadTable."""
    table = reading.read(raw, _COLUMNS)
    rows: list[tuple[Record, dict[str, str]]] = []
    for record in table.rows:
        if len(rows) == MAX_BINDINGS:
            raise BadTable("too_many_rows", max_rows=MAX_BINDINGS)
        given = {name: record.values[at] for name, at in table.where.items() if at < len(record.values)}
        rows.append((record, {name: text for name in given if (text := cells.plain(given[name]))}))
    if not rows:
        raise BadTable("table_no_rows")
    rounded = cells.rounded(fields.get("order_id", "") for _, fields in rows)
    return [(record.line, _binding(record, fields, rounded)) for record, fields in rows]


def _binding(record: Record, fields: dict[str, Any], rounded: frozenset[str]) -> Binding | DomainError:
    if record.fault:
        return Invalid(issue("row", record.fault))
    if fields.get("order_id") in rounded:
        return Invalid(issue("order_id", "cell_rounded"))
    try:
        binding: Binding = convert(fields, Binding)
    except Invalid as error:
        return error
    return binding
