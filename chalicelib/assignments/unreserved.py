"""What is shown to whom nothing is reserved for: a robot, a prefetch, an address that is over its limit.

Somebody may be behind it all the same, so it is a guide whom the rule would give now; whoever adds them is
their customer. Nothing is written: no ticket is taken, no place, and there is no line of the timeline. Their
first contact way is shown; guides who have one go before those for whom it would have to be made.
"""

import random
from datetime import datetime

from msgspec.structs import replace

from chalicelib.assignments import rules
from chalicelib.assignments.occupancy import occupancy
from chalicelib.assignments.types import CLOSED, Scan
from chalicelib.contactways.service import way, without_way
from chalicelib.livecodes.rules import Rule, day_of
from chalicelib.livecodes.service import LiveCode


def show(
    live_code: LiveCode,
    now: datetime,
    rule: Rule | None = None,
    store_id: str | None = None,
    poster: str | None = None,
) -> Scan:
    """A guide with a place left, fallback staff before members: they are there for what is beyond the rule.

    rule: of a store's guides, of whom nobody off duty is shown. poster: whose own it is: they come first.
    CLOSED: there is none. Upstream, UsedUp.
    """
    own, rule = rule is None, rule or live_code.rule
    full = occupancy(live_code.live_code_id, rule, day_of(rule, now), now).full
    lacking = without_way(live_code.live_code_id, set(rule.staff_ids) - full)
    for avoided in (full | lacking, full):
        for pool in (rule,) if poster else (replace(rule, members=()), rule):
            turn = random.randint(1, 1_000_000)  # noqa: S311  # nosec B311 (not a secret)
            decision = rules.decide(pool, turn, now, frozenset(avoided), poster=poster)
            if decision.staff_id is not None and (own or decision.kind != "off_hours"):
                shown = way(live_code, decision.staff_id)
                return Scan("staff", staff_id=shown.staff_id, store_id=store_id, qr_url=shown.qr_url)
    return CLOSED
