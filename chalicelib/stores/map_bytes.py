"""The map's bytes, pure: a cell's stores at some 18 bytes each, the list of cells at 16 each."""

import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from chalicelib.stores.types import Opening, Place

_E7 = 10_000_000  # a degree in steps of 1 cm
_STAFF, _GROUPS, _SHUT = 1, 2, 4
_CELL = struct.Struct("<QII")


class Cell(NamedTuple):
    """`stamp`: which of the cell's items holds. No stores: no item, and a stamp of 0."""

    stamp: int
    stores: int


def pack(places: Iterable[Place]) -> bytes:
    """Column by column, which zlib makes a third of."""
    rows = sorted(places, key=lambda place: place.store_id)
    columns = [
        [place.store_id for place in rows],
        [round(place.latitude * _E7) for place in rows],
        [round(place.longitude * _E7) for place in rows],
        [place.name for place in rows],
        [place.city for place in rows],
        [_STAFF * p.staff | _GROUPS * p.groups | _SHUT * p.shut for p in rows],
        [p.opening and (p.opening.weekdays, p.opening.start, p.opening.end) for p in rows],
    ]
    return zlib.compress(msgspec.msgpack.encode(columns), 6)


def unpack(data: bytes) -> list[Place]:
    columns = msgspec.msgpack.decode(zlib.decompress(data))
    return [
        Place(
            store_id,
            north / _E7,
            east / _E7,
            name,
            city,
            bool(flags & _STAFF),
            bool(flags & _GROUPS),
            bool(flags & _SHUT),
            Opening(*opening) if opening else None,
        )
        for store_id, north, east, name, city, flags, opening in zip(*columns, strict=True)
    ]


def pack_cells(cells: Mapping[int, Cell]) -> bytes:
    return b"".join(_CELL.pack(cell, *known) for cell, known in sorted(cells.items()))


def unpack_cells(data: bytes) -> dict[int, Cell]:
    return {cell: Cell(stamp, count) for cell, stamp, count in _CELL.iter_unpack(data)}


def pack_was(was: Mapping[str, Iterable[int]]) -> bytes:
    """Store ids, and the cells they were in."""
    return zlib.compress(msgspec.msgpack.encode({key: list(cells) for key, cells in was.items()}), 6)


def unpack_was(data: bytes) -> dict[str, set[int]]:
    return msgspec.msgpack.decode(zlib.decompress(data), type=dict[str, set[int]])
