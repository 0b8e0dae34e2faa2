"""daily_cap and total_cap under concurrency: a counter of places taken for each member, or shards of it.

A counter is (member's key, period). While scans come slowly a place is taken from the counter itself,
under its cap. When they come fast, the counter gives blocks of places to shards (`fill_shard`), and a scan
takes one from a shard at random, under that shard's quota. The counter's `taken` has the quotas in it,
so that both ways go together at any time and no cap is ever overshot: a place is taken from a quota
that the cap has let out, or under the cap. A shard's quota counts only while the cap is the one under
which it was let out; under another it first goes back.
No place is left lying in a shard: when the counter is exhausted, all shards are looked at before a
member is full, in either mode. A place given back goes where it came from.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from chalicelib.assignments.models import TOTAL, PlaceItem
from chalicelib.platform import storage
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.userids import fold

Key = tuple[str, str]  # a member's key and a period
_NO_CAP = -1


class Shard(Struct, frozen=True):
    taken: int
    quota: int
    cap: int

    @property
    def unused(self) -> int:
        return max(0, self.quota - self.taken)


class Standing(Struct, frozen=True):
    """A counter and its shards. `given`: places taken from it or let out to shards."""

    given: int
    shards: dict[int, Shard]
    slots: tuple[str | None, ...]

    @property
    def taken(self) -> int:
        """Places that are in use."""
        return self.given - sum(shard.unused for shard in self.shards.values())

    def free_shard(self, cap: int | None) -> int | None:
        """Where there is a place: 0, the counter itself, or a shard; None: it is full."""
        if cap is None or self.given < cap:
            return 0
        if self.taken >= cap:
            return None
        return next((number for number, shard in self.shards.items() if shard.unused), None)


NOTHING = Standing(0, {}, (None,) * 5)


def read(keys: Sequence[Key]) -> dict[Key, Standing]:
    """The counters there are, with their shards: 100 items a request, and for shards one more."""
    rows = {(row.member, row.period): row for row in PlaceItem.batch_get(list(keys), consistent_read=True)}
    numbers = {
        (_key(key[0], n), key[1]): (key, n) for key, row in rows.items() for n in range(1, _shards(row) + 1)
    }
    shards: dict[Key, dict[int, Shard]] = {key: {} for key in rows}
    if numbers:
        for row in PlaceItem.batch_get(list(numbers), consistent_read=True):
            key, number = numbers[row.member, row.period]
            shards[key][number] = _shard(row)
    return {key: Standing(int(row.taken), shards[key], _slots(row)) for key, row in rows.items()}


def take(
    tx: Transaction,
    name: str,
    key: Key,
    cap: int | None,
    number: int = 0,
    actions: Sequence[Any] = (),
    condition: Any = None,
) -> None:
    """Take a place from the counter (number 0) under its cap, or from a shard under its quota.

    actions, condition: what else happens to that item.
    """
    room = None
    if number:
        room = (PlaceItem.taken < PlaceItem.quota) & (PlaceItem.cap == _stored(cap))
    elif cap is not None:
        room = PlaceItem.taken < cap
        if cap > 0:  # a counter that there is not yet has nobody in it
            room = PlaceItem.taken.does_not_exist() | room
    if condition is not None:
        room = condition if room is None else room & condition
    item = PlaceItem(_key(key[0], number), key[1])
    marks = [] if number else _mark_guide(key)
    tx.update(name, item, [PlaceItem.taken.add(1), *marks, *actions], room)


def give_back(tx: Transaction, name: str, key: Key, number: int = 0) -> None:
    """Give a place back to where it was taken."""
    tx.update(name, PlaceItem(_key(key[0], number), key[1]), [PlaceItem.taken.add(-1)])


def empty(tx: Transaction, key: Key, standing: Standing) -> None:
    """Add that nothing is taken from the counter and its shards; fails when that has changed."""
    tx.update("counter", PlaceItem(*key), [PlaceItem.taken.set(0)], PlaceItem.taken == standing.given)
    for number, shard in standing.shards.items():
        seen = (PlaceItem.taken == shard.taken) & (PlaceItem.quota == shard.quota)
        nothing = [PlaceItem.taken.set(0), PlaceItem.quota.set(0)]
        tx.update(f"shard {number}", PlaceItem(_key(key[0], number), key[1]), nothing, seen)


def fill_shard(key: Key, cap: int | None, number: int, count: int, block: int) -> bool:
    """Have a place in a shard, one of `count`: a block from the counter, less when little is left.

    False: the counter has none left to let out (or others are at it all the time).
    """
    try:
        return _fill(key, cap, number, count, block)
    except Busy:
        return False


@storage.retrying("others keep filling this shard", attempts=3)
def _fill(key: Key, cap: int | None, number: int, count: int, block: int) -> bool:
    keys = [key, (_key(key[0], number), key[1])]
    rows = {row.member: row for row in PlaceItem.batch_get(keys, consistent_read=True)}
    main, row = rows.get(key[0]), rows.get(keys[1][0])
    shard = _shard(row) if row else Shard(0, 0, _stored(cap))
    fits = shard.cap == _stored(cap)
    if fits and shard.unused:
        return True
    new = block
    if cap is not None:
        # The last places go out in small blocks, or one shard would have them while others look.
        left = cap - int(main.taken if main else 0) + shard.unused
        new = max(0, min(block, max(1, left // (2 * count)), left))
    if not new and not shard.unused:
        return False
    tx = Transaction()
    _let_out(tx, key, cap, new - shard.unused, main, count)
    seen = PlaceItem.taken.does_not_exist()
    if row is not None:
        seen = (PlaceItem.taken == shard.taken) & (PlaceItem.quota == shard.quota)
    quota = [PlaceItem.quota.set(shard.taken + new), PlaceItem.cap.set(_stored(cap))]
    tx.update("shard", PlaceItem(keys[1][0], key[1]), [PlaceItem.taken.set(shard.taken), *quota], seen)
    tx.commit()
    if not new:  # the quota went back: look whether another shard's has come free
        raise ConditionFailed({"counter"})
    return True


def _let_out(
    tx: Transaction, key: Key, cap: int | None, places: int, main: PlaceItem | None, count: int
) -> None:
    """Let so many out of the counter, or take them back (fewer than 0), and note how many shards it has."""
    actions: list[Any] = [PlaceItem.taken.add(places), *_mark_guide(key)]
    conditions: list[Any] = []
    if cap is not None and places > 0:
        conditions.append(PlaceItem.taken.does_not_exist() | (PlaceItem.taken <= cap - places))
    if main is None or _shards(main) < count:
        actions.append(PlaceItem.shards.set(count))
        conditions.append(PlaceItem.shards.does_not_exist() | (PlaceItem.shards < count))
    condition = None
    for part in conditions:
        condition = part if condition is None else condition & part
    tx.update("counter", PlaceItem(*key), actions, condition)


def _mark_guide(key: Key) -> list[Any]:
    """What puts a member's counter of all places into the index of the guide's codes."""
    member, period = key
    return [PlaceItem.staff_id.set(fold(member.rpartition("#")[2]))] if period == TOTAL else []


def _key(member: str, number: int) -> str:
    """A shard has a hash key of its own: what DynamoDB limits is the writes of one key."""
    return f"{member}#{number}" if number else member


def _stored(cap: int | None) -> int:
    return _NO_CAP if cap is None else cap


def _shards(row: PlaceItem) -> int:
    return int(row.shards or 0)


def _shard(row: PlaceItem) -> Shard:
    return Shard(int(row.taken), int(row.quota or 0), int(row.cap if row.cap is not None else _NO_CAP))


def _slots(row: PlaceItem) -> tuple[str | None, ...]:
    return (row.slot0, row.slot1, row.slot2, row.slot3, row.slot4)
