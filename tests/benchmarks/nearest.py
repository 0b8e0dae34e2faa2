"""The nearest store: CPU as stores grow, beside what others do; the map's bytes, requests and units.

Stores stand in 300 towns of all sizes, as they do; who asks stands near one. `scan_all` is a haversine
over every store, `planar` the nearest by plain degrees: how many of 10,000 points it sends to another
store than the nearest by WGS-84. Units by AWS's rule: a consistent read, 1 a started 4 KB; a write, 1 a
started KB, twice that in a transaction. A query counts the sum of its items, a batch each of them.
Prints `name value unit`.
"""

import math
import os
import random
import resource
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conftest  # sets the environment that the models read
import moto
import msgspec

from chalicelib.platform import storage
from chalicelib.stores import cells, geo, map_bytes, maps, rules
from chalicelib.stores.geo import Position
from chalicelib.stores.models import MapItem
from chalicelib.stores.types import NewStore, Place
from tests.support import engine
from tests.support.stores_world import import_table

POINTS = 10_000
CHANCE = random.Random(1)
TOWNS = [(CHANCE.uniform(20, 48), CHANCE.uniform(80, 128), CHANCE.expovariate(1)) for _ in range(300)]
WEIGHTS = [size for *_, size in TOWNS]


def spots(count: int) -> list[Position]:
    towns = CHANCE.choices(TOWNS, WEIGHTS, k=count)
    return [Position(a + CHANCE.gauss(0, 0.1 * s), b + CHANCE.gauss(0, 0.1 * s)) for a, b, s in towns]


def store(number: int, at: Position) -> NewStore:
    fields = {
        "store_id": f"S{number:06}",
        "name": f"第{number}分店",
        "city": f"城市{number % 300}",
        "address": "人民路 100 号一楼",
        "latitude": round(at.latitude, 6),
        "longitude": round(at.longitude, 6),
        "datum": "gcj02",
        "staff_ids": ["guide-1", "guide-2"],
        "chat_ids": [],
        "hours": {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "10:00", "to": "22:00"},
        "status": "open",
    }
    return msgspec.convert(fields, NewStore)


@cache
def placed(count: int) -> list[Place]:
    return [rules.place(store(n, at)) for n, at in enumerate(spots(count))]


def haversine(at: Position, others: list[tuple[float, float, float]]) -> int:
    """The index of the nearest, looking at each."""
    a, b = math.radians(at.latitude), math.radians(at.longitude)
    cos_a = math.cos(a)

    def square(other: tuple[float, float, float]) -> float:
        north, east, cos_north = other
        return math.sin((north - a) / 2) ** 2 + cos_a * cos_north * math.sin((east - b) / 2) ** 2

    return min(range(len(others)), key=lambda n: square(others[n]))


def cpu(count: int) -> list[str]:
    places = placed(count)
    parts = {cell: inside for cell, inside in cells.cut(cells.EARTH, places).items() if inside}
    packed = [map_bytes.pack(inside) for inside in parts.values()]
    begin = time.process_time()
    trees = {cell: cells.tree(map_bytes.unpack(data)) for cell, data in zip(parts, packed, strict=True)}
    root = cells.forest(trees)
    loaded = (time.process_time() - begin) * 1000
    asked = spots(2000)
    for at in asked[:50]:
        next(cells.nearest(root, at, lambda wanted: {c: trees[c] for c in wanted}))
    begin = time.process_time()
    for at in asked:
        next(cells.nearest(root, at, lambda wanted: {c: trees[c] for c in wanted}))
    nearest = (time.process_time() - begin) / len(asked) * 1e6
    others = [(math.radians(p.latitude), math.radians(p.longitude)) for p in places]
    radians = [(north, east, math.cos(north)) for north, east in others]
    some = max(2, 40_000 // count)
    begin = time.process_time()
    for at in asked[:some]:
        haversine(at, radians)
    whole = (time.process_time() - begin) / some * 1e6
    return [
        f"nearest_{count}_cpu {nearest:.0f} us",
        f"nearest_{count}_scan_all_cpu {whole:.0f} us",
        f"nearest_{count}_load_all_cpu {loaded:.0f} ms",
        f"nearest_{count}_index_bytes {sum(map(len, packed)) + 16 * len(parts)} bytes",
    ]


def wrong_answers(count: int) -> list[str]:
    """Ours and the planar formula's, beside the distances over the ellipsoid."""
    import numpy as np

    places = placed(count)
    at = spots(POINTS)
    tree = cells.tree(places)
    space = np.array([geo.point(cells.position(p)) for p in places])
    north = np.array([p.latitude for p in places])
    east = np.array([p.longitude for p in places])
    ours = planar = 0
    for here in at:
        line, found = next(cells.nearest(tree, here, lambda wanted: {}))
        true = ((space - np.array(geo.point(here))) ** 2).sum(axis=1)
        ours += line**2 > true.min() + 1e-3 or found is None
        flat = int(((north - here.latitude) ** 2 + (east - here.longitude) ** 2).argmin())
        planar += true[flat] > true.min() + 1
    return [
        f"nearest_wrong_of_{POINTS} {ours} points",
        f"nearest_wrong_planar_share {planar / POINTS * 100:.1f} %",
    ]


class Sizes:
    """What answers weigh, by a botocore hook: (requests, read units)."""

    def __init__(self) -> None:
        self.requests = self.units = self.bytes = 0
        events = storage.connection().client.meta.events
        events.register("after-call.dynamodb.*", self.count)

    def count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests += 1
        if model.name == "Query":
            weights = [sum(map(weight, parsed["Items"]))]
        else:
            weights = [weight(row) for rows in parsed.get("Responses", {}).values() for row in rows]
        self.bytes += sum(weights)
        self.units += sum(max(1, math.ceil(size / 4096)) for size in weights)


def weight(item: dict[str, Any]) -> int:
    return sum(len(name) + len(next(iter(value.values()))) for name, value in item.items())


def stored(count: int) -> list[str]:
    """What a location reads of the map, in a new process and in one that has been here."""
    places = placed(count)
    told, items = {}, Counter[str]()
    for cell, inside in cells.cut(cells.EARTH, places).items():
        told[cell] = map_bytes.Cell(0, 0)
        if inside:
            told[cell], item = maps.cell_item(cell, inside)
            items["cells"] += 1
            items["largest"] = max(items["largest"], len(item.places))
            item.save()
    tx = storage.Transaction()
    maps.add_head(tx, maps.view().version, told)
    tx.commit()
    lines = [
        f"store_map_{count}_cells {items['cells']} cells",
        f"store_map_{count}_largest_cell {items['largest']} bytes",
        f"store_map_{count}_list_of_cells {16 * len(told)} bytes",
    ]
    cold, asked = [], spots(20)
    for at in asked:
        maps.forget()
        seen = Sizes()
        next(maps.near(at, 50_000), None)
        cold.append((seen.units, seen.requests, seen.bytes))
    for at in asked:
        next(maps.near(at, 50_000), None)
    seen = Sizes()
    next(maps.near(asked[0], 50_000), None)
    units, requests, size = (sum(column) / len(cold) for column in zip(*cold, strict=True))
    lines += [
        f"store_map_{count}_cold_read_units {units:.1f} units",
        f"store_map_{count}_cold_requests {requests:.1f} requests",
        f"store_map_{count}_cold_read {size:.0f} bytes",
        f"store_map_{count}_warm_read_units {seen.units} units",
        f"store_map_{count}_warm_requests {seen.requests} requests",
    ]
    return lines


def imported(count: int) -> str:
    """Seconds of CPU for an import, the store's own left out."""
    head = "store_id,name,city,latitude,longitude,staff_ids"
    rows = [f"S{n},店{n},城{n % 300},{at.latitude},{at.longitude},a" for n, at in enumerate(spots(count))]
    begin = time.process_time()
    assert import_table("\n".join([head, *rows])).imported == count
    return f"store_import_{count}_cpu {time.process_time() - begin:.1f} s"


def main() -> None:
    lines = [line for count in (1_000, 10_000, 20_000, 100_000) for line in cpu(count)]
    lines += wrong_answers(2_000)
    for count in (2_000, 20_000, 100_000):
        with moto.mock_aws():
            storage.disconnect()
            MapItem.create_table(wait=True)
            maps.forget()
            lines += stored(count)
    with engine.running() as os.environ["AWS_ENDPOINT_URL"]:  # moto copies its tables for each transaction
        storage.disconnect()
        conftest.create_tables()
        maps.forget()
        lines.append(imported(5_000))
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    lines.append(f"nearest_benchmark_memory {peak // 1024} MB")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
