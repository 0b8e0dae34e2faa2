"""How many contact ways there are at WeCom: a corp has 500,000 in all, join ways included.

An exact count, kept in the very transaction that makes or removes a way's row; in shards, since
many are made at once. A row whose making is under way counts.
"""

from chalicelib.livecodes.models import ContactWayItem
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
        super().__init__(
            f"all {LIMIT:,} contact ways of the corp are used up: archive live codes that are no longer used"
        )


def add(tx: Transaction, kind: str, key: str, ways: int) -> None:
    """Count ways made (1) or deleted (-1), as `usage` of the transaction. `key`: the way's state or id."""
    item = ContactWayItem(_name(kind, ids.shard(key, _SHARDS)))
    tx.update("usage", item, [ContactWayItem.ways.add(ways)])


def current() -> dict[str, int]:
    """Ways there are, by kind: staff (one guide each), native, group (join ways)."""
    names = {_name(kind, shard): kind for kind in KINDS for shard in range(_SHARDS)}
    found = dict.fromkeys(KINDS, 0)
    for row in ContactWayItem.batch_get(list(names), consistent_read=True):
        found[names[row.state]] += int(row.ways)
    return found


def watch() -> None:
    """Say when nearly all are used up."""
    in_use = sum(current().values())
    if in_use * 100 >= LIMIT * NEARLY:
        log.logger.warning("contact ways nearly used up", extra={"in_use": in_use, "limit": LIMIT})
        log.measure("ContactWaysInUse", in_use, "Count")


def _name(kind: str, shard: int) -> str:
    return f"#{kind}#{shard}"
