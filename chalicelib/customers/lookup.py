"""What a principal sees of customers: one, their timeline, and lists of them, newest first.

A customer is seen by whoever sees a guide whose bond with them stands. A list of few guides is merged from
the rows of their bonds. Of many guides, all customers are read and the others' left out: a request for each
of thousands of guides would take longer than a page may. A row leads to the customer, which is read as it
is now: a row that is older than its customer shows nothing.
"""

from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from chalicelib.customers import models, rules, service
from chalicelib.customers.rules import Customer
from chalicelib.customers.types import CustomersQuery
from chalicelib.platform import audit, lists, timeline
from chalicelib.platform.errors import NotFound
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.principal import Principal
from chalicelib.platform.timeline import Line
from chalicelib.stores import service as stores

_MERGED = 100  # guides
_PEOPLE = ("wm", "wo")  # what WeCom's ids of external people begin with; other subjects are others' business


def find_in_scope(external_userid: str, principal: Principal) -> Customer:
    """The customer as the principal may see them. NotFound, also outside of the scope."""
    customer = service.get(external_userid)
    if customer is None or not _is_seen(customer, stores.guides_in_scope(principal)):
        raise _no_customer(external_userid)
    return rules.masked(customer) if principal.sees_masked else customer


def history(external_userid: str, paging: Paging, principal: Principal) -> Page[Line]:
    """Their lines, newest first. NotFound for a person we have never heard of, and outside of the scope.

    Without a scope also of one who is in a group only, and no customer.
    """
    guides = stores.guides_in_scope(principal)
    customer = service.get(external_userid)
    if customer is None:
        seen = guides is None and external_userid.startswith(_PEOPLE)
    else:
        seen = _is_seen(customer, guides)
    page = timeline.page(external_userid, paging) if seen else Page[Line]([], 0)
    if not seen or (customer is None and not page.items):
        raise _no_customer(external_userid)
    if principal.sees_masked:
        return page.map(lambda line: replace(line, data=audit.masked(line.data)))
    return page


def page(query: CustomersQuery, principal: Principal) -> Page[Customer]:
    """A page of the customers of the scope. NotFound for a store that is not there, or outside of it."""
    guides = _guides(query, principal)
    few = guides if guides is not None and len(guides) <= _MERGED else None
    customers = _all(query, guides) if few is None else _of_guides(query, few)
    return customers.map(rules.masked) if principal.sees_masked else customers


def _guides(query: CustomersQuery, principal: Principal) -> frozenset[str] | None:
    """Whose customers are asked for; None: all, also those whom everybody has lost."""
    guides = stores.guides_in_scope(principal)
    if query.store_id is not None:
        guides = _both(guides, stores.get(query.store_id, principal).staff_ids)
    return guides if query.staff_id is None else _both(guides, [query.staff_id])


def _both(guides: frozenset[str] | None, others: Iterable[str]) -> frozenset[str]:
    return frozenset(others) if guides is None else guides.intersection(others)


def _of_guides(query: CustomersQuery, guides: Collection[str]) -> Page[Customer]:
    """Who is a customer of several of these guides stands at the newest bond, once."""
    return lists.merged(
        [sorted(guides)],
        models.places_of_guide,
        query,
        place=str,
        load=lambda places: _at(places, lambda customer: customer.place_among(guides)),
    )


def _all(query: CustomersQuery, guides: Collection[str] | None) -> Page[Customer]:
    def seen_at(customer: Customer) -> str | None:
        return customer.place if guides is None or customer.place_among(guides) else None

    return lists.merged(
        [models.PARTITIONS], models.places, query, place=str, load=lambda places: _at(places, seen_at)
    )


def _at(places: list[str], place: Callable[[Customer], str | None]) -> list[Customer | None]:
    """The customer at each place; None where another place is theirs by now, or it was shown just before."""
    customers = models.load_several(list(dict.fromkeys(map(_id_at, places))))
    shown: list[Customer | None] = []
    for before, at in zip([None, *places], places, strict=False):
        customer = customers.get(_id_at(at))
        shown.append(customer if customer and place(customer) == at != before else None)
    return shown


def _id_at(place: str) -> str:
    return place.partition("#")[2]


def _is_seen(customer: Customer, guides: frozenset[str] | None) -> bool:
    return guides is None or customer.place_among(guides) is not None


def _no_customer(external_userid: str) -> NotFound:
    return NotFound(code="no_customer", external_userid=external_userid)
