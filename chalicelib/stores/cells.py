"""The index over stores, pure: cells of the Earth's surface, and a search that looks at few of them.

A cell is a geohash in bits: the Earth cut in halves, east and west, north and south, in turn. `1` and
the bits of the halves, as a number: 1 is the whole Earth, its halves are 2 and 3. A cell that holds
more than LEAF stores is cut; those that are not cut cover the Earth, each spot once.

The search takes cells, boxes within cells and stores alike by the least distance that anything in them
can have, and gives a store only when nothing nearer can be left: always the nearest, next nearest, …
"""

import heapq
from collections.abc import Callable, Container, Iterable, Iterator
from math import cos, inf, radians, sin, sqrt

from chalicelib.stores.geo import EQUATOR, Point, Position, point
from chalicelib.stores.types import Place

LEAF = 512  # stores in a cell
EARTH = 1
DEEPEST = 60  # halvings: 4 cm
_SIDE = 1 << 30
_BUCKET = 8
_ROUNDING = 1.0  # metres by which a cell's box is wider than the cell

Box = tuple[float, float, float, float, float, float]  # x, y, z from; x, y, z to


class Node:
    """A box in space: of two others, of a few stores, or of a cell whose stores are not at hand."""

    __slots__ = ("box", "cell", "halves", "places")

    def __init__(
        self,
        box: Box,
        halves: "tuple[Node, Node] | None" = None,
        places: tuple[tuple[Point, Place], ...] = (),
        cell: int | None = None,
    ):
        self.box, self.halves, self.places, self.cell = box, halves, places, cell


Load = Callable[[list[int]], dict[int, Node | None]]  # cells → their stores as trees; None: none there


def position(place: Place) -> Position:
    return Position(place.latitude, place.longitude)


def deepest(at: Position) -> int:
    """The smallest cell that the position is in."""
    x = min(int((at.longitude + 180) / 360 * _SIDE), _SIDE - 1)
    y = min(int((at.latitude + 90) / 180 * _SIDE), _SIDE - 1)
    cell = EARTH
    for bit in range(29, -1, -1):
        cell = cell << 2 | (x >> bit & 1) << 1 | (y >> bit & 1)
    return cell


def covering(cell: int, cells: Container[int]) -> int:
    """Which of the cells (that cover the Earth) this one is in. KeyError when they do not."""
    while cell:
        if cell in cells:
            return cell
        cell >>= 1
    raise KeyError("the cells do not cover the Earth")


def cut(cell: int, places: Iterable[Place], leaf: int = LEAF) -> dict[int, list[Place]]:
    """The cell itself, or as many parts of it as none has more than `leaf` stores; empty ones too."""
    return _cut(cell, [(deepest(position(place)), place) for place in places], leaf)


def _cut(cell: int, spots: list[tuple[int, Place]], leaf: int) -> dict[int, list[Place]]:
    left = DEEPEST + 1 - cell.bit_length()  # halvings that are left
    if len(spots) <= leaf or left <= 0:
        return {cell: [place for _, place in spots]}
    halves: tuple[list[tuple[int, Place]], list[tuple[int, Place]]] = ([], [])
    for spot in spots:
        halves[spot[0] >> (left - 1) & 1].append(spot)
    return {**_cut(cell << 1, halves[0], leaf), **_cut(cell << 1 | 1, halves[1], leaf)}


def edges(cell: int) -> tuple[float, float, float, float]:
    """West, south, east, north, in degrees."""
    west, south, east, north = -180.0, -90.0, 180.0, 90.0
    for level in range(cell.bit_length() - 2, -1, -1):
        upper, eastwards = cell >> level & 1, (cell.bit_length() - level) % 2 == 0
        if eastwards:
            middle = (west + east) / 2
            west, east = (middle, east) if upper else (west, middle)
        else:
            middle = (south + north) / 2
            south, north = (middle, north) if upper else (south, middle)
    return west, south, east, north


def box_of(cell: int) -> Box:
    """A box in space that holds the cell's part of the surface."""
    west, south, east, north = edges(cell)
    low, high = (point(Position(latitude, 0)) for latitude in (south, north))
    axes = [low[0], high[0]] + ([EQUATOR] if south <= 0 <= north else [])
    spans = []
    for turn, tops in ((cos, (0, -180, 180)), (sin, (90, -90))):
        values = [turn(radians(lon)) for lon in (west, east, *(t for t in tops if west <= t <= east))]
        reach = [axis * value for axis in (min(axes), max(axes)) for value in (min(values), max(values))]
        spans.append((min(reach) - _ROUNDING, max(reach) + _ROUNDING))
    (x0, x1), (y0, y1) = spans
    return x0, y0, low[2] - _ROUNDING, x1, y1, high[2] + _ROUNDING


def tree(places: Iterable[Place]) -> Node | None:
    """Stores, ready to be searched."""
    return _places_tree([(point(position(place)), place) for place in places])


def forest(cells: Iterable[int]) -> Node | None:
    """Cells, ready to be searched."""
    return _cells_tree([Node(box_of(cell), cell=cell) for cell in cells])


def nearest(
    root: Node | None, at: Position, load: Load, within: float = inf
) -> Iterator[tuple[float, Place]]:
    """(metres in a straight line, store) by distance, up to `within` metres.

    load: asked for the first of its cells when that may hold the next store; the others may be needed
    after it.
    """
    x, y, z = point(at)
    limit = within * within
    # By the least square of the distance; `order` keeps what is equally far from being compared.
    heap: list[tuple[float, int, Node | Place]] = []
    order = 0
    if root is not None:
        heapq.heappush(heap, (_least(root.box, x, y, z), order, root))
    while heap:
        square, _, nearest_part = heapq.heappop(heap)
        if square > limit:
            return
        if not isinstance(nearest_part, Node):
            yield sqrt(square), nearest_part
            continue
        node: Node | None = nearest_part
        if nearest_part.cell is not None:
            node = load([nearest_part.cell, *_waiting(heap, limit)])[nearest_part.cell]
        if node is None:
            continue
        if node.halves is not None:
            for half in node.halves:
                order += 1
                heapq.heappush(heap, (_least(half.box, x, y, z), order, half))
        for (px, py, pz), place in node.places:
            order += 1
            dx, dy, dz = px - x, py - y, pz - z
            heapq.heappush(heap, (dx * dx + dy * dy + dz * dz, order, place))


def _waiting(heap: list[tuple[float, int, Node | Place]], limit: float) -> list[int]:
    """Cells that are next but for one: fetched along with it, they cost no way of their own."""
    cells = [(square, node.cell) for square, _, node in heap if isinstance(node, Node) and node.cell]
    return [cell for square, cell in sorted(cells)[:2] if square <= limit]


def _least(box: Box, x: float, y: float, z: float) -> float:
    """The square of the least distance from a point to a box."""
    dx = box[0] - x if x < box[0] else x - box[3] if x > box[3] else 0.0
    dy = box[1] - y if y < box[1] else y - box[4] if y > box[4] else 0.0
    dz = box[2] - z if z < box[2] else z - box[5] if z > box[5] else 0.0
    return dx * dx + dy * dy + dz * dz


def _places_tree(spots: list[tuple[Point, Place]]) -> Node | None:
    if not spots:
        return None
    xs, ys, zs = zip(*(spot for spot, _ in spots), strict=True)
    box = (min(xs), min(ys), min(zs), max(xs), max(ys), max(zs))
    if len(spots) <= _BUCKET:
        return Node(box, places=tuple(spots))
    axis = _widest(box)
    spots.sort(key=lambda pair: pair[0][axis])
    half = len(spots) // 2
    lower, upper = _places_tree(spots[:half]), _places_tree(spots[half:])
    assert lower is not None and upper is not None
    return Node(box, (lower, upper))


def _cells_tree(nodes: list[Node]) -> Node | None:
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    low = [min(node.box[axis] for node in nodes) for axis in range(3)]
    high = [max(node.box[axis] for node in nodes) for axis in range(3, 6)]
    box = (low[0], low[1], low[2], high[0], high[1], high[2])
    axis = _widest(box)
    nodes.sort(key=lambda node: node.box[axis] + node.box[axis + 3])
    half = len(nodes) // 2
    lower, upper = _cells_tree(nodes[:half]), _cells_tree(nodes[half:])
    assert lower is not None and upper is not None
    return Node(box, (lower, upper))


def _widest(box: Box) -> int:
    sides = [box[axis + 3] - box[axis] for axis in range(3)]
    return sides.index(max(sides))
