"""How fast a code is scanned, as one process sees it, and into how many items its counters go then.

A ticket counts the scans of all processes: two of them, a second or more apart, tell the rate without
anything being read. docs/load.md has the calculation behind these figures.
"""

import math
from datetime import datetime, timedelta

TICKET_RATE = 400  # scans/s of a code up to which one ticket item serves: DynamoDB gives a key 1,000 writes/s
TICKET_SHARD_RATE = 200  # aimed at for each ticket item then
PLACE_RATE = 10  # scans/s of a member up to which one counter serves: transactions on one item collide
PLACE_SHARD_RATE = 5  # aimed at for each shard then
MAX_SHARDS = 64
BLOCK_SECONDS = 10  # how long a shard's block of places is to last
_WINDOW = timedelta(seconds=1)
_FORGET = timedelta(seconds=10)
_KEPT = 10_000
# live code, or a store in it: {ticket item: (since, its ticket then, scans/s before that)}
_seen: dict[str, dict[int, tuple[datetime, int, float]]] = {}


def note_scan(scanned: str, item: int, ticket: int, now: datetime) -> None:
    """A scan of a code (`scanned`: its id), or of a store in it, got this ticket of that ticket item."""
    if scanned not in _seen and len(_seen) >= _KEPT:
        _seen.clear()
    items = _seen.setdefault(scanned, {})
    since, first, rate = items.get(item, (now, ticket, 0.0))
    if now - since >= _WINDOW:
        since, first, rate = now, ticket, max(0, ticket - first) / (now - since).total_seconds()
    items[item] = since, first, rate


def per_second(scanned: str, now: datetime) -> float:
    """Scans a second; 0 while nothing is known."""
    items = _seen.get(scanned, {})
    return sum(rate for since, _, rate in list(items.values()) if now - since < _FORGET)


def ticket_items(rate: float) -> int:
    """How many ticket items there should be beside the first; 0: it serves alone."""
    return 0 if rate <= TICKET_RATE else min(MAX_SHARDS, math.ceil(rate / TICKET_SHARD_RATE))


def shards(rate: float) -> int:
    """Into how many shards the counters of a member with so many scans a second go; 0: none."""
    return 0 if rate <= PLACE_RATE else min(MAX_SHARDS, math.ceil(rate / PLACE_SHARD_RATE))


def groups_side_by_side(rate: float) -> int:
    """How many groups of a line fill side by side: a group's counter is one item, and can't be sharded."""
    return max(1, shards(rate))


def block_size(rate: float, count: int) -> int:
    """How many places a shard, one of `count`, gets at a time."""
    return max(1, math.ceil(rate / count * BLOCK_SECONDS))
