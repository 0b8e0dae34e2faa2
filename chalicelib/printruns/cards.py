"""One card: scanned, bound to an order, looked up.

Its token says which run and number it is, so a scan reads nothing for it but the run, which a process
keeps for seconds. A card has a row only once it is bound to an order or, in a single-use run, held.

A single-use card is held by the first person who gets an assignment with it, as long as that is
reserved or confirmed. Of two phones at once both are assigned, one holds the card by the row's
condition, and the other's place is given back at once.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from chalicelib.assignments.lapse import holds, lapse
from chalicelib.assignments.types import Scan
from chalicelib.platform import clock, storage
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.printruns import rules, runs
from chalicelib.printruns.models import CardItem
from chalicelib.printruns.runs import Run

CLOSED, USED = Scan("closed"), Scan("closed")  # told apart by identity: the page has kinder words for USED
_MAX_USES = 10  # of one person's assignments that a card remembers
Uses = list[dict[str, str]]


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
    found = rules.parse(runs.key(), token)
    if found is None:
        raise NotFound("there is no such live code")
    run = runs.kept(f"pr_{found[0]}")
    return Card(run, run.find(found[1]))


def named(code: str) -> Card:
    """The card of a link, a token, or a printed number. NotFound."""
    if label := rules.parse_label(code):
        run = runs.by_prefix(label[0])
        return Card(run, run.find(label[1]))
    return find(rules.token_in(code))


def numbered(print_run_id: str, number: str) -> Card:
    """The card of a run by its number, with or without the prefix. NotFound."""
    run = runs.get(print_run_id)
    digits = number.removeprefix(f"{run.prefix}-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 7):
        raise NotFound(f"the run has no card {number}")
    return Card(run, run.find(int(digits)))


def scan(card: Card, cookie: str | None, decide: Callable[[Mapping[str, Any]], Scan]) -> Scan:
    """What a scan of the card gets. `decide(origin)`: the live code's own decision; `cookie`: as there."""
    run = card.run
    if run.status(clock.now()) != "open":
        return CLOSED
    row = CardItem.find(card.key) if run.single or run.binds else None
    origin = {"print_run_id": run.print_run_id, "card": card.number}
    if row is not None:
        origin |= _order(row)
    if not run.single:
        return decide(origin)
    uses: Uses = list(row.uses or []) if row else []
    mine = cookie.partition(".")[0] if cookie else None
    own = any(use["assignment_id"] == mine for use in uses)
    if not own and any(_stands(run, use) for use in uses):
        return USED
    found = decide(origin)
    if found.assignment_id is None or any(use["assignment_id"] == found.assignment_id for use in uses):
        return found
    if _hold(card, row, [*uses, _use(found)] if own else [_use(found)]):
        return found
    if found.assignment_id != mine:  # one just made: its place is free again
        lapse(run.live_code_id, _member(found), found.assignment_id)
    return USED


def bind(card: Card, order: Mapping[str, Any]) -> str:
    """Bind the card to an order: `bound`, or `unchanged`. Conflict when it is bound to another.

    order: `{"order_id","mall","batch","rebind"}`.
    """
    runs.will_bind(card.run)
    told = [
        CardItem.order_id.set(order["order_id"]),
        CardItem.bound_at.set(clock.iso(clock.now())),
        *(_set_or_remove(CardItem.mall, order["mall"])),
        *(_set_or_remove(CardItem.batch, order["batch"])),
    ]
    free = None if order["rebind"] else CardItem.order_id.does_not_exist()
    if storage.update_if(CardItem(card.key), told, free):
        return "bound"
    there = CardItem.find(card.key)
    if there is not None and there.order_id == order["order_id"]:
        return "unchanged"
    raise Conflict(f"{card.label} is bound to another order")


def unbind(card: Card, order_id: str | None) -> bool:
    """Whether it was bound. Conflict when it is bound to another order than `order_id`."""
    row = CardItem(card.key)
    bound = CardItem.order_id.exists() if order_id is None else CardItem.order_id == order_id
    names = (CardItem.order_id, CardItem.mall, CardItem.batch, CardItem.bound_at)
    if storage.update_if(row, [name.remove() for name in names], bound):
        return True
    there = CardItem.find(card.key)
    if there is None or there.order_id is None:
        return False
    raise Conflict(f"{card.label} is bound to another order")


def order_of(print_run_id: str, number: int) -> dict[str, str] | None:
    """`{"order_id","mall"?,"batch"?}` of a card, None when it is bound to none."""
    row = CardItem.find(f"{print_run_id.removeprefix('pr_')}#{number:07}")
    return (_order(row) or None) if row else None


def of_order(order_id: str, limit: int, cursor: str | None) -> tuple[list[Card], str | None]:
    """The cards that are bound to an order, and the next cursor."""
    query = partial(CardItem.by_order.query, order_id, limit=limit)
    rows, following = storage.page(query, cursor)
    keys = [row.card.split("#") for row in rows]
    return [Card(runs.kept(f"pr_{code}"), int(number)) for code, number in keys], following


def shown(card: Card) -> dict[str, Any]:
    """A card as the API tells it. `used`: whether somebody holds it; null in a many-use run."""
    row = CardItem.find(card.key)
    order = _order(row) if row else {}
    uses: Uses = list(row.uses or []) if row else []
    return {
        "print_run_id": card.run.print_run_id,
        "number": card.number,
        "card": card.label,
        "url": runs.url(card.run, card.number),
        "order_id": order.get("order_id"),
        "mall": order.get("mall"),
        "batch": order.get("batch"),
        "bound_at": row.bound_at if row else None,
        "used": any(_stands(card.run, use) for use in uses) if card.run.single else None,
    }


def _stands(run: Run, use: Mapping[str, str]) -> bool:
    """Whether the assignment still holds the card; one whose time is over lapses here and now."""
    return holds(run.live_code_id, use["member"], use["assignment_id"])


def _hold(card: Card, row: CardItem | None, uses: Uses) -> bool:
    """Write who holds the card, unless somebody else has since `row` was read."""
    kept = uses
    if len(uses) > _MAX_USES:  # what has lapsed goes first: the others keep strangers out
        kept = [*(use for use in uses[:-1] if _stands(card.run, use)), uses[-1]]
        kept = kept if len(kept) <= _MAX_USES else [kept[0], *kept[1 - _MAX_USES :]]
    seen = row.version if row else None
    free = CardItem.version == seen if seen is not None else CardItem.version.does_not_exist()
    told = [CardItem.uses.set(kept), CardItem.version.set((seen or 0) + 1)]
    try:
        return storage.update_if(CardItem(card.key), told, free)
    except storage.Unsure:
        there = CardItem.find(card.key)
        return there is not None and uses[-1] in (there.uses or [])


def _use(found: Scan) -> dict[str, str]:
    return {"assignment_id": str(found.assignment_id), "member": _member(found)}


def _member(found: Scan) -> str:
    return str(found.staff_id or found.chat_id)


def _order(row: CardItem) -> dict[str, str]:
    names = ("order_id", "mall", "batch")
    return {name: getattr(row, name) for name in names if getattr(row, name) is not None}


def _set_or_remove(attribute: Any, value: str | None) -> list[Any]:
    return [attribute.set(value)] if value is not None else [attribute.remove()]
