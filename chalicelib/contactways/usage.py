"""How many contact ways there are at WeCom: a corp has 500,000 in all, join ways included.

An exact count, kept in the very transaction that makes or removes a way's row; in shards, since
many are made at once. A row whose making is under way counts.
"""

from chalicelib.contactways.models import ContactWayItem
from chalicelib.contactways.types import WaysInUse
from chalicelib.platform import ids, log
from chalicelib.platform.errors import Exhausted
from chalicelib.platform.storage import Transaction

LIMIT = 500_000
NEARLY = 90  # percent, from which on it is said
KINDS = ("staff", "native", "group")
_SHARDS = 8


class UsedUp(Exhausted):
    """WeCom makes no more contact ways (41045): the ones there are go on working."""

    errcode = 41045

    def __init__(self) -> None:
        super().__init__(code="contact_ways_used_up", limit=f"{LIMIT:,}")


def count(tx: Transaction, kind: str, key: str, ways: int) -> None:
    """Count ways made (1) or deleted (-1), as `usage` of the transaction. `key`: the way's state or id."""
    item = ContactWayItem(_name(kind, ids.shard(key, _SHARDS)))
    tx.update("usage", item, [ContactWayItem.ways.add(ways)])


def count_by_kind() -> dict[str, int]:
    """Ways there are, by kind: staff (one guide each), native, group (join ways)."""
    names = {_name(kind, shard): kind for kind in KINDS for shard in range(_SHARDS)}
    counts = dict.fromkeys(KINDS, 0)
    for row in ContactWayItem.batch_get(list(names), consistent_read=True):
        counts[names[row.state]] += int(row.ways)
    return counts


def warn_when_nearly_used_up() -> None:
    in_use = sum(count_by_kind().values())
    if in_use * 100 >= LIMIT * NEARLY:
        log.logger.warning("contact ways nearly used up", extra={"in_use": in_use, "limit": LIMIT})
        log.measure("ContactWaysInUse", in_use, "Count")


def in_use() -> WaysInUse:
    by_kind = count_by_kind()
    total = sum(by_kind.values())
    return WaysInUse(in_use=total, limit=LIMIT, left=max(0, LIMIT - total), by_kind=by_kind)


def _name(kind: str, shard: int) -> str:
    return f"#{kind}#{shard}"
