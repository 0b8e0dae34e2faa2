"""Pools of coupon codes: loaded, and given out one to a person.

A claim is three requests: the person's claim with all heads (one), the code at the chosen lane's head
(two), and a transaction (three) that moves the head on from where it was seen and writes the claim
if the person has none. Two who meet in one lane: one of them is refused and looks again. So no code
goes to two people, nobody gets two, none is lost when a process dies, and none is given that is not
there. Asking again is one request. Codes go into no log and no line of the timeline.
"""

import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from chalicelib.coupons import models, rules
from chalicelib.coupons.models import POOL, CouponItem
from chalicelib.platform import clock, ids, log, storage, timeline
from chalicelib.platform.errors import Invalid, NotFound, Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line

_LISTED = "coupon_pool"
_TRIES = 40  # at a lane in which others are faster; each loss means that somebody got a code
_PAUSE = 0.02  # seconds, at most, before the next


class Claim(Struct, frozen=True):
    """code: None when the pool has none (left), or is expired or unknown. new: given by this very call."""

    code: str | None
    new: bool = False


class Pool(Struct, frozen=True):
    pool_id: str
    name: str
    created_at: str
    expires_at: str | None
    loaded: int
    given: int

    @property
    def left(self) -> int:
        return self.loaded - self.given

    @property
    def low(self) -> bool:
        return rules.is_low(self.loaded, self.left)


def create(name: str, expires_at: str | None) -> Pool:
    """A new pool without codes. Invalid."""
    now, until = clock.now(), None
    if expires_at is not None:
        try:
            until = clock.iso(clock.parse(expires_at))
        except ValueError:
            raise Invalid(("expires_at", "an ISO 8601 time with its offset")) from None
        if until <= clock.iso(now):
            raise Invalid(("expires_at", "is past"))
    pool_id = f"cp_{ids.short(10)}"
    item = CouponItem(pool_id, POOL, listing=_LISTED, created_at=clock.iso(now), name=name, expires_at=until)
    storage.put_once(item, CouponItem.pool.does_not_exist())
    return get(pool_id)


def get(pool_id: str) -> Pool:
    """The pool with its figures. NotFound."""
    pool, heads, _ = _state(pool_id)
    if pool is None:
        raise NotFound(f"there is no coupon pool {pool_id}")
    return _pool(pool, heads)


def exists(pool_id: str) -> bool:
    return CouponItem.find(pool_id, POOL) is not None


def page(limit: int, cursor: str | None) -> tuple[list[Pool], str | None]:
    """Pools, newest first, and the next cursor."""
    query = partial(CouponItem.by_creation.query, _LISTED, scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [get(row.pool) for row in rows], following


def claims(pool_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """Who has a code: `{"external_userid","at","code"}` (masked), by external_userid. NotFound."""
    if not exists(pool_id):
        raise NotFound(f"there is no coupon pool {pool_id}")
    query = partial(CouponItem.query, pool_id, CouponItem.part.startswith(models.claim("")), limit=limit)
    rows, following = storage.page(query, cursor)
    told = [
        {"external_userid": row.part.partition("#")[2], "at": row.at, "code": rules.masked(str(row.code))}
        for row in rows
    ]
    return told, following


def load(pool_id: str, text: str) -> dict[str, int]:
    """Add an upload's codes: `{"received","added","known"}`. Twice, also cut in half, adds each once.

    Invalid (nothing was added), NotFound. One transaction a lane: 100,000 codes are eight.
    """
    codes, problems = rules.parse(text)
    if problems:
        raise Invalid(*problems[:100])
    if not codes or len(codes) > rules.MAX_UPLOAD:
        raise Invalid(("codes", f"1 to {rules.MAX_UPLOAD} codes"))
    lanes: dict[int, list[tuple[str, str]]] = {}
    for code in codes:
        digest = rules.digest(code)
        lanes.setdefault(rules.lane_of(digest), []).append((digest, code))
    room = rules.MAX_POOL - get(pool_id).loaded
    # An upload that was cut in half, or comes again, is there in part.
    if len(codes) > room and sum(len(_unknown(pool_id, *one)) for one in lanes.items()) > room:
        raise Invalid(("codes", f"a pool takes {rules.MAX_POOL} codes"))
    added = sum(_load_lane(pool_id, lane, found) for lane, found in sorted(lanes.items()))
    return {"received": len(codes), "added": added, "known": len(codes) - added}


def claim(pool_id: str, person: str, at: datetime, deadline: datetime | None = None) -> Claim:
    """The person's code, always the same one. Upstream when it can't be had by the deadline (or ever).

    at: when it was earned, for the line `coupon_given`.
    """
    for _ in range(_TRIES):
        pool, heads, mine = _state(pool_id, person)
        if mine is not None:
            return Claim(str(mine.code))
        if pool is None or (pool.expires_at and clock.parse(pool.expires_at) <= clock.now()):
            return Claim(None)
        lane = rules.choose(heads, ids.shard(person, rules.LANES))
        _tell_stock(_pool(pool, heads))
        if lane is None:
            return Claim(None)
        code = _give(pool_id, lane, heads[lane][1], person, at)
        if code is not None:
            return Claim(code, new=True)
        if deadline is not None and clock.now() + timedelta(seconds=_PAUSE) >= deadline:
            break
        time.sleep(random.uniform(0, _PAUSE))  # noqa: S311  # nosec B311 (not a secret)
    raise Upstream("the pool is busy")


def _give(pool_id: str, lane: int, index: int, person: str, at: datetime) -> str | None:
    """Give the lane's code at `index` to the person. None when the head has moved, or the person has one."""
    code = _code_at(pool_id, lane, index)
    tx = Transaction()
    head = CouponItem(pool_id, models.head(lane))
    seen = CouponItem.given == index if index else CouponItem.given.does_not_exist() | (CouponItem.given == 0)
    tx.update("head", head, [CouponItem.given.set(index + 1)], seen)
    mine = CouponItem(pool_id, models.claim(person), code=code, at=clock.iso(at))
    tx.put("claim", mine, CouponItem.pool.does_not_exist())
    timeline.add(tx, Line(person, "coupon_given", at, pool_id, {"pool_id": pool_id}))
    try:
        tx.commit()
    except ConditionFailed:
        return None
    return code


def _code_at(pool_id: str, lane: int, index: int) -> str:
    rows = CouponItem.query(
        models.lane_key(pool_id, lane),
        CouponItem.part <= models.block(index),
        scan_index_forward=False,
        limit=1,
        consistent_read=True,
    )
    row = next(iter(rows))
    return str(row.codes[index - int(row.part.partition("#")[2])])


def _load_lane(pool_id: str, lane: int, codes: Sequence[tuple[str, str]]) -> int:
    """How many of (digest, code) were new to the lane. Another load meanwhile: looked at again."""
    where = models.lane_key(pool_id, lane)
    for _ in range(_TRIES):
        head = CouponItem.find(pool_id, models.head(lane))
        new = _unknown(pool_id, lane, codes)
        if not new:
            return 0
        loaded = int(head.loaded or 0) if head else 0
        tx = Transaction()
        seen = CouponItem.loaded == loaded if loaded else CouponItem.loaded.does_not_exist()
        item = CouponItem(pool_id, models.head(lane))
        tx.update("head", item, [CouponItem.loaded.set(loaded + len(new))], seen)
        at = loaded
        for part in rules.blocks([code for _, code in new]):
            tx.put(f"block:{at}", CouponItem(where, models.block(at), codes=list(part)))
            at += len(part)
        by_set: dict[int, set[str]] = {}
        for digest, _ in new:
            by_set.setdefault(rules.set_of(digest), set()).add(digest)
        for number, digests in by_set.items():
            row = CouponItem(where, models.seen(number))
            tx.update(f"seen:{number}", row, [CouponItem.digests.add(digests)])
        try:
            tx.commit()
            return len(new)
        except ConditionFailed:
            continue
    raise Upstream("others are loading this pool: try again")


def _unknown(pool_id: str, lane: int, codes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of a lane's (digest, code) that it does not have."""
    where = models.lane_key(pool_id, lane)
    sets = sorted({rules.set_of(digest) for digest, _ in codes})
    rows = CouponItem.batch_get([(where, models.seen(n)) for n in sets], consistent_read=True)
    known = set[str]().union(*(row.digests or () for row in rows))
    return [(digest, code) for digest, code in codes if digest not in known]


def _state(
    pool_id: str, person: str | None = None
) -> tuple[CouponItem | None, dict[int, tuple[int, int]], CouponItem | None]:
    """(the pool, lane → (loaded, given), the person's claim), in one request."""
    keys = [(pool_id, POOL), *((pool_id, models.head(lane)) for lane in range(rules.LANES))]
    if person is not None:
        keys.append((pool_id, models.claim(person)))
    rows = {row.part: row for row in CouponItem.batch_get(keys, consistent_read=True)}
    heads = {}
    for lane in range(rules.LANES):
        head = rows.get(models.head(lane))
        heads[lane] = (int(head.loaded or 0), int(head.given or 0)) if head else (0, 0)
    return rows.get(POOL), heads, rows.get(models.claim(person)) if person is not None else None


def _tell_stock(pool: Pool) -> None:
    """Before a claim, so that the one that finds nothing is told of as well."""
    if pool.left <= 0:
        log.logger.warning("coupon pool is empty", extra={"pool_id": pool.pool_id})
        log.measure("CouponPoolEmpty", 1, "Count")
    elif pool.low:
        log.logger.warning("coupon pool is low", extra={"pool_id": pool.pool_id, "left": pool.left})
        log.measure("CouponPoolLow", 1, "Count")


def _pool(item: CouponItem, heads: dict[int, tuple[int, int]]) -> Pool:
    return Pool(
        pool_id=item.pool,
        name=str(item.name),
        created_at=str(item.created_at),
        expires_at=item.expires_at,
        loaded=sum(loaded for loaded, _ in heads.values()),
        given=sum(given for _, given in heads.values()),
    )
