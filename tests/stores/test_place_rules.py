"""What a store is on the map, and when it is open."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from chalicelib.stores import rules
from chalicelib.stores.types import NewStore, Place

STORE: dict[str, Any] = {
    "store_id": "SZ001",
    "name": "南山店",
    "city": "深圳",
    "address": "海岸城",
    "latitude": 22.540796131694766,
    "longitude": 113.9171764808363,
    "datum": "gcj02",
    "staff_ids": ["lihua"],
    "chat_ids": [],
    "hours": None,
    "status": "open",
}


def place(fields: dict[str, Any]) -> Place:
    return rules.place(msgspec.convert(fields, NewStore))


OVER_NIGHT = {"weekdays": [5, 6], "from": "18:00", "to": "02:00"}
BY_DAY = {"weekdays": [1, 2, 3, 4, 5], "from": "10:00", "to": "22:00"}


def test_the_map_has_a_store_where_it_really_is() -> None:
    mapped = place(STORE)
    assert (mapped.latitude, mapped.longitude) == (22.543847, 113.912316)
    assert (mapped.staff, mapped.groups, mapped.shut, mapped.opening) == (True, False, False, None)
    as_gps = place(STORE | {"datum": "wgs84"})
    assert (as_gps.latitude, as_gps.longitude) == (22.5407961, 113.9171765)


@pytest.mark.parametrize(
    ("hours", "at", "is_open"),
    [
        (None, "2026-11-23T03:00", True),
        (BY_DAY, "2026-11-23T10:00", True),
        (BY_DAY, "2026-11-23T09:59", False),
        (BY_DAY, "2026-11-23T22:00", False),
        (BY_DAY, "2026-11-22T12:00", False),  # Sunday
        (OVER_NIGHT, "2026-11-27T18:00", True),  # Friday
        (OVER_NIGHT, "2026-11-28T01:59", True),
        (OVER_NIGHT, "2026-11-29T01:59", True),  # Saturday's night
        (OVER_NIGHT, "2026-11-29T18:00", False),
        (OVER_NIGHT, "2026-11-27T01:00", False),  # Thursday's night
    ],
)
def test_open_by_its_hours(hours: dict[str, Any] | None, at: str, is_open: bool) -> None:
    mapped = place(STORE | {"hours": hours})
    assert rules.is_open(mapped, datetime.fromisoformat(at)) is is_open


def test_what_is_shut_is_shut_at_all_hours() -> None:
    assert not rules.is_open(place(STORE | {"status": "closed"}), datetime(2026, 11, 23, 12))


def test_a_table_may_name_the_datum_and_the_status() -> None:
    table = [("WGS-84", ""), ("", "closed"), ("mars", "")]
    first, second, third = (rules.typed({"datum": datum, "status": status}) for datum, status in table)
    assert (first["datum"], first["status"]) == ("wgs84", "open")
    assert (second["datum"], second["status"]) == ("gcj02", "closed")
    assert third["datum"] == "mars"  # for the types to refuse


def test_a_place_goes_through_the_maps_bytes() -> None:
    from chalicelib.stores import map_bytes

    places = [place(STORE | {"store_id": f"S{n}", "hours": h}) for n, h in enumerate((None, BY_DAY))]
    assert map_bytes.unpack(map_bytes.pack(places)) == places
    assert isinstance(places[0], Place)
    cells = {1: map_bytes.Cell(7, 2), 5: map_bytes.Cell(0, 0)}
    assert map_bytes.unpack_cells(map_bytes.pack_cells(cells)) == cells
