"""The index never gives a wrong store: beside a look at every one of them, on several worlds."""

import math
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.stores import cells, geo
from chalicelib.stores.cells import Node
from chalicelib.stores.geo import Position
from chalicelib.stores.types import Place

Spots = list[Position]


def places(spots: Spots) -> list[Place]:
    return [
        Place(store_id=str(n), latitude=s.latitude, longitude=s.longitude, name="", city="", staff=True, groups=False)
        for n, s in enumerate(spots)
    ]  # fmt: skip


class World:
    """Stores in cells of at most `leaf`, each brought when it is asked for. `loaded`: how often."""

    def __init__(self, spots: Spots, leaf: int = 20):
        self.places = places(spots)
        self.parts = cells.cut(cells.EARTH, self.places, leaf)
        self.trees = {cell: cells.tree(inside) for cell, inside in self.parts.items()}
        self.root = cells.forest(cell for cell, inside in self.parts.items() if inside)
        self.asked: set[int] = set()

    def load(self, wanted: list[int]) -> dict[int, Node | None]:
        self.asked |= set(wanted)
        return {cell: self.trees[cell] for cell in wanted}

    def nearest(self, at: Position, within: float = math.inf) -> Iterator[tuple[float, Place]]:
        return cells.nearest(self.root, at, self.load, within)


def uniform(chance: random.Random, count: int) -> Spots:
    return [
        Position(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180))
        for _ in range(count)
    ]


def cities(chance: random.Random, count: int) -> Spots:
    centres = [Position(chance.uniform(18, 53), chance.uniform(74, 135)) for _ in range(25)]
    spots = []
    for _ in range(count):
        centre = chance.choice(centres)
        spots.append(
            Position(centre.latitude + chance.gauss(0, 0.1), centre.longitude + chance.gauss(0, 0.1))
        )
    return spots


def edges(chance: random.Random, count: int) -> Spots:
    """On the very borders of cells, and one step beside them."""
    spots = []
    for _ in range(count):
        depth = chance.randint(4, 30)
        north, east = (round(chance.uniform(0, 1 << depth)) / (1 << depth) for _ in range(2))
        off = chance.choice((0, 0, 1e-9, -1e-9))
        spots.append(
            Position(max(-90, min(90, north * 180 - 90 + off)), max(-180, min(180, east * 360 - 180 + off)))
        )
    return spots  # fmt: skip


def poles(chance: random.Random, count: int) -> Spots:
    """Round the poles and on both sides of the date line."""
    spots = []
    for number in range(count):
        if number % 2:
            spots.append(
                Position(chance.choice((-1, 1)) * (90 - abs(chance.gauss(0, 0.5))), chance.uniform(-180, 180))
            )
        else:
            east = 180 - abs(chance.gauss(0, 0.2))
            spots.append(Position(chance.uniform(-60, 60), chance.choice((-1, 1)) * east))
    return [*spots, Position(90, 0), Position(-90, 12), Position(0, 180), Position(0, -180)]  # fmt: skip


def one_spot(chance: random.Random, count: int) -> Spots:
    return [*[Position(22.54, 113.93)] * (count // 2), *cities(chance, count - count // 2)]


WORLDS: list[Callable[[random.Random, int], Spots]] = [uniform, cities, edges, poles, one_spot]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
def test_never_a_wrong_one(world: Callable[[random.Random, int], Spots]) -> None:
    """2,000 points a world, 10,000 in all: half anywhere, half where the stores are."""
    chance = random.Random(11)
    made = World(world(chance, 400))
    spots = [geo.point(cells.position(place)) for place in made.places]
    for number in range(2000):
        at = world(chance, 1)[0] if number % 2 else uniform(chance, 1)[0]
        here = geo.point(at)
        true = min(math.dist(here, spot) for spot in spots)
        metres, place = next(made.nearest(at))
        assert metres == pytest.approx(true, abs=1e-6)
        assert math.dist(here, spots[int(place.store_id)]) == pytest.approx(true, abs=1e-6)


def test_the_nearest_by_the_line_is_the_nearest_by_the_way() -> None:
    chance = random.Random(3)
    made = World(cities(chance, 300))
    for _ in range(150):
        at = cities(chance, 1)[0]
        ways = sorted(geo.distance_m(at, cells.position(place)) for place in made.places)
        found = [geo.distance_m(at, cells.position(place)) for _, place in made.nearest(at)]
        assert found[:40] == pytest.approx(ways[:40], rel=1e-6)


POSITIONS = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(POSITIONS, max_size=60), POSITIONS, st.sampled_from((1, 3, 50)), st.floats(0, 2e7))
def test_all_within_in_order_and_nothing_else(spots: Spots, at: Position, leaf: int, within: float) -> None:
    made = World(spots, leaf)
    true = sorted(math.dist(geo.point(at), geo.point(cells.position(p))) for p in made.places)
    assert [line for line, _ in made.nearest(at)] == pytest.approx(true, abs=1e-6)
    near = [line for line, _ in made.nearest(at, within)]
    assert near == pytest.approx(true[: len(near)], abs=1e-6)
    # At the very limit a float's last digit decides.
    assert all(line <= within + 1e-6 for line in near)
    assert all(line > within - 1e-6 for line in true[len(near) :])


@given(st.lists(POSITIONS, max_size=60), st.sampled_from((1, 3, 50)), POSITIONS)
def test_cells_cover_the_earth_once_and_hold_what_lies_in_them(spots: Spots, leaf: int, at: Position) -> None:
    made = World(spots, leaf)
    sizes = [1 << (cells.DEEPEST + 1 - cell.bit_length()) for cell in made.parts]
    assert sum(sizes) == 1 << cells.DEEPEST
    assert sorted(p.store_id for inside in made.parts.values() for p in inside) == sorted(
        p.store_id for p in made.places
    )
    for cell, inside in made.parts.items():
        assert len(inside) <= leaf or cell.bit_length() > cells.DEEPEST
        for place in inside:
            assert cells.covering(cells.deepest(cells.position(place)), made.parts) == cell
    cell = cells.covering(cells.deepest(at), made.parts)
    west, south, east, north = cells.edges(cell)
    off = 1e-9  # degrees: what a float does not tell apart
    assert west - off <= at.longitude <= east + off and south - off <= at.latitude <= north + off
    box, (x, y, z) = cells.box_of(cell), geo.point(at)
    assert box[0] <= x <= box[3] and box[1] <= y <= box[4] and box[2] <= z <= box[5]


def test_a_search_asks_for_few_cells() -> None:
    chance = random.Random(5)
    made = World(cities(chance, 2000))
    for place in made.places[:200]:
        made.asked.clear()
        next(made.nearest(cells.position(place)))
        assert len(made.asked) <= 12 < len(made.parts)
    assert next(World([]).nearest(Position(0, 0)), None) is None
