"""What a principal sees of customers: one, their timeline, and lists of them, newest first.

A customer is seen by whoever sees a guide whose bond with them stands. A list of few guides is merged from
the rows of their bonds. Of many guides, all customers are read and the others' left out: a request for each
of thousands of guides would take longer than a page may. A row leads to the customer, which is read as it
is now: a row that is older than its customer shows nothing.

What else narrows a list (a tag, a channel, part of a name) has no index: rows are read, newest first, and the
others left out, as far as one page may read; its cursor goes on from there. Whose id or phone number is given
is found at once.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from chalicelib.customers import models, rules, service
from chalicelib.customers.rules import Customer
from chalicelib.customers.types import CustomersQuery
from chalicelib.platform import audit, clock, declared, lists, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound, issue
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.plain_text import tag_name
from chalicelib.platform.principal import Principal
from chalicelib.platform.timeline import Line
from chalicelib.stores import service as stores

_MERGED = 100  # guides
_PHONE = re.compile(r"\+?[0-9 -]{7,20}")
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
    direct = [] if principal.sees_masked else list(_named_by(query.q or ""))
    if direct:
        return _of_ids(direct, query, guides)
    few = guides if guides is not None and len(guides) <= _MERGED else None
    wanted = _filter(query, principal.sees_masked)
    customers = _all(query, guides, wanted) if few is None else _of_guides(query, few, wanted)
    return customers.map(rules.masked) if principal.sees_masked else customers


def shown(external_userids: Collection[str], principal: Principal) -> dict[str, Customer]:
    """Those of them whom the principal sees, as they may see them, by id."""
    guides = stores.guides_in_scope(principal)
    return {
        who: rules.masked(customer) if principal.sees_masked else customer
        for who, customer in service.several(external_userids).items()
        if _is_seen(customer, guides)
    }


def bonds(customer: Customer, principal: Principal) -> list[str]:
    """Guides of the scope who are friends with the customer: the principal first, then the newest bond."""
    guides = stores.guides_in_scope(principal)
    standing = [
        staff_id
        for staff_id in customer.staff_ids
        if customer.follows[staff_id].status == rules.ACTIVE and (guides is None or staff_id in guides)
    ]
    return sorted(standing, key=lambda staff_id: staff_id != principal.person)


def bond(customer: Customer, principal: Principal, staff_id: str | None) -> str:
    """Whose bond is to be written on: that one's, or the first. Invalid, Conflict."""
    standing = bonds(customer, principal)
    if staff_id is not None:
        if staff_id not in standing:
            raise Invalid(issue("staff_id", "no_friend"))
        return staff_id
    if not standing:
        raise Conflict(code="nobodys_friend")
    return standing[0]


def _named_by(q: str) -> Iterator[str]:
    """Ids of the customers whom a text names whole: by an id or a phone number."""
    wanted = q.strip()
    if wanted.startswith(_PEOPLE) and service.get(wanted):
        yield wanted
    elif len(wanted) > 20 and (found := service.find_by_unionid(wanted)):
        yield found
    elif _PHONE.fullmatch(wanted):
        for lookup in declared.find("phone_lookups", "PHONE_LOOKUP"):
            yield from declared.resolve(lookup)(wanted)


def _of_ids(ids: Iterable[str], query: CustomersQuery, guides: frozenset[str] | None) -> Page[Customer]:
    is_wanted = _filter(query, masked=False, by_text=False)
    since, until = _days(query)

    def is_within(customer: Customer) -> bool:
        place = customer.place if guides is None else customer.place_among(guides)
        return (since is None or since <= (place or "")) and (until is None or (place or "") < until)

    rows = [
        customer
        for customer in service.several(list(ids)).values()
        if _is_seen(customer, guides) and is_wanted(customer) and is_within(customer)
    ]
    return Page(rows, len(rows))


def _filter(query: CustomersQuery, masked: bool, by_text: bool = True) -> Callable[[Customer], bool]:
    tag = tag_name(query.tag) if query.tag is not None else None
    text = (query.q or "").strip() if by_text else ""

    def is_wanted(customer: Customer) -> bool:
        shown = rules.masked(customer) if masked else customer  # who sees no name finds none by it
        names = (shown.name, *(follow.remark for follow in shown.follows.values()))
        return (
            (tag is None or tag in customer.tags)
            and query.channel in (None, customer.channel)
            and query.live_code_id in (None, customer.live_code_id)
            and (not text or any(lists.matches(text, name) for name in names if name))
        )

    return is_wanted


def _period(
    read: Callable[[str, str | None, int, str | None], Iterable[str]], query: CustomersQuery
) -> Callable[[str, str | None, int], Iterable[str]]:
    """`read` within the days that are asked for."""
    since, until = _days(query)

    def within(partition: str, before: str | None, limit: int) -> Iterable[str]:
        upper = min(filter(None, (before, until)), default=None)
        return read(partition, upper, limit, since)

    return within


def _days(query: CustomersQuery) -> tuple[str | None, str | None]:
    """Where the days that are asked for begin and end, as places have it."""
    since = _start_of(query.added_from, 0) if query.added_from else None
    return since, _start_of(query.added_to, 1) if query.added_to else None


def _guides(query: CustomersQuery, principal: Principal) -> frozenset[str] | None:
    """Whose customers are asked for; None: all, also those whom everybody has lost."""
    guides = stores.guides_in_scope(principal)
    if query.store_id is not None:
        guides = _both(guides, stores.get(query.store_id, principal).staff_ids)
    return guides if query.staff_id is None else _both(guides, [query.staff_id])


def _both(guides: frozenset[str] | None, others: Iterable[str]) -> frozenset[str]:
    return frozenset(others) if guides is None else guides.intersection(others)


def _start_of(day: date, later: int) -> str:
    """When a day begins in Shanghai, or so many days later, as places have it."""
    at = datetime(day.year, day.month, day.day, tzinfo=clock.SHANGHAI) + timedelta(days=later)
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _of_guides(
    query: CustomersQuery, guides: Collection[str], wanted: Callable[[Customer], bool]
) -> Page[Customer]:
    """Who is a customer of several of these guides stands at the newest bond, once."""

    def seen_at(customer: Customer) -> str | None:
        return customer.place_among(guides) if wanted(customer) else None

    return lists.merged(
        [sorted(guides)],
        _period(models.places_of_guide, query),
        query,
        place=str,
        load=lambda places: _at(places, seen_at),
    )


def _all(
    query: CustomersQuery, guides: Collection[str] | None, wanted: Callable[[Customer], bool]
) -> Page[Customer]:
    def seen_at(customer: Customer) -> str | None:
        is_seen = (guides is None or customer.place_among(guides)) and wanted(customer)
        return customer.place if is_seen else None

    return lists.merged(
        [models.PARTITIONS],
        _period(models.places, query),
        query,
        place=str,
        load=lambda places: _at(places, seen_at),
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
