"""Datums and distances, against what others published and an independent library."""

import math
import random

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.stores import geo
from chalicelib.stores.geo import Position

# WGS-84, and the same spots as Chinese maps show them: github.com/googollee/eviltransform's tests.
PAIRS = [
    (Position(31.1774276, 121.5272106), Position(31.17530398364597, 121.531541859215)),  # Shanghai
    (Position(22.543847, 113.912316), Position(22.540796131694766, 113.9171764808363)),  # Shenzhen
    (Position(39.911954, 116.377817), Position(39.91334545536069, 116.38404722455657)),  # Beijing
]
ABROAD = {
    "Seoul": Position(37.5665, 126.978),
    "Tokyo": Position(35.6762, 139.6503),
    "Hanoi": Position(21.0278, 105.8342),
    "Taipei": Position(25.033, 121.5654),
    "Singapore": Position(1.3521, 103.8198),
    "Delhi": Position(28.6139, 77.209),
    "Lahore": Position(31.5204, 74.3587),
    "Vladivostok": Position(43.1155, 131.8855),
    "Bangkok": Position(13.7563, 100.5018),
    "the Pole": Position(90.0, 0.0),
    "Denver": Position(39.7392, -104.9903),
}
LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


@pytest.mark.parametrize(("gps", "shown"), PAIRS, ids=("shanghai", "shenzhen", "beijing"))
def test_the_published_pairs(gps: Position, shown: Position) -> None:
    assert geo.distance_m(geo.gcj02(gps), shown) < 0.02
    assert geo.distance_m(geo.wgs84(*shown, "gcj02"), gps) < 0.02
    assert geo.distance_m(gps, shown) > 400  # what mixing them up costs
    assert geo.wgs84(*shown, "wgs84") == shown


@pytest.mark.parametrize("name", ABROAD)
def test_abroad_nothing_is_moved(name: str) -> None:
    assert geo.gcj02(ABROAD[name]) == ABROAD[name] == geo.wgs84(*ABROAD[name], "gcj02")


@given(st.floats(18.2, 53.5), st.floats(73.5, 134.9))
@example(39.0, 105.0)
def test_there_and_back_is_within_a_metre(latitude: float, longitude: float) -> None:
    gps = Position(latitude, longitude)
    edges = [
        Position(latitude + north, longitude + east) for north in (-0.02, 0.02) for east in (-0.02, 0.02)
    ]
    if len({geo.on_mainland(spot) for spot in (gps, *edges)}) > 1:
        return  # on the border the shift begins: two spots are shown as one
    assert geo.distance_m(geo.wgs84(*geo.gcj02(gps), "gcj02"), gps) < 1


def test_distances_are_those_of_the_ellipsoid() -> None:
    """Under 0.5 % off wherever; under 0.001 % where stores are looked for."""
    chance = random.Random(7)
    for number in range(6000):
        a = Position(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180))
        b = Position(math.degrees(math.asin(chance.uniform(-1, 1))), chance.uniform(-180, 180))
        if number % 3 == 1:  # neighbours, by metres and by hundreds of km
            spread = 10 ** chance.uniform(-5, 0.5)
            north, east = chance.gauss(0, spread), chance.gauss(0, spread)
            b = Position(max(-90, min(90, a.latitude + north)), a.longitude + east)
        elif number % 3 == 2:  # the other end of the world
            b = Position(-a.latitude, a.longitude + 180 + chance.gauss(0, 0.5))
        true = Geodesic.WGS84.Inverse(*a, *b)["s12"]
        allowed = 5e-3 if true > 15e6 else 1e-4 if true > 1e6 else 1e-5
        assert geo.distance_m(a, b) == pytest.approx(true, rel=allowed, abs=1e-3), (a, b)


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        # Vincenty's own example as it is taught: Flinders Peak to Buninyong (GDA, Intergovernmental Committee).
        (Position(-37.95103341666667, 144.42486788888888), Position(-37.65282113888889, 143.92649552777777), 54972.271),
        (Position(0, 0), Position(0, 90), 10018754.171),
        (Position(0, 0), Position(90, 0), 10001965.729),
    ],
    ids=("flinders", "equator", "meridian"),
)  # fmt: skip
def test_published_distances(a: Position, b: Position, metres: float) -> None:
    assert geo.distance_m(a, b) == pytest.approx(metres, rel=1e-4)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
@example(0.0, 0.0, 0.0, 180.0)
@example(90.0, 0.0, -90.0, 77.0)
@example(5e-324, 0.0, -5e-324, 180.0)
@example(1e-6, 0.0, 0.0, 180.0)
def test_a_distance_is_one(north: float, east: float, south: float, west: float) -> None:
    a, b = Position(north, east), Position(south, west)
    there, back = geo.distance_m(a, b), geo.distance_m(b, a)
    assert 0 <= there <= 20_040_000
    assert there == pytest.approx(back, rel=1e-6, abs=0.01)
    assert geo.distance_m(a, a) == 0
    assert math.dist(geo.point(a), geo.point(b)) <= there * 1.002 + 1
