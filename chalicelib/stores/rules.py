"""What a store is on the map, and a table of stores as CSV, the way operators keep it."""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from math import isfinite
from typing import Any

from chalicelib.stores import geo
from chalicelib.stores.types import Opening, Place

REQUIRED = ("store_id", "name", "latitude", "longitude")
COLUMNS = (*REQUIRED, "city", "address", "datum", "staff_ids", "chat_ids", "status")
MAX_ROWS = 5000


class BadTable(ValueError):
    """The text as a whole is no table of stores."""


def decoded(raw: bytes) -> str:
    """UTF-8, with a byte order mark or without, or what a Chinese Excel saves (GB 18030). BadTable."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable("is neither UTF-8 nor GB 18030 text")


def rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, fields) of each row that is not blank. The first line names the columns.

    `staff_ids` and `chat_ids` hold ids with `;` or spaces between. Fields that are no numbers stay text,
    for the types to refuse. BadTable.
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    names = [name.strip().lower() for name in _next_line(reader) or []]
    if missing := [name for name in REQUIRED if name not in names]:
        raise BadTable("the first line lacks the columns " + ", ".join(missing))
    if len(set(names)) != len(names):
        raise BadTable("the first line names a column twice")
    count = 0
    while (values := _next_line(reader)) is not None:
        if not any(value.strip() for value in values):
            continue
        count += 1
        if count > MAX_ROWS:
            raise BadTable(f"more than {MAX_ROWS} rows: import them in parts")
        fields = {name: value.strip() for name, value in zip(names, values, strict=False) if name in COLUMNS}
        yield reader.line_num, _typed(fields)


def _next_line(reader: Any) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise BadTable(f"line {reader.line_num}: not CSV") from error


def _typed(fields: dict[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = dict(fields)
    for name in ("latitude", "longitude"):
        with suppress(ValueError):
            if isfinite(number := float(fields.get(name, ""))):
                typed[name] = number
    for name in ("datum", "status"):
        if fields.get(name) == "":
            del typed[name]  # an empty field: the default
        elif name in fields:
            typed[name] = fields[name].lower().replace("-", "")  # WGS-84, as people write it
    for name in ("staff_ids", "chat_ids"):
        typed[name] = fields.get(name, "").replace(";", " ").replace("；", " ").split()
    return typed


def place(store: Mapping[str, Any]) -> Place:
    """A store, as its row or the API has it, on the map."""
    at = geo.wgs84(float(store["latitude"]), float(store["longitude"]), store["datum"])
    hours = store["hours"]
    return Place(
        store_id=store["store_id"],
        latitude=round(at.latitude, 7),
        longitude=round(at.longitude, 7),
        name=store["name"],
        city=store["city"],
        staff=bool(store["staff_ids"]),
        groups=bool(store["chat_ids"]),
        shut=store["status"] == "closed",
        opening=opening(hours) if hours else None,
    )


def opening(hours: Mapping[str, Any]) -> Opening:
    days = sum(1 << (day - 1) for day in set(hours["weekdays"]))
    return Opening(days, _minutes(hours["from"]), _minutes(hours["to"]))


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
