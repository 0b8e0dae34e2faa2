"""What a scan of a printed card gets: what its live code gives, unless its run is over or it is used."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.assignments.lapse import lapse
from chalicelib.assignments.types import Scan
from chalicelib.platform import clock
from chalicelib.printruns import cards, single_use
from chalicelib.printruns.cards import Card
from chalicelib.printruns.models import CardItem

CLOSED, USED = Scan("closed"), Scan("closed")  # told apart by identity: the page has kinder words for USED


def scan(card: Card, cookie: str | None, decide: Callable[[Mapping[str, Any]], Scan]) -> Scan:
    """`decide(origin)`: the live code's own decision; `cookie`: as there."""
    run = card.run
    if run.status(clock.now()) != "open":
        return CLOSED
    row = CardItem.find(card.key) if run.single or run.binds else None
    origin = {"print_run_id": run.print_run_id, "card": card.number, **cards.read_order(row)}
    if not run.single:
        return decide(origin)
    uses = single_use.read_uses(row)
    cookies_assignment = cookie.partition(".")[0] if cookie else None
    is_own = any(use["assignment_id"] == cookies_assignment for use in uses)
    if not is_own and single_use.is_held(run, row):
        return USED
    decision = decide(origin)
    if decision.assignment_id is None or any(use["assignment_id"] == decision.assignment_id for use in uses):
        return decision
    new_use = single_use.use_of(decision)
    if single_use.hold(run, card.key, row, [*uses, new_use] if is_own else [new_use]):
        return decision
    if decision.assignment_id != cookies_assignment:  # a new assignment: its place is free again
        lapse(run.live_code_id, single_use.member_of(decision), decision.assignment_id)
    return USED
