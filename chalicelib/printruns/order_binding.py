"""Cards bound to the orders that they are packed with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from chalicelib.platform import audit, clock, storage
from chalicelib.platform.errors import Conflict, DomainError, Invalid, issue
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.printruns import cards, runs
from chalicelib.printruns.cards import Card
from chalicelib.printruns.models import CardItem
from chalicelib.printruns.types import Binding, BoundCard, Order
from chalicelib.tables import cells

Outcome = Literal["bound", "unchanged", "taken"]
_BATCH = storage.MAX_ACTIONS // 2  # cards in one transaction: each with its entry in the audit
_BUSY = "other desks bind these cards: try again"


class _Wanted(Struct, frozen=True):
    card: Card
    order: Order


def bind(card: Card, order: Order) -> BoundCard:
    """Bind the card to an order. Conflict when it is bound to another; Invalid."""
    _check(order)
    (bound,) = _bind([_Wanted(card, order)])
    if isinstance(bound, DomainError):
        raise bound
    return bound


def bind_many(
    bindings: Sequence[Binding | DomainError], principal: Principal
) -> list[BoundCard | DomainError]:
    """What became of each binding, in their order: bound, or why it was refused; an error stays one."""
    results: dict[int, BoundCard | DomainError] = {}
    wanted: dict[int, _Wanted] = {}
    for number, binding in enumerate(bindings):
        if isinstance(binding, DomainError):
            results[number] = binding
            continue
        try:
            _check(binding)
            wanted[number] = _Wanted(cards.find_by_code(binding.code, principal), binding)
        except DomainError as error:
            if error.retryable:
                raise
            results[number] = error
    results |= zip(wanted, _bind(list(wanted.values())), strict=True)
    return [results[number] for number in range(len(bindings))]


@storage.retrying(_BUSY)
def unbind(card: Card, order_id: str | None) -> bool:
    """Whether it was bound. Conflict when it is bound to another order than `order_id`."""
    row = CardItem.find(card.key)
    if row is None or row.order_id is None:
        return False
    if order_id not in (None, row.order_id):
        raise Conflict(code="card_bound", card=card.label)
    tx = Transaction()
    names = (CardItem.order_id, CardItem.mall, CardItem.batch, CardItem.bound_at)
    actions = [name.remove() for name in names]
    tx.update("card", CardItem(card.key), actions, CardItem.order_id == row.order_id)
    audit.add(tx, "cards.unbind", card.label, cards.read_order(row), None)
    tx.commit()
    return True


def _check(order: Order) -> None:
    """Invalid for an id that a spreadsheet has rounded: several orders' cards would be one's."""
    if damage := cells.damage(cells.plain(order.order_id)):
        raise Invalid(issue("order_id", damage))


def _bind(wanted: Sequence[_Wanted]) -> list[BoundCard | DomainError]:
    for run in {binding.card.run.print_run_id: binding.card.run for binding in wanted}.values():
        runs.start_binding(run)
    outcomes = [outcome for batch in _split(wanted) for outcome in _bind_batch(batch)]
    return [_result(binding, outcome) for binding, outcome in zip(wanted, outcomes, strict=True)]


def _split(wanted: Sequence[_Wanted]) -> Iterator[list[_Wanted]]:
    """Batches in their order, no card twice in one: a transaction takes an item once."""
    batch: dict[str, _Wanted] = {}
    for binding in wanted:
        if binding.card.key in batch or len(batch) == _BATCH:
            yield list(batch.values())
            batch = {}
        batch[binding.card.key] = binding
    if batch:
        yield list(batch.values())


@storage.retrying(_BUSY)
def _bind_batch(batch: Sequence[_Wanted]) -> list[Outcome]:
    rows = cards.read_rows(binding.card for binding in batch)
    tx = Transaction()
    outcomes = [_add(tx, binding, rows.get(binding.card.key)) for binding in batch]
    tx.commit()
    return outcomes


def _add(tx: Transaction, binding: _Wanted, row: CardItem | None) -> Outcome:
    """Put the binding into the transaction, which fails when the card's order is not what `row` says."""
    card, order = binding.card, binding.order
    before = row.order_id if row else None
    if before is not None and not order.rebind:
        return "unchanged" if before == order.order_id else "taken"
    unchanged = CardItem.order_id == before if before is not None else CardItem.order_id.does_not_exist()
    actions = [
        CardItem.order_id.set(order.order_id),
        CardItem.bound_at.set(clock.iso(clock.now())),
        _set_or_remove(CardItem.mall, order.mall),
        _set_or_remove(CardItem.batch, order.batch),
    ]
    tx.update(card.key, CardItem(card.key), actions, unchanged)
    after = {"order_id": order.order_id, "mall": order.mall, "batch": order.batch}
    audit.add(tx, "cards.bind", card.label, cards.read_order(row), _without_null(after))
    return "bound"


def _result(binding: _Wanted, outcome: Outcome) -> BoundCard | DomainError:
    card = binding.card
    if outcome == "taken":
        return Conflict(code="card_bound", card=card.label)
    return BoundCard(
        print_run_id=card.run.print_run_id,
        number=card.number,
        card=card.label,
        status=outcome,
        order_id=binding.order.order_id,
    )


def _set_or_remove(attribute: Any, value: str | None) -> Any:
    return attribute.set(value) if value is not None else attribute.remove()


def _without_null(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}
