"""What an order is, whatever the order its messages came in.

Malls repeat messages, send them late and out of order. So each thing that a message says is kept with
the stamp of that message, and the newest stamp wins; what a newer message left unsaid an older one
fills in. Refunds are a set by their id. Everything else is computed from that, so two
histories with the same messages are the same order.

What a line is worth is what was paid for it: an order's own discount (what the lines come to, less what was
paid) is spread over the lines, so that nobody earns commission on money that nobody paid.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.orders.types import STATUSES, Contradiction, Message, Order, OrderLine, Refund
from chalicelib.platform import clock

_STAMPED = ("lines", "external_userid", "unionid", "paid_fen", "freight_fen", "share_code")
_ALIVE = ("created", "paid", "shipped", "completed")


class Event(Struct, frozen=True):
    """Something that is news: a status that was reached for the first time, or a refund.

    key: what makes it unique within the order's lines. counted_fen: of a correction, what turnover takes in.
    """

    type: str
    at: datetime
    key: str
    refunded_fen: int | None = None
    counted_fen: int | None = None


class LineAmounts(Struct, frozen=True):
    """What was paid for a line and what of that is gone again: refunded, or all of it when cancelled."""

    line: OrderLine
    paid_fen: int
    refunded_fen: int


def merge(stored: Order | None, message: Message) -> tuple[Order, list[Event]]:
    """The order with the message in it, and what of it is news. The same message again changes nothing."""
    order = stored or Order(message.order_id)
    at = message.occurred_at
    events: list[Event] = []
    if message.status == "refunded":
        refund = message.refund
        if refund is None:
            raise ValueError("a refunded message carries its refund")
        order, events = _with_refund(order, refund, message)
    elif message.status not in order.times:
        events.append(Event(f"order_{message.status}", at, order.order_id))
    newest = max(at, order.times.get(message.status, at))
    merged = replace(
        order,
        times={**order.times, message.status: newest},
        stamped=_newest_values(order.stamped, message),
    )
    return merged, [*events, *_corrections(stored, merged, message, events)]


def _corrections(
    stored: Order | None, order: Order, message: Message, events: list[Event]
) -> Iterator[Event]:
    """What turnover must take in beside these events, to stand at what was paid, less refunds up to that.

    What was paid may be said anew, on the day of the payment; more may be refunded than was paid, which
    turnover takes back on the day of the newest refund. So it is the same in whatever order messages come.
    """
    is_first = any(event.type == "order_paid" for event in events)
    more_paid = 0 if stored is None or is_first else _turnover_paid(order) - _turnover_paid(stored)
    if more_paid:
        yield _correction(order, message, "paid", order.times["paid"], more_paid)
    excess = _refunded_beyond_paid(order) - (_refunded_beyond_paid(stored) if stored else 0)
    if excess:
        newest = max(clock.parse(refund.mark.partition("#")[0]) for refund in order.refunds.values())
        yield _correction(order, message, "refunds", newest, excess)


def _correction(order: Order, message: Message, what: str, at: datetime, fen: int) -> Event:
    key = f"{timeline_key(order.order_id, what)}#{stamp(message)}"
    return Event("order_corrected", at, key, counted_fen=fen)


def _turnover_paid(order: Order) -> int:
    return paid_fen(order) if "paid" in order.times else 0


def _refunded_beyond_paid(order: Order) -> int:
    """Zero while it is not known what was paid."""
    return max(refunded_fen(order) - paid_fen(order), 0) if is_paid(order) else 0


def _with_refund(order: Order, refund: Refund, message: Message) -> tuple[Order, list[Event]]:
    """Of one refund with two amounts the newer counts; the event of the second is the difference."""
    known = order.refunds.get(refund.refund_id)
    key = timeline_key(order.order_id, refund.refund_id)
    told = replace(refund, mark=stamp(message))
    if known is None:
        kept, more = told, refund.amount_fen
    elif (known.amount_fen, known.lines) == (refund.amount_fen, refund.lines):
        # Said again: the newest time counts, so that it does not matter which of three came last.
        kept, more = replace(known, mark=max(known.mark, told.mark)), 0
    else:
        older, newer = sorted((known, told), key=lambda one: one.mark)
        amounts = {*known.others, older.amount_fen} - {newer.amount_fen}
        kept = replace(newer, others=tuple(sorted(amounts)))
        more, key = kept.amount_fen - known.amount_fen, f"{key}#{told.mark}"
    events = [Event("order_refunded", message.occurred_at, key, more)] if known is None or more else []
    return replace(order, refunds={**order.refunds, refund.refund_id: kept}), events


def timeline_key(*parts: str) -> str:
    """What a line of the timeline is unique by: of ids that hold a `#` no two lists of parts are one key."""
    return "#".join(part.replace("%", "%25").replace("#", "%23") for part in parts)


def stamp(message: Message) -> str:
    """Which of two messages is the newer: by time, then by how far the status is, then by content."""
    content = hashlib.sha256(json.dumps(message.to_queue(), sort_keys=True).encode()).hexdigest()[:8]
    return f"{clock.iso(message.occurred_at)}#{STATUSES.index(message.status)}#{content}"


def _newest_values(known: Mapping[str, tuple[str, Any]], message: Message) -> dict[str, tuple[str, Any]]:
    mark = stamp(message)
    newest = dict(known)
    for name in _STAMPED:
        value = getattr(message, name)
        if value is not None and value != () and (name not in newest or mark > newest[name][0]):
            newest[name] = (mark, value)
    return newest


def ordered_at(order: Order) -> datetime:
    """The earliest time that any message gives."""
    return min(order.times.values())


def status(order: Order) -> str:
    """The status of the newest message."""
    return max(order.times, key=lambda name: (order.times[name], STATUSES.index(name)))


def is_paid(order: Order) -> bool:
    """Whether it was ever paid. A completed order was, whether or not a message said so."""
    return "paid" in order.times or "completed" in order.times


def is_counted(order: Order) -> bool:
    """Whether its money is in a channel's figures: a message spoke of a payment, or of a refund."""
    return "paid" in order.times or bool(order.refunds)


def is_cancelled(order: Order) -> bool:
    """Whether it is closed and nothing newer says that it lives.

    Closing an order that was paid means that the trade is off: nothing of it counts any more, with
    or without refund messages. Closing one that was not paid means nothing for anybody's money.
    """
    closed = order.times.get("closed")
    return closed is not None and all(order.times.get(name, closed) <= closed for name in _ALIVE)


def paid_fen(order: Order) -> int:
    """What the buyer paid for all of it: as the mall says, else its lines and the freight."""
    paid = order.value("paid_fen")
    if paid is not None:
        return int(paid)
    return sum(line.paid_fen for line in order.lines) + int(order.value("freight_fen") or 0)


def refunded_fen(order: Order) -> int:
    """All refunds, as the mall says."""
    return sum(refund.amount_fen for refund in order.refunds.values())


def counted_refunds(order: Order) -> Iterator[tuple[Refund, int]]:
    """Each refund with what of it counts, the oldest first: together not more than was paid."""
    left = paid_fen(order)
    for refund in sorted(order.refunds.values(), key=lambda refund: (refund.mark, refund.refund_id)):
        yield refund, min(refund.amount_fen, left)
        left -= min(refund.amount_fen, left)


def adjusted_fen(order: Order) -> int:
    """What was paid, less the freight, less what the lines come to. Zero while the lines are not known."""
    if not order.lines:
        return 0
    return _goods_fen(order) - sum(line.paid_fen for line in order.lines)


def line_amounts(order: Order) -> list[int]:
    """What was paid for each line: the difference of the whole is spread over them in proportion.

    What is paid goes to the goods first, so no line is below zero however small the payment is. Lines that
    cost nothing have no proportion: what was paid for them all the same is spread evenly.
    """
    said = [line.paid_fen for line in order.lines]
    difference = max(_goods_fen(order), 0) - sum(said) if said else 0
    if difference <= 0:
        return [fen - less for fen, less in zip(said, spread(-difference, said), strict=True)]
    weights = said if any(said) else [1] * len(said)
    return [fen + more for fen, more in zip(said, share_out(difference, weights), strict=True)]


def amounts(order: Order) -> tuple[LineAmounts, ...]:
    """Paid and refunded for each line; refunded is never above paid.

    A refund that names its lines is taken from those. What is left of it (it is more than they were worth)
    is of the freight first; the rest, and a refund that names no lines, is spread over what is left of all
    lines, in proportion. What goes beyond what was paid for the lines (freight, or a mall's mistake)
    touches no line: see `excess_fen`. Once all that was paid is given back, nothing is left of any line,
    whichever were named.
    """
    paid = line_amounts(order)
    if is_cancelled(order) or (order.refunds and refunded_fen(order) >= paid_fen(order)):
        return tuple(LineAmounts(line, fen, fen) for line, fen in zip(order.lines, paid, strict=True))
    named, unnamed, of_named = _refunds(order.refunds.values())
    taken = [min(fen, named.get(line.line_id, 0)) for line, fen in zip(order.lines, paid, strict=True)]
    left = [fen - gone for fen, gone in zip(paid, taken, strict=True)]
    freight = paid_fen(order) - sum(paid)
    beyond = max(of_named - sum(taken) - freight, 0)
    spread_out = spread(min(unnamed + beyond, sum(left)), left)
    return tuple(
        LineAmounts(line, fen, gone + more)
        for line, fen, gone, more in zip(order.lines, paid, taken, spread_out, strict=True)
    )


def freight_refunded_fen(order: Order) -> int:
    """What of the refunds is of the freight. Zero while the lines are not known."""
    known = amounts(order)
    if not known:
        return 0
    freight = paid_fen(order) - sum(amount.paid_fen for amount in known)
    if is_cancelled(order):
        return freight
    return min(freight, refunded_fen(order) - sum(amount.refunded_fen for amount in known))


def excess_fen(order: Order) -> int:
    """What was refunded of no line. Zero while the lines are not known."""
    if not order.lines or is_cancelled(order):
        return 0
    return refunded_fen(order) - sum(amount.refunded_fen for amount in amounts(order))


def contradictions(order: Order) -> list[Contradiction]:
    """What the mall's messages say that can't be true of one order, and which of it we go by.

    Of an order that waits for its payment nothing need be paid yet.
    """
    found = []

    def differ(what: str, kept: int, other: int) -> None:
        found.append(Contradiction(what=what, kept=kept, other=other))

    paid, freight = paid_fen(order), int(order.value("freight_fen") or 0)
    if is_paid(order) and adjusted_fen(order):
        differ("paid_fen", paid, sum(line.paid_fen for line in order.lines) + freight)
    if is_paid(order) and paid < freight:
        differ("freight_fen", paid, freight)
    for refund in order.refunds.values():
        for other in refund.others:
            differ(f"refunds.{refund.refund_id}.amount_fen", refund.amount_fen, other)
    named, *_ = _refunds(order.refunds.values())
    lines = {line.line_id: fen for line, fen in zip(order.lines, line_amounts(order), strict=True)}
    for line_id, fen in named.items() if lines else ():
        if fen > lines.get(line_id, 0):
            differ(f"refunds.lines.{line_id}", lines.get(line_id, 0), fen)
    if is_paid(order) and refunded_fen(order) > paid:
        differ("refunded_fen", paid, refunded_fen(order))
    return found


def spread(fen: int, weights: Iterable[int]) -> list[int]:
    """`share_out`, never above a weight, for fen ≤ their sum."""
    known = list(weights)
    if fen > sum(known):
        raise ValueError("there is no more to spread than the weights hold")
    return share_out(fen, known)


def share_out(fen: int, weights: Iterable[int]) -> list[int]:
    """`fen` ≥ 0 in proportion to the weights, exact in sum.

    Largest remainder: each gets its share rounded down, the fen that are left go to the largest
    remainders, the first of equals first.
    """
    known = list(weights)
    total = sum(known)
    if fen < 0 or (fen and not total):
        raise ValueError("there is nothing to spread, or nothing to spread it over")
    if fen == 0:
        return [0] * len(known)
    shares = [fen * weight // total for weight in known]
    by_remainder = sorted(range(len(known)), key=lambda i: (-(fen * known[i] % total), i))
    for i in by_remainder[: fen - sum(shares)]:
        shares[i] += 1
    return shares


def _goods_fen(order: Order) -> int:
    """What was paid for the goods; below zero when less was paid than the freight."""
    return paid_fen(order) - int(order.value("freight_fen") or 0)


def _refunds(refunds: Iterable[Refund]) -> tuple[dict[str, int], int, int]:
    """Refunds by the lines that they name; what names no line; and the whole of those that name some."""
    named: dict[str, int] = {}
    unnamed = of_named = 0
    for refund in refunds:
        for line_id, fen in refund.lines:
            named[line_id] = named.get(line_id, 0) + fen
        if refund.lines:
            of_named += refund.amount_fen
        else:
            unnamed += refund.amount_fen
    return named, unnamed, of_named
