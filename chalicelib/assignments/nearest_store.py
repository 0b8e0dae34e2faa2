"""Nearest store codes: who gets the one who says where they are, or which store they want.

In this order, never a customer with nobody: a guide with room of the nearest open store within the
radius, or the next; whom the code itself names (`assignment`); a store within the radius that is
closed at the moment; a store farther off. A store that somebody chose is asked first, open or not.

A location, warm, is six requests: the code, the map, the store, the store's ticket, the transaction;
and the cookie's assignment, if there is one. Each full store on the way is one or two more.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from math import inf
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.assignments import reservations, unreserved
from chalicelib.assignments.types import CLOSED, Asked, Scan
from chalicelib.contactways.usage import UsedUp
from chalicelib.livecodes import tickets
from chalicelib.livecodes.rules import Member, Rule, is_open
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import log
from chalicelib.platform.errors import Invalid, Upstream, issue
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.stores.service import Place
from chalicelib.stores.types import StoreOut
from chalicelib.wecom.errors import WeComError

ON_PAGE = 24  # stores
_TRIED = 30  # stores of a sort that one scan asks for a guide with room
_SHOWN = 20  # nearer stores that an explanation lists
_DEFAULTS: dict[str, Any] = {"store_ids": None, "radius_m": 50_000, "gives": "staff", "daily_cap": None}

Candidate = tuple[float | None, Place]  # metres, when a position was given


class StoreGroups(Protocol):
    """A place in the first of a store's groups that has one, reserved or only shown; None when none has."""

    def reserve_in_store_group(
        self,
        code: LiveCode,
        chat_ids: Sequence[str],
        ticket: int,
        now: datetime,
        asked: Asked,
        store_id: str,
    ) -> Scan | None: ...

    def show_in_store_group(self, code: LiveCode, chat_ids: Sequence[str], store_id: str) -> Scan | None: ...


class Where(Struct, frozen=True):
    """A position in a datum, or a store."""

    latitude: float | None = None
    longitude: float | None = None
    datum: str = "gcj02"
    store_id: str | None = None


def ask_where(live_code: LiveCode, now: datetime) -> Scan:
    """What a scan gets that does not say where it is made: nothing is reserved."""
    return Scan("choose_store") if is_open(live_code.rule, now) else CLOSED


def check(where: Where) -> None:
    """Invalid when it is neither a position nor a store."""
    if where.store_id is None:
        given = {"latitude": where.latitude, "longitude": where.longitude}
        missing = [name for name, value in given.items() if value is None]
        if len(missing) == 2:
            raise Invalid(issue("latitude", "where"))
        if missing:
            raise Invalid(issue(missing[0], "required"))


def locate(
    live_code: LiveCode,
    where: Where,
    now: datetime,
    asked: Asked | None,
    store_groups: StoreGroups,
) -> Scan:
    """Decide who gets the scan, and take their place. asked None: they are only shown. Invalid."""
    check(where)
    chosen = None
    if where.store_id is not None:
        chosen = stores.find(where.store_id) if _serves(live_code, where.store_id) else None
        if chosen is None:
            raise Invalid(issue("store_id", "not_a_store_of_code"))
    if not live_code.active or not is_open(live_code.rule, now):
        return CLOSED
    return _Search(live_code, where, chosen, now, asked, store_groups).run()


def find_nearest_open(live_code: LiveCode, where: Where, now: datetime) -> str | None:
    """The nearest open store with anybody in it: whom a position leads to, room or not."""
    return _Search(live_code, where, None, now, None, None).nearest()


def guides_near(live_code: LiveCode, store_id: str, now: datetime) -> tuple[str | None, Rule]:
    """Whom somebody who is at this store would be led to: the nearest open store with anybody in it, and the
    rule over its guides; None and the code's own where there is none. Invalid for a store of no such code.
    """
    store = stores.find(store_id) if _serves(live_code, store_id) else None
    if store is None:
        raise Invalid(issue("at_store", "not_a_store_of_code"))
    where = Where(store.latitude, store.longitude, store.datum)
    search = _Search(live_code, where, None, now, None, None)
    nearest = search.nearest()
    found = stores.find(nearest) if nearest else None
    return (nearest, search.guides(found.staff_ids)) if found else (None, live_code.rule)


def still_serves(live_code: LiveCode, held: Scan) -> bool:
    """Whether the store that a person had a guide or a group of has them still, and the code the store."""
    store = stores.find(held.store_id) if held.store_id and _serves(live_code, held.store_id) else None
    return store is not None and (held.staff_id in store.staff_ids or held.chat_id in store.chat_ids)


def settings(live_code: LiveCode) -> dict[str, Any]:
    """The code's `stores`, complete."""
    return {**_DEFAULTS, **(live_code.definition.get("stores") or {})}


class Choices(Struct, frozen=True):
    """Where one can choose from. `cities`: with the number of stores, most first. stores: of the city or
    text that was asked for, or all if they are few; `{"store_id","name","city","address","is_open"}` each.
    """

    cities: list[tuple[str, int]]
    stores: list[dict[str, Any]]
    page: int
    pages: int


def choices(live_code: LiveCode, city: str | None, text: str, page: int, now: datetime) -> Choices:
    """The code's stores to choose from: those of a city, or with `text` in their name, or city by city."""
    wanted = settings(live_code)["store_ids"]
    served = None if wanted is None else set(wanted)
    local = now.astimezone(live_code.rule.zone)
    places = [p for p in stores.everywhere() if served is None or p.store_id in served]
    places = [p for p in places if _can_give(live_code, p)]
    cities = sorted(Counter(p.city for p in places).items(), key=lambda pair: (-pair[1], pair[0]))
    if text:
        places = [p for p in places if text.casefold() in f"{p.city}{p.name}".casefold()]
    elif city is not None:
        places = [p for p in places if p.city == city]
    elif len(places) > ON_PAGE:
        return Choices(cities, [], 1, 1)
    places.sort(key=lambda p: (p.name, p.store_id))
    pages = max(1, -(-len(places) // ON_PAGE))
    page = min(max(1, page), pages)
    shown = places[(page - 1) * ON_PAGE : page * ON_PAGE]
    rows = stores.find_many([p.store_id for p in shown])
    shown_stores = [
        {
            "store_id": p.store_id,
            "name": p.name,
            "city": p.city,
            "address": rows[p.store_id].address if p.store_id in rows else "",
            "is_open": stores.is_open(p, local),
        }
        for p in shown
    ]
    return Choices(cities, shown_stores, page, pages)


class _Search:
    def __init__(
        self,
        live_code: LiveCode,
        where: Where,
        chosen: StoreOut | None,
        now: datetime,
        asked: Asked | None,
        store_groups: StoreGroups | None,
    ):
        self.store_groups, self.asked, self.now = store_groups, asked, now
        self.live_code, self.chosen = live_code, chosen
        self.at = where if chosen is None else Where(chosen.latitude, chosen.longitude, chosen.datum)
        self.local = now.astimezone(live_code.rule.zone)
        self.settings = settings(live_code)
        self.passed: dict[str, dict[str, str]] = {}  # nearer stores, and why none of them it is
        self.refusal: WeComError | UsedUp | None = None

    def run(self) -> Scan:
        radius = self.settings["radius_m"]
        chosen: list[Candidate] = [] if self.chosen is None else [(None, stores.place(self.chosen))]
        is_open = (candidate for candidate in self._near(radius) if self._open(candidate))
        if got := self._first(chosen) or self._first(is_open) or self._own():
            return got
        shut = (candidate for candidate in self._near(radius) if not stores.is_open(candidate[1], self.local))
        beyond = (candidate for candidate in self._near(inf) if (candidate[0] or 0) > radius)
        for sort in (shut, beyond):
            if got := self._first(sort):
                return got
        if self.refusal is not None:
            raise self.refusal
        return CLOSED

    def nearest(self) -> str | None:
        is_open = (candidate for candidate in self._near(self.settings["radius_m"]) if self._open(candidate))
        return next((place.store_id for _, place in self._staffed(is_open)), None)

    def _near(self, within: float) -> Iterator[Candidate]:
        """Stores of the code by their distance from the position, or from the chosen store."""
        at, wanted = self.at, self.settings["store_ids"]
        assert at.latitude is not None and at.longitude is not None
        return stores.near(at.latitude, at.longitude, at.datum, within, wanted and set(wanted))

    def _open(self, candidate: Candidate) -> bool:
        if stores.is_open(candidate[1], self.local):
            return True
        self._pass(candidate[1], "closed")
        return False

    def _first(self, sort: Iterable[Candidate]) -> Scan | None:
        """A place with the first of these stores that has one."""
        for candidate in islice(self._staffed(sort), _TRIED):
            got = self._at(candidate)
            if got is not None:
                return got
        return None

    def _staffed(self, sort: Iterable[Candidate]) -> Iterator[Candidate]:
        for metres, place in sort:
            if _can_give(self.live_code, place):
                if self.passed.get(place.store_id, {}).get("reason") != "full":
                    yield metres, place
            else:
                self._pass(place, "no_staff")

    def _at(self, candidate: Candidate) -> Scan | None:
        metres, place = candidate
        store = self.chosen if metres is None else stores.find(place.store_id)
        if store is None or not stores.same_spot(place, store):
            return None  # deleted or moved in this very moment: the map does not have it there any more
        far = None if metres is None else round(metres)
        why = {"store_id": place.store_id, "distance_m": far}
        if self.chosen is not None:  # how far the person has it nobody knows
            why |= {"distance_m": None, "from_chosen_m": far}
        got = self._group(store, why) or self._reserve(self.guides(store.staff_ids), place.store_id, why)
        if got is None:
            self._pass(place, "full")
        return got

    def _group(self, store: StoreOut, why: Mapping[str, Any]) -> Scan | None:
        """A place in the store's group; without one its guides are next."""
        if not store.chat_ids or not self.live_code.gives_store_groups or self.store_groups is None:
            return None
        if self.asked is None:
            shown = self.store_groups.show_in_store_group(self.live_code, store.chat_ids, store.store_id)
            return shown and replace(shown, distance_m=why["distance_m"])
        ticket, _ = tickets.take_store_ticket(self.live_code.live_code_id, store.store_id, self.now)
        asked = self._with(self.asked, why)
        got = self.store_groups.reserve_in_store_group(
            self.live_code, store.chat_ids, ticket, self.now, asked, store.store_id
        )
        return got and replace(got, distance_m=why["distance_m"])

    def _own(self) -> Scan | None:
        """Whom the code names for when no store has a guide."""
        return self._reserve(None, None, {}) if self.live_code.rule.staff_ids else None

    def _reserve(self, rule: Rule | None, store_id: str | None, why: Mapping[str, Any]) -> Scan | None:
        try:
            got = self._take(rule, store_id, why)
        except (WeComError, UsedUp) as error:
            if error.retryable:
                raise
            self.refusal = error
            return None
        if got.kind == "closed":
            return None
        _learn_name(str(got.staff_id))
        return replace(got, distance_m=why.get("distance_m"))

    def _take(self, rule: Rule | None, store_id: str | None, why: Mapping[str, Any]) -> Scan:
        if self.asked is None:
            return unreserved.show(self.live_code, self.now, rule, store_id)
        ticket, rate = tickets.take_store_ticket(self.live_code.live_code_id, store_id or "", self.now)
        asked = self._with(self.asked, why)
        return reservations.reserve(self.live_code, ticket, self.now, asked, rule, store_id, rate)

    def _with(self, asked: Asked, why: Mapping[str, Any]) -> Asked:
        return replace(asked, why={**why, "skipped": list(self.passed.values())[:_SHOWN]})

    def guides(self, staff_ids: Iterable[str]) -> Rule:
        """The code's rule over a store's guides. One whom the code names keeps weight, hours and caps."""
        cap = self.settings["daily_cap"]
        members = tuple(
            self.live_code.rule.find(staff_id) or Member(staff_id, daily_cap=cap)
            for staff_id in dict.fromkeys(staff_ids)
        )
        return replace(self.live_code.rule, members=members, fallback=())

    def _pass(self, place: Place, reason: str) -> None:
        self.passed.setdefault(place.store_id, {"store_id": place.store_id, "reason": reason})
        if reason == "full":
            self.passed[place.store_id]["reason"] = reason


def _learn_name(staff_id: str) -> None:
    """Have the guide's name at hand: nobody asked for it ahead, as nobody did for the contact way."""
    if staff.find_name(staff_id) is not None:
        return
    try:
        staff.learn(staff_id)
    except Upstream as error:  # the customer can do without
        log.failure("guide's name not learnt", error, staff_id=staff_id)


def _can_give(live_code: LiveCode, place: Place) -> bool:
    return place.staff or (place.groups and live_code.gives_store_groups)


def _serves(live_code: LiveCode, store_id: str) -> bool:
    wanted = settings(live_code)["store_ids"]
    return wanted is None or store_id in wanted
