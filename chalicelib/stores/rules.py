"""What a store is on the map, and a table of stores as CSV, the way operators keep it."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from math import isfinite
from typing import Any

from chalicelib.stores import geo
from chalicelib.stores.types import NewStore, Opening, Place, StoreHours

REQUIRED = ("store_id", "name", "latitude", "longitude")
OPTIONAL = ("city", "address", "staff_ids", "chat_ids", "hours", "status")
COLUMNS = (*REQUIRED, "datum", *OPTIONAL)
MAX_ROWS = 5000
_HOURS = re.compile(r"(?:([1-7]+)\s+)?(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)")


class BadTable(ValueError):
    """The text as a whole is no table of stores: the code of why, and its params."""

    def __init__(self, code: str, **params: Any):
        self.code, self.params = code, params
        super().__init__(code)


def decoded(raw: bytes) -> str:
    """UTF-8, with a byte order mark or without, or what a Chinese Excel saves (GB 18030). BadTable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable("text_encoding")


def rows(text: str) -> Iterator[tuple[int, dict[str, Any], bool]]:
    """(line number, fields, whether there are more than columns) of each row that is not blank.

    The first line names the columns.

    `staff_ids` and `chat_ids` hold ids with `;` or spaces between, `hours` is `10:00-22:00`, on some days
    only `12345 10:00-22:00`. What is no number, no hours, or in no column stays as it is, for the types
    to refuse. A row of several lines bears its first one's number. BadTable.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = [name.strip().lower() for name in _next_line(reader) or []]
    if missing := [name for name in REQUIRED if name not in names]:
        raise BadTable("columns_missing", columns=missing)
    if len(set(names)) != len(names):
        raise BadTable("column_twice")
    count, line = 0, reader.line_num + 1
    while (values := _next_line(reader)) is not None:
        if any(value.strip() for value in values):
            count += 1
            if count > MAX_ROWS:
                raise BadTable("too_many_rows", max_rows=MAX_ROWS)
            pairs = zip(names, values, strict=False)
            fields = {name: value.strip() for name, value in pairs if name in COLUMNS}
            yield line, _typed(fields), any(value.strip() for value in values[len(names) :])
        line = reader.line_num + 1


def _next_line(reader: Any) -> list[str] | None:
    line = reader.line_num + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise BadTable("csv_quotes", line=line) from error


def _typed(fields: dict[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = dict(fields)
    for name in ("latitude", "longitude"):
        with suppress(ValueError):
            if isfinite(number := float(fields.get(name, ""))):
                typed[name] = number
    for name, default in (("datum", "gcj02"), ("status", "open")):
        if name in fields:
            typed[name] = fields[name].lower().replace("-", "") or default  # WGS-84, as people write it
    for name in {"staff_ids", "chat_ids"} & fields.keys():
        typed[name] = fields[name].replace(";", " ").replace("；", " ").split()
    if "hours" in fields:
        typed["hours"] = _hours(fields["hours"])
    return typed


def _hours(text: str) -> Any:
    match = _HOURS.fullmatch(text.replace("：", ":"))
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
