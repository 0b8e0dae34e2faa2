"""Who got no welcome: noted when it is missed, listed until somebody has handled it or 7 days are over."""

from collections.abc import Callable, Collection, Iterator
from functools import partial

from chalicelib.customers import lookup as customers
from chalicelib.messaging import rules
from chalicelib.messaging.models import HANDLED, KEPT, WAITING, MissedWelcomeItem
from chalicelib.messaging.types import MissedQuery, MissedWelcome
from chalicelib.platform import audit, clock, lists
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.stores.scope import guides_in_scope


def page(query: MissedQuery, principal: Principal) -> Page[MissedWelcome]:
    """Of the scope's guides, the newest first. NotFound for a store that is not there, or outside of it."""
    guides = guides_in_scope(principal)
    if query.store_id is not None:
        guides = _both(guides, stores.get(query.store_id, principal).staff_ids)
    if query.staff_id is not None:
        guides = _both(guides, [query.staff_id])
    rows = [item for item in _kept(query.status) if guides is None or item.staff_id in guides]
    found = lists.whole(
        rows, query, key=lambda item: item.missed_id, sorts={"at": lambda item: item.at}, sort="-at"
    )
    return found.map(_showing(found.items, principal))


def handle(missed_ids: Collection[str], principal: Principal) -> int:
    """Note that these are handled. → how many were not yet. NotFound for one outside of the scope."""
    guides = guides_in_scope(principal)
    items = [MissedWelcomeItem.find(missed_id) for missed_id in dict.fromkeys(missed_ids)]
    for missed_id, item in zip(dict.fromkeys(missed_ids), items, strict=True):
        if item is None or (guides is not None and item.staff_id not in guides):
            raise NotFound(code="no_missed_welcome", missed_id=missed_id)
    return sum(_handle(item, principal) for item in items if item is not None)


def _handle(item: MissedWelcomeItem, principal: Principal) -> bool:
    tx = Transaction()
    actions = [
        MissedWelcomeItem.listing.set(HANDLED),
        MissedWelcomeItem.handled_at.set(clock.iso(clock.now())),
        MissedWelcomeItem.handled_by.set(principal.name),
    ]
    tx.update("missed", MissedWelcomeItem(item.missed_id), actions, MissedWelcomeItem.listing == WAITING)
    audit.add(tx, "missed_welcomes.handle", item.missed_id, {"status": WAITING}, {"status": HANDLED})
    try:
        tx.commit()
    except ConditionFailed:
        return False  # by somebody else, meanwhile
    return True


def _kept(status: str) -> Iterator[MissedWelcomeItem]:
    since = clock.iso(clock.now() - KEPT)  # the table forgets later than it says
    yield from lists.partition(partial(MissedWelcomeItem.by_time.query, status, MissedWelcomeItem.at > since))


def _both(guides: frozenset[str] | None, others: Collection[str]) -> frozenset[str]:
    return frozenset(others) if guides is None else guides & frozenset(others)


def _showing(
    items: Collection[MissedWelcomeItem], principal: Principal
) -> Callable[[MissedWelcomeItem], MissedWelcome]:
    people = customers.shown({item.external_userid for item in items}, principal)
    guides = {item.staff_id for item in items}
    names, in_stores = staff.names(guides), stores.of_guides(guides)

    def shown(item: MissedWelcomeItem) -> MissedWelcome:
        who = people.get(item.external_userid)
        hidden = "***" if principal.sees_masked else item.external_userid
        return MissedWelcome(
            missed_id=item.missed_id,
            status=item.listing,  # type: ignore[arg-type]
            at=item.at,
            external_userid=who.external_userid if who else hidden,
            customer_name=who.name if who else "",
            staff_id=item.staff_id,
            staff_name=names.get(item.staff_id) or item.staff_id,
            store_names=[name for _, name in in_stores.get(item.staff_id, ())],
            live_code_id=item.live_code_id,
            cause=rules.kind_of(item.reason),
            reason=item.reason,
            handled_at=item.handled_at,
            handled_by=item.handled_by,
        )

    return shown
