"""What happens now: the day's counters, which are written anyway, read as one version and as events.

A look costs one Query of the day's counters of a corp (or of each store of a scope) and writes nothing: the
version is a digest of what they hold, the events are the newest line of each kind that each of them keeps.
Names are read when something is new, and only then.
"""

import hashlib
from datetime import UTC, datetime

import msgspec

from chalicelib.customers import service as customers
from chalicelib.groups import service as groups
from chalicelib.home.types import LiveEvent, Pulse
from chalicelib.livecodes import service as livecodes
from chalicelib.metrics import rules as figures
from chalicelib.metrics import service as metrics
from chalicelib.metrics.rules import Cell, Newest
from chalicelib.platform import audit, clock
from chalicelib.platform.principal import Principal
from chalicelib.staff import service as staff

_SHOWN = 30  # events


def version(cells: list[Cell]) -> str:
    """The same for the same counters."""
    return hashlib.sha256(msgspec.json.encode(sorted(cells, key=lambda cell: cell.what))).hexdigest()[:16]


def cells_of(principal: Principal) -> list[Cell]:
    return metrics.today(figures.day_of(clock.now()), principal)


def show(cells: list[Cell], principal: Principal) -> Pulse:
    newest = sorted({one for cell in cells for one in cell.newest}, key=lambda one: one.at, reverse=True)
    today = figures.day_row(
        figures.day_of(clock.now()).isoformat(), figures.total(cell.figures for cell in cells)
    )
    return Pulse(version=version(cells), today=today, events=_named(newest[:_SHOWN], principal))


def _named(newest: list[Newest], principal: Principal) -> list[LiveEvent]:
    codes = livecodes.get_many({one.live_code_id for one in newest if one.live_code_id})
    guides = staff.names({one.staff_id for one in newest if one.staff_id})
    chats = {
        one.chat_id: one.name for one in groups.describe(sorted({o.chat_id for o in newest if o.chat_id}))
    }
    people = customers.several({person for one in newest if (person := _person(one))})
    events = []
    for one in newest:
        code, who = codes.get(one.live_code_id), _person(one)
        name = people[who].name if who in people else None
        if principal.sees_masked:
            who, name = who and audit.MASK, name and audit.MASK
        events.append(
            LiveEvent(
                kind=one.kind,  # type: ignore[arg-type]
                at=clock.iso(datetime.fromtimestamp(one.at, UTC)),
                live_code_id=one.live_code_id or None,
                live_code=code.name if code else None,
                staff_id=one.staff_id or None,
                staff=guides.get(one.staff_id),
                chat_id=one.chat_id or None,
                chat=chats.get(one.chat_id),
                assignment_id=one.thing or None if one.kind == "scanned" else None,
                external_userid=who,
                customer=name,
                order_id=one.thing if one.kind.startswith("order_") else None,
                amount_fen=one.fen if one.kind.startswith("order_") else None,
            )
        )
    return events


def _person(one: Newest) -> str | None:
    """The customer whom it is about; an order's buyer is the order's business."""
    return one.thing if one.thing and not one.kind.startswith(("order_", "scanned")) else None
