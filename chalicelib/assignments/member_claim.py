"""A scan's claim on one member: the places it takes and the contact way it is shown, tried until it holds."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from chalicelib.assignments import caps, pooled_ways
from chalicelib.assignments.models import TOTAL, account_key, member_key
from chalicelib.contactways.service import Way, is_known, way
from chalicelib.livecodes import rates
from chalicelib.livecodes.rules import Rule
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import log
from chalicelib.platform.errors import DomainError
from chalicelib.platform.storage import Transaction

NAMES = {"place", "total", "account"}  # of a claim's items, whose conditions are the caps
_SLOT_CLAIMS = 2  # claims of a slot that others were faster with, before the first one is shared
_MOST_CLAIMS = rates.MAX_SHARDS + 5
_SHARED_FOR = timedelta(seconds=30)  # after WeCom made no further way: each try may cost its customer seconds
_sharing: list[datetime] = []  # until when a process shows first ways rather than ask for further ones


@dataclass
class Claim:
    """`rate`: scans a second of this member. account: (day, cap) of the guide's account, if it has one."""

    code: LiveCode
    rule: Rule
    staff_id: str
    day: str
    now: datetime
    rate: float
    account: tuple[str, int] | None
    account_full: bool = False
    slot: int | None = None  # claimed; None: the first way is shared
    shards: dict[str, int] = field(default_factory=dict)
    _tries: int = 0
    _lost: int = 0

    def __post_init__(self) -> None:
        self.member = member_key(self.code.live_code_id, self.staff_id)
        member = self.rule.find(self.staff_id)
        self.caps = {
            "place": member.daily_cap if member else None,
            "total": member.total_cap if member else None,
        }
        self.shard_count = rates.shards(self.rate)
        for name in self.caps:
            # Not a secret: which shard is tried first.
            self.shards[name] = random.randint(1, self.shard_count) if self.shard_count else 0  # noqa: S311  # nosec B311
        self._choose_slot()

    def way(self) -> Way:
        """The way that the scan is shown. Upstream, WeComError when there is none and none can be made."""
        if self.slot:
            try:
                return way(self.code, self.staff_id, self.slot)
            except DomainError as error:  # the member has another: the customer must not wait for this one
                log.failure("no further contact way", error, staff_id=self.staff_id)
                self.slot = None
                _sharing[:] = [self.now + _SHARED_FOR]
        return way(self.code, self.staff_id)

    def add(self, tx: Transaction, mark: str) -> None:
        """The claim's writes. `mark`: of the slot's holder."""
        caps.take(tx, "place", self._key("place"), self.caps["place"], self.shards["place"])
        action, free = None, None
        if self.slot is not None:
            action, free = pooled_ways.claim_slot(self.slot, mark, self.now)
        actions = [] if action is None else [action]
        caps.take(tx, "total", self._key("total"), self.caps["total"], self.shards["total"], actions, free)
        if self.account:
            day, cap = self.account
            caps.take(tx, "account", (account_key(self.staff_id), day), cap)

    def remember(self, mark: str) -> None:
        if self.slot is not None:
            pooled_ways.remember_claim(self.member, self.slot, mark)

    def retry(self, names: set[str]) -> bool:
        """Whether it is worth another try, after conditions failed. False: the member is full."""
        self._tries += 1
        if "account" in names:
            self.account_full = True
            return False
        if self._tries > _MOST_CLAIMS:
            return False
        if "total" in names and self.slot is not None:
            self._lost += 1
        empty = [name for name in names & set(self.caps) if not self._refilled(name)]
        counters = caps.read([self._key(name) for name in empty]) if empty else {}
        for name in empty:
            standing = counters.get(self._key(name), caps.NOTHING)
            if not self._choose_shard(name, standing):
                return False
            if name == "total":
                pooled_ways.remember(self.member, standing.slots, self.now)
        self._choose_slot()
        return True

    def _refilled(self, name: str) -> bool:
        """Whether the shard it is taken from has places again."""
        number = self.shards[name]
        return bool(number) and self._fill(self._key(name), self.caps[name], number)

    def _choose_shard(self, name: str, standing: caps.Standing) -> bool:
        """Another place to take it from. False: there is none."""
        key, cap = self._key(name), self.caps[name]
        number = standing.free_shard(cap)
        if number is None:
            return False
        if number:
            self._fill(key, cap, number)  # a no when it was to give its quota back: the next look tells
        self.shards[name] = number
        return True

    def _fill(self, key: caps.Key, cap: int | None, number: int) -> bool:
        count = max(self.shard_count, number)
        return caps.fill_shard(key, cap, number, count, rates.block_size(self.rate, count))

    def _key(self, name: str) -> caps.Key:
        return self.member, TOTAL if name == "total" else self.day

    def _choose_slot(self) -> None:
        """None where scans come fast, or the holders stand in another item than the one that is written."""
        self.slot = None
        if not self.shards["total"] and not self.shard_count and self._lost < _SLOT_CLAIMS:
            known = partial(is_known, self.code.live_code_id, self.staff_id)
            slot = pooled_ways.choose_slot(self.member, self.now, known)
            may_wait = not slot or known(slot) or not _sharing or self.now >= _sharing[0]
            self.slot = slot if may_wait else None
