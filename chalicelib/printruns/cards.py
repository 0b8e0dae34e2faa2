"""One card, by its token, its printed number, its run, its order.

Its token says which run and number it is, so a scan reads nothing for it but the run, which a process
keeps for seconds. A card has a row only once it is bound to an order or, in a single-use run, held.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from chalicelib.platform import lists
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.printruns import rules, runs, single_use
from chalicelib.printruns.models import CardItem
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import CardDetails, CardOrder, CardsQuery


class Card(Struct, frozen=True):
    run: Run
    number: int

    @property
    def code(self) -> str:
        """The live code's own code."""
        return self.run.live_code_id.removeprefix("lc_")

    @property
    def key(self) -> str:
        return f"{self.run.code}#{self.number:07}"

    @property
    def label(self) -> str:
        return self.run.label(self.number)


def is_token(text: str) -> bool:
    """Whether what stands in a scanned link can be a card's token, not a live code's code."""
    return rules.is_token(text)


def find(token: str) -> Card:
    """The card of a token. NotFound, for a forged one before anything is read."""
    parsed = rules.parse_token(runs.signing_key(), token)
    if parsed is None:
        raise NotFound(code="no_such_live_code")
    run = runs.get_kept(f"pr_{parsed[0]}")
    return Card(run, run.check_number(parsed[1]))


def find_by_code(code: str, principal: Principal = SYSTEM) -> Card:
    """The card of a link, a token, or a printed number. NotFound, also outside of the scope."""
    if label := rules.parse_label(code):
        print_run_id, number = runs.find_owner(label[0]), label[1]
    elif parsed := rules.parse_token(runs.signing_key(), rules.extract_token(code)):
        print_run_id, number = f"pr_{parsed[0]}", parsed[1]
    else:
        print_run_id, number = None, 0
    if print_run_id is None:
        raise NotFound(code="no_such_card")
    run = runs.get_kept(print_run_id)
    if not runs.select_visible([run], principal):
        raise NotFound(code="no_such_card")
    return Card(run, run.check_number(number))


def find_numbered(print_run_id: str, number: str, principal: Principal = SYSTEM) -> Card:
    """The card of a run by its number, with or without the prefix. NotFound."""
    run = runs.get(print_run_id, principal)
    digits = number.removeprefix(f"{run.prefix}-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 7):
        raise NotFound(code="no_such_card")
    return Card(run, run.check_number(int(digits)))


def describe(card: Card) -> CardDetails:
    row = CardItem.find(card.key)
    used = single_use.is_held(card.run, row) if card.run.single else None
    return CardDetails(
        print_run_id=card.run.print_run_id,
        number=card.number,
        card=card.label,
        url=runs.make_url(card.run, card.number),
        order_id=row.order_id if row else None,
        mall=row.mall if row else None,
        batch=row.batch if row else None,
        bound_at=row.bound_at if row else None,
        used=used,
    )


def list_cards(query: CardsQuery, principal: Principal) -> Page[CardOrder]:
    """An order's cards, or a run's; none of runs outside of the scope. NotFound, Invalid."""
    if query.order_id is not None and query.print_run_id is None:
        return _list_of_order(query.order_id, query, principal)
    if query.print_run_id is not None and query.order_id is None:
        return _list_of_run(runs.get(query.print_run_id, principal), query)
    raise Invalid(issue("order_id", "one_of_fields", fields=["order_id", "print_run_id"]))


def _list_of_order(order_id: str, query: CardsQuery, principal: Principal) -> Page[CardOrder]:
    def is_visible(row: CardItem) -> bool:
        return bool(runs.select_visible([_card(row.card).run], principal))

    page = lists.history(partial(CardItem.by_order.query, order_id), query, is_visible)
    cards = _with_orders([_card(row.card) for row in page.items])
    return Page(cards, page.total, page.next_cursor, page.total_is)


def _list_of_run(run: Run, query: CardsQuery) -> Page[CardOrder]:
    """All its cards, bound or not: their numbers are known, so no index is needed."""
    cursor = query.cursor or "0"
    if not (cursor.isascii() and cursor.isdecimal() and int(cursor) < run.count):
        raise Invalid(issue("cursor", "cursor"))
    first = int(cursor) + 1
    last = min(run.count, first + query.limit - 1)
    cards = _with_orders([Card(run, number) for number in range(first, last + 1)])
    return Page(cards, run.count, str(last) if last < run.count else None)


def _with_orders(cards: Sequence[Card]) -> list[CardOrder]:
    rows = read_rows(cards)
    return [_card_order(card, rows.get(card.key)) for card in cards]


def read_rows(cards: Iterable[Card]) -> dict[str, CardItem]:
    """The rows that there are of cards, by key; 100 a request."""
    keys = list(dict.fromkeys(card.key for card in cards))
    return {row.card: row for row in CardItem.batch_get(keys, consistent_read=True)}


def read_order(row: CardItem | None) -> dict[str, str]:
    """What a card's row says of its order; empty without one."""
    names = ("order_id", "mall", "batch")
    return {name: value for name in names if row and (value := getattr(row, name)) is not None}


def _card(key: str) -> Card:
    code, _, number = key.partition("#")
    return Card(runs.get_kept(f"pr_{code}"), int(number))


def _card_order(card: Card, row: CardItem | None) -> CardOrder:
    return CardOrder(
        print_run_id=card.run.print_run_id,
        number=card.number,
        card=card.label,
        order_id=row.order_id if row else None,
        mall=row.mall if row else None,
        batch=row.batch if row else None,
        bound_at=row.bound_at if row else None,
    )
