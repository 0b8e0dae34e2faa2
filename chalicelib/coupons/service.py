"""Pools of coupon codes: loaded, and given out one to a person.

A claim is three requests: the person's claim with all heads (first), the code at the chosen lane's head
(second), and a transaction (third) that moves the head on from where it was read and writes the claim
if the person has none. So no code goes to two people, nobody gets two, none is lost when a process dies,
and none is given that is not there. Asking again is one request. Codes go into no log and no line of the
timeline. Two people, one lane:

| claim A                           | claim B                                   |
|-----------------------------------|-------------------------------------------|
| reads the head at 7               | reads the head at 7                       |
| head 7 → 8, A has code 7: written |                                           |
|                                   | head 7 → 8: refused, nothing is written   |
|                                   | reads the head at 8 and begins again      |
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.coupons import models, rules
from chalicelib.coupons.models import POOL, CouponItem
from chalicelib.coupons.types import NewPool, Pool, PoolClaim, PoolsQuery, Upload
from chalicelib.platform import audit, clock, ids, lists, log, storage, timeline, validation
from chalicelib.platform.errors import Invalid, NotFound, Upstream, issue
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.tables import reading

_LISTED = "coupon_pool"
_MAX_ISSUES = 100
_BUSY = "the pool is busy: try again"

Heads = Mapping[int, tuple[int, int]]  # lane → codes (loaded, given)


class Claim(Struct, frozen=True):
    """code: None when the pool has none (left), or is expired or unknown. new: given by this very call."""

    code: str | None
    new: bool = False


def create(name: str, expires_at: str | None) -> Pool:
    """A new pool without codes. Invalid."""
    until = validation.parse_future("expires_at", expires_at)
    item = CouponItem(
        f"cp_{ids.short(10)}",
        POOL,
        listing=_LISTED,
        created_at=clock.iso(clock.now()),
        name=name,
        expires_at=until,
        version=1,
    )
    tx = Transaction()
    tx.put("pool", item, CouponItem.pool.does_not_exist())
    audit.add(tx, "coupon_pools.create", item.pool, None, {"name": name, "expires_at": until})
    tx.commit()
    return _pool(item, {})


@storage.retrying("others keep changing this pool")
def change(pool_id: str, patch: Mapping[str, Any], if_match: IfMatch = ANY_VERSION) -> Pool:
    """Apply a JSON merge patch; the next claim knows. NotFound, Invalid, Stale."""
    item, heads, _ = _read_state(pool_id)
    if item is None:
        raise NotFound(code="no_such_coupon_pool", pool_id=pool_id)
    before = _pool(item, heads)
    if_match.check(before.version, lambda: before)
    fields = {"name": before.name, "expires_at": before.expires_at}
    wanted: NewPool = validation.convert(merged(fields, patch), NewPool)
    until = wanted.expires_at
    if until != before.expires_at:
        until = validation.parse_future("expires_at", until)
    expiry = CouponItem.expires_at.remove() if until is None else CouponItem.expires_at.set(until)
    actions = [CouponItem.name.set(wanted.name), expiry, CouponItem.version.set(before.version + 1)]
    unchanged = CouponItem.version == item.version if item.version else CouponItem.version.does_not_exist()
    tx = Transaction()
    tx.update("pool", CouponItem(pool_id, POOL), actions, unchanged)
    audit.add(tx, "coupon_pools.change", pool_id, fields, {"name": wanted.name, "expires_at": until})
    tx.commit()
    return replace(before, name=wanted.name, expires_at=until, version=before.version + 1)


def get(pool_id: str) -> Pool:
    """The pool with its figures. NotFound."""
    pool, heads, _ = _read_state(pool_id)
    if pool is None:
        raise NotFound(code="no_such_coupon_pool", pool_id=pool_id)
    return _pool(pool, heads)


def exists(pool_id: str) -> bool:
    return CouponItem.find(pool_id, POOL) is not None


def list_pools(query: PoolsQuery) -> Page[Pool]:
    """The brand's pools; the heads of those on the page are read, and of no others."""
    page = lists.whole(
        lists.partition(partial(CouponItem.by_creation.query, _LISTED)),
        query,
        key=lambda item: str(item.pool),
        sorts={"name": lambda item: item.name, "created_at": lambda item: item.created_at},
        sort=query.sort,
        texts=lambda item: (item.name, item.pool),
    )
    heads = _read_heads([item.pool for item in page.items])
    return page.map(lambda item: _pool(item, heads.get(item.pool, {})))


def list_claims(pool_id: str, query: Paging, principal: Principal = SYSTEM) -> Page[PoolClaim]:
    """Who has a code, newest first; masked for an auditor. NotFound."""
    if not exists(pool_id):
        raise NotFound(code="no_such_coupon_pool", pool_id=pool_id)
    newest = partial(CouponItem.by_claim.query, pool_id, scan_index_forward=False)
    return lists.history(newest, query).map(lambda row: _pool_claim(row, principal))


def load(pool_id: str, raw: bytes) -> Upload:
    """Add a file's codes. Twice, also cut in half, adds each once. Invalid (nothing was added), NotFound.

    They stand one a line, or in a table's first column, or in one that is named so. One transaction a lane:
    100,000 codes are eight. The first that adds any holds the audit's entry.
    """
    with reading.file_errors("codes"):
        codes, issues = rules.parse(reading.read(raw, rules.COLUMNS, needs_header=False))
    if issues:
        raise Invalid(*issues[:_MAX_ISSUES])
    if not codes:
        raise Invalid(issue("codes", "min_items", min_items=1))
    if len(codes) > rules.MAX_UPLOAD:
        raise Invalid(issue("codes", "max_items", max_items=rules.MAX_UPLOAD))
    lanes: dict[int, list[tuple[str, str]]] = {}
    for code in codes:
        digest = rules.digest(code)
        lanes.setdefault(rules.lane_of(digest), []).append((digest, code))
    room = rules.MAX_POOL - get(pool_id).loaded
    # An upload that was cut in half, or comes again, is there in part.
    if len(codes) > room and sum(len(_select_unknown(pool_id, *lane)) for lane in lanes.items()) > room:
        raise Invalid(issue("codes", "coupon_pool_full", maximum=rules.MAX_POOL))
    added = 0
    for lane, pairs in sorted(lanes.items()):
        added += _load_lane(pool_id, lane, pairs, audited_count=0 if added else len(codes))
    return Upload(received=len(codes), added=added, known=len(codes) - added)


@storage.retrying(_BUSY, attempts=40)  # each loss means that somebody else got a code
def claim(pool_id: str, person: str, at: datetime, deadline: datetime | None = None) -> Claim:
    """The person's code, always the same one. Upstream when it can't be had by the deadline (or ever).

    at: when it was earned, for the line `coupon_given`.
    """
    if deadline is not None and clock.now() >= deadline:
        raise Upstream(_BUSY)
    pool, heads, given = _read_state(pool_id, person)
    if given is not None:
        return Claim(str(given.code))
    if pool is None or (pool.expires_at and clock.parse(pool.expires_at) <= clock.now()):
        return Claim(None)
    lane = rules.choose(heads, ids.shard(person, rules.LANES))
    _report_stock(_pool(pool, heads))
    if lane is None:
        return Claim(None)
    return Claim(_give(pool_id, lane, heads[lane][1], person, at), new=True)


def _give(pool_id: str, lane: int, index: int, person: str, at: datetime) -> str:
    """Give the lane's code at `index`. ConditionFailed: the head has moved, or the person has a code."""
    code = _read_code(pool_id, lane, index)
    tx = Transaction()
    head = CouponItem(pool_id, models.head(lane))
    unmoved = (
        CouponItem.given == index if index else CouponItem.given.does_not_exist() | (CouponItem.given == 0)
    )
    tx.update("head", head, [CouponItem.given.set(index + 1)], unmoved)
    claimed = CouponItem(pool_id, models.claim(person), code=code, at=clock.iso(at))
    tx.put("claim", claimed, CouponItem.pool.does_not_exist())
    timeline.add(tx, Line(person, "coupon_given", at, pool_id, {"pool_id": pool_id}))
    tx.commit()
    return code


def _read_code(pool_id: str, lane: int, index: int) -> str:
    blocks = CouponItem.query(
        models.lane_key(pool_id, lane),
        CouponItem.part <= models.block(index),
        scan_index_forward=False,
        limit=1,
        consistent_read=True,
    )
    block = next(iter(blocks))
    return str(block.codes[index - int(block.part.partition("#")[2])])


@storage.retrying("others are loading this pool: try again", attempts=40)
def _load_lane(pool_id: str, lane: int, codes: Sequence[tuple[str, str]], audited_count: int) -> int:
    """How many of (digest, code) were new to the lane; another load meanwhile: they are read again.

    audited_count: codes of the whole upload, for an entry in the audit; 0: it has one already.
    """
    partition = models.lane_key(pool_id, lane)
    head = CouponItem.find(pool_id, models.head(lane))
    new = _select_unknown(pool_id, lane, codes)
    if not new:
        return 0
    loaded = int(head.loaded or 0) if head else 0
    tx = Transaction()
    unmoved = CouponItem.loaded == loaded if loaded else CouponItem.loaded.does_not_exist()
    item = CouponItem(pool_id, models.head(lane))
    tx.update("head", item, [CouponItem.loaded.set(loaded + len(new))], unmoved)
    at = loaded
    for block in rules.blocks([code for _, code in new]):
        tx.put(f"block:{at}", CouponItem(partition, models.block(at), codes=list(block)))
        at += len(block)
    by_set: dict[int, set[str]] = {}
    for digest, _ in new:
        by_set.setdefault(rules.set_of(digest), set()).add(digest)
    for number, digests in by_set.items():
        row = CouponItem(partition, models.seen(number))
        tx.update(f"seen:{number}", row, [CouponItem.digests.add(digests)])
    if audited_count:
        audit.add(tx, "coupon_pools.load", pool_id, None, {"received": audited_count})
    tx.commit()
    return len(new)


def _select_unknown(pool_id: str, lane: int, codes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of a lane's (digest, code) that it does not have."""
    partition = models.lane_key(pool_id, lane)
    sets = sorted({rules.set_of(digest) for digest, _ in codes})
    rows = CouponItem.batch_get([(partition, models.seen(n)) for n in sets], consistent_read=True)
    known = set[str]().union(*(row.digests or () for row in rows))
    return [(digest, code) for digest, code in codes if digest not in known]


def _read_state(
    pool_id: str, person: str | None = None
) -> tuple[CouponItem | None, Heads, CouponItem | None]:
    """(the pool, its heads, the person's claim), in one request."""
    keys = [(pool_id, POOL), *((pool_id, models.head(lane)) for lane in range(rules.LANES))]
    if person is not None:
        keys.append((pool_id, models.claim(person)))
    rows = {row.part: row for row in CouponItem.batch_get(keys, consistent_read=True)}
    heads = {lane: _counts(rows.get(models.head(lane))) for lane in range(rules.LANES)}
    return rows.get(POOL), heads, rows.get(models.claim(person)) if person is not None else None


def _read_heads(pool_ids: Iterable[str]) -> dict[str, dict[int, tuple[int, int]]]:
    """The heads of several pools, 12 pools a request."""
    lanes = {models.head(lane): lane for lane in range(rules.LANES)}
    heads: dict[str, dict[int, tuple[int, int]]] = {}
    for row in CouponItem.batch_get([(pool_id, part) for pool_id in pool_ids for part in lanes]):
        heads.setdefault(row.pool, {})[lanes[row.part]] = _counts(row)
    return heads


def _counts(head: CouponItem | None) -> tuple[int, int]:
    return (int(head.loaded or 0), int(head.given or 0)) if head else (0, 0)


def _report_stock(pool: Pool) -> None:
    """Before a claim, so that a claim which finds nothing is reported as well."""
    if pool.left <= 0:
        log.logger.warning("coupon pool is empty", extra={"pool_id": pool.pool_id})
        log.measure("CouponPoolEmpty", 1, "Count")
    elif pool.low:
        log.logger.warning("coupon pool is low", extra={"pool_id": pool.pool_id, "left": pool.left})
        log.measure("CouponPoolLow", 1, "Count")


def _pool(item: CouponItem, heads: Heads) -> Pool:
    loaded = sum(loaded for loaded, _ in heads.values())
    given = sum(given for _, given in heads.values())
    return Pool(
        pool_id=item.pool,
        name=str(item.name),
        version=int(item.version or 1),
        created_at=str(item.created_at),
        expires_at=item.expires_at,
        loaded=loaded,
        given=given,
        left=loaded - given,
        low=rules.is_low(loaded, loaded - given),
    )


def _pool_claim(item: CouponItem, principal: Principal) -> PoolClaim:
    person = audit.MASK if principal.sees_masked else item.part.partition("#")[2]
    return PoolClaim(external_userid=person, at=str(item.at), code=rules.mask(str(item.code)))
