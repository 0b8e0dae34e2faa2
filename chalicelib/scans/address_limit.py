"""How many new reservations one address may make: SCAN_NEW_PER_ADDRESS in SCAN_NEW_WINDOW; 0: any number.

One conditional update before each new reservation, of an item that the address alone has, so that the count
is exact over all processes and addresses do not wait for each other. It costs a scan one request and one
write unit. A refused address is remembered by the process until its window ends, and costs no write then.

| scan A, the 60th | scan B, the 61st | scan C, after the window |
|---|---|---|
| `taken` 59 < 60: 60 | | |
| | `taken` < 60 fails; reads: the window runs: over | |
| | | fails; reads: the window is over: 1, if it is still that window |
"""

import base64
import hashlib
import hmac
import math
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network

from chalicelib.platform import clock, durations, log, settings, storage
from chalicelib.platform.errors import Exhausted
from chalicelib.platform.storage import Busy, Unsure
from chalicelib.scans.models import ScanAddressItem

_TRIES = 4
_KEPT = 10_000
_over: dict[str, int] = {}  # addresses that have no more, by their keys: until when


class OverLimit(Exhausted):
    """The address has made as many new reservations as it may; `retry_after` seconds."""

    def __init__(self, seconds: int):
        super().__init__("too many new reservations from one address", max(1, seconds))


class Admission:
    """Of one scan: called before its reservation is written, it counts it, once. OverLimit."""

    def __init__(self, address: str):
        self._address, self._counted = address, False

    def __call__(self) -> None:
        if not self._counted:
            _count(self._address, clock.now())
            self._counted = True

    def take_back(self) -> None:
        """Count it no more: nobody had a place."""
        if self._counted and _limit():
            self._counted = False
            _take_back(self._address, clock.now())

    @property
    def is_over(self) -> bool:
        """Whether this process knows already that there are no more; asks nobody."""
        return bool(_over) and _over.get(_key(self._address), 0) > clock.now().timestamp()


def forget() -> None:
    """Know of no address (a new process)."""
    _over.clear()


def group_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, which is one household's or phone's."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


def _count(address: str, now: datetime) -> None:
    limit = _limit()
    if not limit:
        return
    second = int(now.timestamp())
    try:
        key = _key(address)
        if (until := _over.get(key, 0)) > second:
            raise OverLimit(until - second)
        for _ in range(_TRIES):
            end = _take(key, limit, now)
            if end is None:
                return
            if end > second:
                _remember(key, end, second)
                raise OverLimit(end - second)
    except OverLimit:
        raise
    except Busy as error:
        log.failure("reservations of an address not counted", error)
    except Exception as error:  # noqa: BLE001 (without keys, or a setting that is none: a count less, and not a customer)
        log.failure("reservations of an address not counted", error)
        return
    raise OverLimit(1)  # too many at once: a guide is shown all the same


def _take(key: str, limit: int, now: datetime) -> int | None:
    """Count one more. None: done; else the end of the window that let none in, or 0 to try again."""
    item, second = ScanAddressItem(key), int(now.timestamp())
    end = math.ceil((now + durations.parse(settings.env("SCAN_NEW_WINDOW", "PT10M"))).timestamp())
    runs = ScanAddressItem.expires_at > second
    room = ScanAddressItem.taken.does_not_exist() | (runs & (ScanAddressItem.taken < limit))
    ends = ScanAddressItem.expires_at.set(ScanAddressItem.expires_at | end)
    try:
        if storage.update_if(item, [ScanAddressItem.taken.add(1), ends], room):
            return None
        row = ScanAddressItem.find(key)
        if row is None or row.expires_at > second:
            return int(row.expires_at) if row and row.taken >= limit else 0
        anew = [ScanAddressItem.taken.set(1), ScanAddressItem.expires_at.set(end)]
        return None if storage.update_if(item, anew, ScanAddressItem.expires_at == row.expires_at) else 0
    except Unsure:  # counted, perhaps: a second time does no harm
        return 0


def _take_back(address: str, now: datetime) -> None:
    runs = ScanAddressItem.expires_at > int(now.timestamp())
    try:
        item = ScanAddressItem(_key(address))
        storage.update_if(item, [ScanAddressItem.taken.add(-1)], runs & (ScanAddressItem.taken > 0))
    except Exception as error:  # noqa: BLE001 (one reservation less that the address may make)
        log.failure("reservation of an address not taken back", error)


def _remember(key: str, until: int, second: int) -> None:
    if len(_over) >= _KEPT:
        for known in [known for known, end in list(_over.items()) if end <= second] or list(_over):
            _over.pop(known, None)
    if key not in _over:
        log.logger.warning("an address is over its limit of new reservations")
    _over[key] = until


def _limit() -> int:
    return int(settings.env("SCAN_NEW_PER_ADDRESS", "60"))


def _key(address: str) -> str:
    """Its hash, salted: who has the table alone can't find the address by trying all there are.

    The salt is the stack's own id, which the function has at hand: a key of Secrets Manager's would cost each
    cold scan 20 ms of a whole processor, and its request.
    """
    salt = settings.env("SCAN_ADDRESS_SALT", "local")
    digest = hmac.digest(salt.encode(), group_of(address).encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:15]).decode()
