"""Which store a guide is of, light: functions/orders asks it for each order that is first paid.

No key leads from a guide to a store, so the listing is read whole, at most every five minutes in each
process that asks (every minute while it is asked for guides that it lacks): 25 read units for 200 stores. Of
more than 10,000 stores, the first by id.
"""

import time
from collections.abc import Sequence
from functools import partial

from chalicelib.platform import lists
from chalicelib.platform.principal import Principal
from chalicelib.platform.userids import fold_all
from chalicelib.stores.models import LISTED, StoreItem
from chalicelib.stores.scope import stores_in_scope

_KEEP_SECONDS = 300
_LACKS_SECONDS = 60
_known: tuple[float, dict[str, str]] | None = None  # when it was read, store of each guide


def store_of(staff_ids: Sequence[str]) -> str | None:
    """The store of the first of these guides who is of any; of several stores, the first by id."""
    if not staff_ids:
        return None
    stores = _stores_by_guide(_KEEP_SECONDS)
    if not any(staff_id in stores for staff_id in staff_ids):
        stores = _stores_by_guide(_LACKS_SECONDS)
    return next((stores[staff_id] for staff_id in staff_ids if staff_id in stores), None)


def store_ids_in_scope(principal: Principal) -> frozenset[str] | None:
    """The stores that a principal is kept to, closed and deleted ones too where they are named; None: all."""
    scope = principal.scope
    if not principal.is_scoped:
        return None
    if scope.department_ids is None:
        return frozenset(scope.store_ids or ())
    return stores_in_scope(principal)


def forget() -> None:
    """What a new process does not know (tests)."""
    global _known
    _known = None


def _stores_by_guide(seconds: float) -> dict[str, str]:
    """As they were at most so long ago."""
    global _known
    now = time.monotonic()
    if _known is None or now - _known[0] >= seconds:
        stores: dict[str, str] = {}
        rows = partial(StoreItem.by_id.query, LISTED, attributes_to_get=["store_id", "staff_ids"])
        for row in lists.partition(rows):
            for staff_id in fold_all(row.staff_ids):
                stores.setdefault(staff_id, row.store_id)
        _known = now, stores
    return _known[1]
