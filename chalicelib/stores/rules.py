"""What a store is on the map, and what a table of stores holds, the way operators keep it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from math import isfinite
from typing import Any

from chalicelib.stores import geo
from chalicelib.stores.types import NewStore, Opening, Place, StoreHours
from chalicelib.tables import cells
from chalicelib.tables.columns import STAFF, Columns

COLUMNS = Columns(
    {
        "store_id": "store_id storeid id 门店编号 门店id 门店编码 门店代码 店铺编号 编号 "
        "編號 門店編號 門店id 門店編碼 店鋪編號",
        "name": "name storename store_name 门店名称 店名 门店 名称 店铺名称 門店名稱 門店 名稱 店鋪名稱",
        "latitude": "latitude lat 纬度 緯度",
        "longitude": "longitude lng lon long 经度 經度",
        "datum": "datum 坐标系 坐標系",
        "city": "city 城市 所在城市",
        "address": "address 地址 详细地址 门店地址 詳細地址 門店地址",
        "staff_ids": STAFF,
        "chat_ids": "chat_ids chatids chats 群 群id 客户群 客户群id 群聊id 客戶群 客戶群id 群聊",
        "hours": "hours 营业时间 營業時間",
        "status": "status 状态 营业状态 狀態 營業狀態",
    },
    required=("store_id", "name", "latitude", "longitude"),
)
OPTIONAL = ("city", "address", "staff_ids", "chat_ids", "hours", "status")
MAX_ROWS = 5000
_TEXTS = frozenset({"name", "city", "address"})
_HOURS = re.compile(r"(?:([1-7]+)\s+)?(\d{1,2}:\d\d)(?::00)?\s*(?:-|–|—|~|至|到)\s*(\d{1,2}:\d\d)(?::00)?")
_DATUMS = {"": "gcj02", "火星": "gcj02", "国测局": "gcj02", "高德": "gcj02", "腾讯": "gcj02", "gps": "wgs84"}
_STATUSES = {"": "open", "营业": "open", "营业中": "open", "正常": "open", "營業": "open", "營業中": "open"}
_STATUSES |= dict.fromkeys(("停业", "关闭", "闭店", "歇业", "休息", "停業", "關閉", "歇業"), "closed")
# Where China is, roundly: degrees north, degrees east.
_NORTH, _EAST = (3.0, 54.0), (73.0, 136.0)


def fields_of(values: Sequence[str], where: Mapping[str, int]) -> dict[str, Any]:
    """A row's fields. Pure texts and ids are put as they are meant; see `typed`."""
    given = {name: values[place] if place < len(values) else "" for name, place in where.items()}
    return {
        name: cells.unwrapped(text) if name in _TEXTS else cells.plain(text) for name, text in given.items()
    }


def rounded_ids(rows: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """Those of a table's ids that a spreadsheet has rounded."""
    return cells.rounded(row.get("store_id", "") for row in rows)


def damage(fields: Mapping[str, str], rounded: Collection[str]) -> Iterator[tuple[str, str]]:
    """(field, code) of what a spreadsheet has lost of a row. rounded: of the table's ids."""
    for name, text in fields.items():
        if name in _TEXTS:
            codes = {cells.formula(text)}
        else:
            codes = {cells.damage(part) for part in (text, *_ids(text))}
        if name == "store_id" and text in rounded:
            codes.add("cell_rounded")
        yield from ((name, code) for code in sorted(codes) if code)


def typed(fields: Mapping[str, str]) -> dict[str, Any]:
    """A row's fields as a store has them.

    `staff_ids` and `chat_ids` hold ids with `;` or spaces between, `hours` is `10:00-22:00`, on some days
    only `12345 10:00-22:00`. What is no number and no hours stays as it is, for the types to refuse.
    """
    made: dict[str, Any] = dict(fields)
    for name in ("latitude", "longitude"):
        with suppress(ValueError):
            if isfinite(number := float(fields.get(name, ""))):
                made[name] = number
    if "datum" in fields:
        text = fields["datum"].lower().replace("-", "")  # WGS-84, as people write it
        made["datum"] = _DATUMS.get(text, text)
    if "status" in fields:
        text = fields["status"].lower()
        made["status"] = _STATUSES.get(text, text)
    for name in {"staff_ids", "chat_ids"} & fields.keys():
        made[name] = _ids(fields[name])
    if "hours" in fields:
        made["hours"] = _hours(fields["hours"])
    return made


def are_swapped(latitude: object, longitude: object) -> bool:
    """Whether a position is in China only with its two numbers the other way round."""
    return not _is_in_china(latitude, longitude) and _is_in_china(longitude, latitude)


def _is_in_china(latitude: object, longitude: object) -> bool:
    if not (isinstance(latitude, (int, float)) and isinstance(longitude, (int, float))):
        return False
    return _NORTH[0] <= latitude <= _NORTH[1] and _EAST[0] <= longitude <= _EAST[1]


def _ids(text: str) -> list[str]:
    return re.split(r"[\s;,、|/]+", text.strip(" ;,、|/")) if text.strip(" ;,、|/") else []


def _hours(text: str) -> Any:
    match = _HOURS.fullmatch(text)
    if match is None:
        return text or None
    days, start, end = match.groups()
    hours: dict[str, Any] = {"from": start.zfill(5), "to": end.zfill(5)}
    return {**hours, "weekdays": sorted({int(day) for day in days})} if days else hours


def place(store: NewStore) -> Place:
    """The store on the map."""
    at = geo.wgs84(store.latitude, store.longitude, store.datum)
    return Place(
        store_id=store.store_id,
        latitude=round(at.latitude, 7),
        longitude=round(at.longitude, 7),
        name=store.name,
        city=store.city,
        staff=bool(store.staff_ids),
        groups=bool(store.chat_ids),
        shut=store.status == "closed",
        opening=opening(store.hours) if store.hours else None,
    )


def opening(hours: StoreHours) -> Opening:
    """The hours in bits and minutes."""
    days = sum(1 << (day - 1) for day in set(hours.weekdays))
    return Opening(days, _minutes(hours.from_), _minutes(hours.to))


def is_open(place: Place, local: datetime) -> bool:
    """Whether customers find the store open at the local time."""
    if place.shut or place.opening is None:
        return not place.shut
    days, start, end = place.opening.weekdays, place.opening.start, place.opening.end
    minute, today = local.hour * 60 + local.minute, local.weekday()
    if start < end:
        return bool(days >> today & 1) and start <= minute < end
    yesterday = (today - 1) % 7
    return (bool(days >> today & 1) and minute >= start) or (bool(days >> yesterday & 1) and minute < end)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
