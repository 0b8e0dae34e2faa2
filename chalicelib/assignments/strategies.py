"""How one member is chosen of several: round_robin, weighted, random, least_loaded; pure."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import gcd

from chalicelib.livecodes.rules import Member


def choose(
    strategy: str, pool: Sequence[Member], ticket: int, loads: Mapping[str, int], chance: float
) -> Member:
    """loads: places taken today, by staff id. chance: a random number in [0, 1)."""
    if strategy == "weighted":
        return weighted(pool, ticket)
    if strategy == "random":
        return pool[int(chance * len(pool))]
    if strategy == "least_loaded":
        return least_loaded(pool, ticket, loads)
    return round_robin(pool, ticket)


def round_robin(pool: Sequence[Member], ticket: int) -> Member:
    return pool[(ticket - 1) % len(pool)]


def weighted(pool: Sequence[Member], ticket: int) -> Member:
    cycle = _weighted_cycle(tuple(m.weight for m in pool))
    return pool[cycle[(ticket - 1) % len(cycle)]]


def least_loaded(pool: Sequence[Member], ticket: int, loads: Mapping[str, int]) -> Member:
    """Among equals the ticket decides, so that scans of one moment don't all go to the first."""
    rotated = [pool[(ticket + i) % len(pool)] for i in range(len(pool))]
    return min(rotated, key=lambda m: loads.get(m.staff_id, 0))


@lru_cache(maxsize=64)
def _weighted_cycle(weights: tuple[int, ...]) -> list[int]:
    """One cycle in which index i has weights[i] turns, evenly spread.

    The k-th of w turns stands at (2k + 1) / 2w of the cycle.
    """
    common = gcd(*weights)
    spread = [
        ((2 * k + 1) / (w // common), index) for index, w in enumerate(weights) for k in range(w // common)
    ]
    return [index for _, index in sorted(spread)]
