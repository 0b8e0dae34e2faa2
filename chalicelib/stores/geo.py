"""Positions on the Earth, pure: the two datums, places in space, distances.

WGS-84 is what GPS and browsers tell. GCJ-02 is what Chinese maps and WeChat tell: WGS-84 moved by a
known function, 100 to 700 m, on the Chinese mainland. The other direction has no formula; a few rounds
of "what would have become this?" come to less than a millimetre.

The nearest is found by straight lines in space (earth-centred coordinates on the ellipsoid), which
know no poles, no date line and no cell edges. A line is shorter than the way over the surface by
s²/24R² of it (0.0003 % at 50 km), the same in all directions, so the order is that of the geodesics.
"""

from collections.abc import Sequence
from math import asin, atan, atan2, cos, degrees, dist, inf, isfinite, radians, sin, sqrt, tan
from typing import NamedTuple

# WGS-84 (NIMA TR8350.2): half axes in metres, flattening, eccentricity squared.
EQUATOR = 6378137.0
FLATTENING = 1 / 298.257223563
POLE = EQUATOR * (1 - FLATTENING)
_E2 = FLATTENING * (2 - FLATTENING)
# GCJ-02's own ellipsoid (Krasovsky 1940), as all published forms of the formula have it.
_GCJ_A, _GCJ_E2 = 6378245.0, 0.00669342162296594323
_ROUNDS = 8
_ENOUGH = 1e-9  # degrees: 0.1 mm

# Where the shift is applied, as map SDKs have it: west, south, east, north. A single rectangle round
# China has half of its neighbours in it.
_INSIDE = (
    (79.4462, 42.8899, 96.33, 49.2204),
    (109.6872, 39.3742, 135.0002, 54.1415),
    (73.1246, 29.5297, 124.143255, 42.8899),
    (82.9684, 26.7186, 97.0352, 29.5297),
    (97.0253, 20.414096, 124.367395, 29.5297),
    (107.975793, 17.871542, 111.744104, 20.414096),
)
_OUTSIDE = (
    (119.921265, 21.785006, 122.497559, 25.398623),  # Taiwan
    (101.8652, 20.0988, 106.665, 22.284),  # Laos, Vietnam
    (106.4525, 20.4878, 108.051, 21.5422),  # the Gulf of Tonkin
    (109.0323, 50.3257, 119.127, 55.8175),  # Siberia
    (127.4568, 49.5574, 137.0227, 55.8175),  # the Amur's other bank
    (131.2662, 42.5692, 137.0227, 44.8922),  # Primorye
    (73.1246, 29.5297, 77.948114, 35.398637),  # Kashmir, Punjab
)


class Position(NamedTuple):
    """Degrees north and east, WGS-84 unless said otherwise."""

    latitude: float
    longitude: float


Point = tuple[float, float, float]  # metres from the Earth's centre: towards 0°E, 90°E, north


def wgs84(latitude: float, longitude: float, datum: str) -> Position:
    """A position given in `datum` ("gcj02" or "wgs84") as WGS-84."""
    if datum == "wgs84":
        return Position(latitude, longitude)
    guess = Position(latitude, longitude)
    for _ in range(_ROUNDS):
        shift = _shift(guess)
        better = Position(latitude - shift.latitude, longitude - shift.longitude)
        moved = max(abs(better.latitude - guess.latitude), abs(better.longitude - guess.longitude))
        guess = better
        if moved < _ENOUGH:
            break
    return guess


def gcj02(position: Position) -> Position:
    """A WGS-84 position as Chinese maps show it."""
    shift = _shift(position)
    return Position(position.latitude + shift.latitude, position.longitude + shift.longitude)


def on_mainland(position: Position) -> bool:
    """Whether GCJ-02 differs from WGS-84 there."""
    latitude, longitude = position

    def within(box: tuple[float, float, float, float]) -> bool:
        return box[0] <= longitude <= box[2] and box[1] <= latitude <= box[3]

    return any(map(within, _INSIDE)) and not any(map(within, _OUTSIDE))


def _shift(position: Position) -> Position:
    """By how much GCJ-02 moves a WGS-84 position. The formula: github.com/googollee/eviltransform."""
    if not on_mainland(position):
        return Position(0.0, 0.0)
    x, y, pi = position.longitude - 105, position.latitude - 35, radians(180)
    common = (20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + common
    north += (20 * sin(y * pi) + 40 * sin(y / 3 * pi)) * 2 / 3
    north += (160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + common
    east += (20 * sin(x * pi) + 40 * sin(x / 3 * pi)) * 2 / 3
    east += (150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)) * 2 / 3
    phi = radians(position.latitude)
    bend = 1 - _GCJ_E2 * sin(phi) ** 2
    return Position(
        degrees(north / (_GCJ_A * (1 - _GCJ_E2) / (bend * sqrt(bend)))),
        degrees(east / (_GCJ_A / sqrt(bend) * cos(phi))),
    )


def point(position: Position) -> Point:
    """Where the position is in space, on the ellipsoid."""
    phi, lam = radians(position.latitude), radians(position.longitude)
    upright = EQUATOR / sqrt(1 - _E2 * sin(phi) ** 2)
    axis = upright * cos(phi)
    return axis * cos(lam), axis * sin(lam), upright * (1 - _E2) * sin(phi)


def distance_m(one: Position, other: Position) -> float:
    """Metres over the surface of the ellipsoid, to 0.001 % up to some thousand km, 0.2 % at antipodes.

    Lambert's formula for long lines (Paul D. Thomas, "Spheroidal geodesics", 1970): a great circle
    over reduced latitudes, and what flattening makes of it. A sphere of any size errs by 0.5 %.
    """
    first, second = (atan((1 - FLATTENING) * tan(radians(p.latitude))) for p in (one, other))
    middle, half = (first + second) / 2, (second - first) / 2
    turn = radians(other.longitude - one.longitude) / 2
    chord = sin(half) ** 2 + cos(first) * cos(second) * sin(turn) ** 2
    if chord < 1e-24:
        return 0.0
    chord = min(chord, 1.0)
    angle = 2 * asin(sqrt(chord)) if chord < 0.5 else 2 * atan2(sqrt(chord), sqrt(1 - chord))
    rest = max(1 - chord, 1e-24)
    # Either quotient is at most 1, but for rounding near antipodes.
    far = (angle - sin(angle)) * min((sin(middle) * cos(half)) ** 2 / rest, 1.0)
    near = (angle + sin(angle)) * min((cos(middle) * sin(half)) ** 2 / chord, 1.0)
    return EQUATOR * (angle - FLATTENING / 2 * (far + near))


def nearest_m(positions: Sequence[Position]) -> list[float | None]:
    """How far each is from the nearest other one, in a straight line; None for the only one.

    From each towards both poles, until the way north or south alone is longer than the nearest so far.
    """
    points = sorted((point(at)[::-1], n) for n, at in enumerate(positions))
    found: list[float | None] = [None] * len(positions)
    for at, (here, n) in enumerate(points):
        best = inf
        for others in (range(at + 1, len(points)), range(at - 1, -1, -1)):
            for other in others:
                there = points[other][0]
                if abs(there[0] - here[0]) > best:
                    break
                best = min(best, dist(here, there))
        found[n] = best if isfinite(best) else None
    return found
