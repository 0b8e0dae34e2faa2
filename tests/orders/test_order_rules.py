"""An order is the same order in whatever order its messages come."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.metrics import rules as metrics
from chalicelib.orders import rules, service
from chalicelib.orders.types import Message, Order, OrderLine, Refund
from chalicelib.platform import events as events_of_platform

T0 = datetime(2026, 11, 22, 2, 0, tzinfo=timezone.utc)
LINES = (OrderLine("1", "MASK-01", "面膜", 2, 4950), OrderLine("2", "CREAM", "霜", 1, 10_000, 1_000))


def message(status: str, minute: int, **more: Any) -> Message:
    return Message("o1", status, T0 + timedelta(minutes=minute), **more)


def refund(number: str, minute: int, fen: int, **lines: int) -> Message:
    named = tuple((name.removeprefix("l"), part) for name, part in lines.items())
    return message("refunded", minute, refund=Refund(number, fen, named))


def play(*messages: Message) -> Order:
    order: Order | None = None
    for one in messages:
        order, _ = rules.merge(order, one)
    assert order is not None
    return order


def refunded(order: Order) -> list[int]:
    return [amount.refunded_fen for amount in rules.amounts(order)]


PAID = message("paid", 1, lines=LINES, share_code="c", paid_fen=18_900, external_userid="wm1")
HISTORY = [
    message("created", 0, lines=LINES[:1]),
    PAID,
    message("shipped", 2),
    message("completed", 3),
    refund("R1", 4, 4_950, l1=4_950),
    refund("R2", 5, 1_001),
    message("closed", 6),
]


@given(st.lists(st.sampled_from(HISTORY), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_arrival_order_and_repeats_do_not_matter(messages: list[Message], random: Any) -> None:
    shuffled = messages + messages[:3]
    random.shuffle(shuffled)
    once, again = play(*dict.fromkeys(messages)), play(*shuffled)
    assert once == again
    assert rules.amounts(once) == rules.amounts(again)


@given(st.permutations(HISTORY))
def test_each_status_and_each_refund_is_news_once(messages: list[Message]) -> None:
    order, told = None, []
    for one in [*messages, *messages]:
        order, events = rules.merge(order, one)
        told += [(event.type, event.key) for event in events if event.type != "order_corrected"]
    assert len(told) == len(set(told)) == len(HISTORY)


def test_an_older_message_fills_in_what_a_newer_one_left_unsaid_and_nothing_else() -> None:
    order = play(message("completed", 9, share_code="new"), PAID)
    assert rules.status(order) == "completed"
    assert order.lines == LINES and order.value("paid_fen") == 18_900
    assert order.value("share_code") == "new"


def test_the_same_message_again_changes_nothing() -> None:
    order = play(*HISTORY)
    assert rules.merge(order, HISTORY[4]) == (order, [])


def test_a_refund_of_named_lines() -> None:
    order = play(refund("R1", 5, 4_000, l1=4_000), PAID)
    assert (refunded(order), rules.excess_fen(order)) == ([4_000, 0], 0)


def test_what_a_refund_gives_back_beyond_the_lines_it_names() -> None:
    """The freight first; the rest is spread over what is left of all lines."""
    with_freight = message("paid", 1, lines=LINES, paid_fen=19_500, freight_fen=600)
    order = play(with_freight, refund("R1", 5, 4_500, l1=4_000))
    assert (refunded(order), rules.freight_refunded_fen(order)) == ([4_000, 0], 500)
    order = play(with_freight, refund("R1", 5, 5_600, l1=4_000))
    assert (refunded(order), rules.freight_refunded_fen(order)) == ([4_000 + 396, 604], 600)
    order = play(with_freight, refund("R1", 5, 5_600, l1=4_000), refund("R2", 6, 100))
    assert (refunded(order), rules.freight_refunded_fen(order)) == ([4_000 + 436, 664], 600)
    assert refunded(play(PAID, refund("R1", 5, 18_899, l1=9_900))) == [9_900, 8_999]


def test_once_all_is_given_back_nothing_is_left_of_a_line_that_was_not_named() -> None:
    order = play(PAID, refund("R1", 5, 18_900, l1=9_900))
    assert (refunded(order), rules.excess_fen(order)) == ([9_900, 9_000], 0)


_FEN = st.integers(0, 30_000)
_REFUNDS = st.lists(st.tuples(_FEN, _FEN, st.sampled_from(["", "l1", "l2", "l9"])), max_size=4)


@given(_REFUNDS, st.integers(0, 30_000), st.sampled_from([None, 0, 600]))
def test_each_fen_that_is_given_back_is_of_a_line_or_of_the_freight(
    refunds: list[tuple[int, int, str]], paid_fen: int, freight_fen: int | None
) -> None:
    order = play(message("paid", 1, lines=LINES, paid_fen=paid_fen, freight_fen=freight_fen))
    for number, (of_line, more, line) in enumerate(refunds):
        named = {line: of_line} if line else {}
        order, _ = rules.merge(order, refund(f"R{number}", 2 + number, of_line + more, **named))
    amounts, freight = rules.amounts(order), rules.freight_refunded_fen(order)
    assert all(0 <= one.refunded_fen <= one.paid_fen for one in amounts)
    assert 0 <= freight <= paid_fen - sum(one.paid_fen for one in amounts)
    assert sum(one.refunded_fen for one in amounts) + freight == min(rules.refunded_fen(order), paid_fen)


@given(_REFUNDS, st.lists(st.integers(0, 30_000), min_size=1, max_size=2), st.randoms(use_true_random=False))
def test_turnover_stands_at_what_was_paid_less_refunds_up_to_that_in_any_order(
    refunds: list[tuple[int, int, str]], paid_fen: list[int], random: Any
) -> None:
    messages = [message("paid", 1 + n, lines=LINES, paid_fen=fen) for n, fen in enumerate(paid_fen)]
    messages += [refund(f"R{n}", 5 + n, of_line + more) for n, (of_line, more, _) in enumerate(refunds)]
    random.shuffle(messages)
    order, turnover, keys = None, 0, []
    for one in [*messages, *messages]:
        order, events = rules.merge(order, one)
        for event in events:
            line = service._line(replace(order, store_id="s"), event, first=False)
            events_of_platform.check(line.type, line.data)
            turnover += metrics.figures(line).get("gmv_fen", 0)
            keys.append((line.at, line.type, line.key))
    assert order is not None and len(keys) == len(set(keys))
    assert turnover == paid_fen[-1] - min(rules.refunded_fen(order), paid_fen[-1])
    assert sum(fen for _, fen in rules.counted_refunds(order)) == min(rules.refunded_fen(order), paid_fen[-1])


def test_what_was_refunded_beyond_the_payment_is_taken_back_on_the_day_of_the_refund() -> None:
    paid = message("paid", 1, lines=LINES, paid_fen=10_000)
    order, _ = rules.merge(None, paid)
    order, events = rules.merge(order, refund("R1", 4, 99_999_999))
    assert [(event.type, event.counted_fen) for event in events] == [
        ("order_refunded", None),
        ("order_corrected", 99_989_999),
    ]
    assert events[0].at == events[1].at


@given(st.text("A#%2", min_size=1, max_size=4), st.text("A#%2", min_size=1, max_size=4), st.data())
def test_two_refunds_are_never_one_line_of_the_timeline(order_id: str, number: str, data: Any) -> None:
    other = data.draw(st.tuples(st.text("A#%2", min_size=1), st.text("A#%2", min_size=1)))
    assert (rules.timeline_key(order_id, number) == rules.timeline_key(*other)) == (
        other == (order_id, number)
    )
    assert rules.timeline_key("A", "B#C") != rules.timeline_key("A#B", "C")
    assert rules.timeline_key("M1", "R1") == "M1#R1"


def test_a_refund_of_no_named_line_is_spread_exactly() -> None:
    assert refunded(play(PAID, refund("R1", 5, 1_001))) == [524, 477]


def test_refunds_above_what_was_paid_are_capped_and_noted() -> None:
    order = play(PAID, refund("R1", 5, 12_000, l1=12_000), refund("R2", 6, 20_000))
    assert refunded(order) == [9_900, 9_000]
    assert rules.excess_fen(order) == 32_000 - 18_900


TWICE = [refund("R1", 5, 100, l1=100), refund("R1", 6, 900, l1=900), refund("R1", 7, 100, l1=100)]


@given(st.lists(st.sampled_from(TWICE), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_of_one_refund_with_two_sums_the_newer_counts(messages: list[Message], random: Any) -> None:
    newest = max(messages, key=lambda one: one.occurred_at)
    assert newest.refund
    order, told = play(PAID), 0
    for one in random.sample(messages, len(messages)):
        order, events = rules.merge(order, one)
        told += sum(event.refunded_fen or 0 for event in events)
    assert refunded(order) == [newest.refund.amount_fen, 0]
    assert told == newest.refund.amount_fen  # what figures were told in all
    others = {one.refund.amount_fen for one in messages if one.refund} - {newest.refund.amount_fen}
    assert [(one.what, one.kept, one.other) for one in rules.contradictions(order)] == [
        ("refunds.R1.amount_fen", newest.refund.amount_fen, other) for other in others
    ]


def of(paid_fen: int | None, *lines: int, freight_fen: int = 0) -> Order:
    """An order whose lines came to these sums."""
    told = tuple(OrderLine(str(n), "s", "t", 1, fen) for n, fen in enumerate(lines))
    return play(message("paid", 1, lines=told, paid_fen=paid_fen, freight_fen=freight_fen))


def what_differs(order: Order) -> list[tuple[str, int, int]]:
    return [(one.what, one.kept, one.other) for one in rules.contradictions(order)]


def test_commission_is_on_what_was_paid() -> None:
    order = of(8_000, 9_900)
    assert (rules.line_amounts(order), rules.adjusted_fen(order)) == ([8_000], -1_900)
    assert what_differs(order) == [("paid_fen", 8_000, 9_900)]
    assert rules.line_amounts(of(1, 9_900)) == [1] and rules.line_amounts(of(0, 9_900, 5)) == [0, 0]
    assert what_differs(of(9_900, 9_900)) == what_differs(of(None, 9_900)) == []
    assert rules.line_amounts(of(None, 9_900, freight_fen=600)) == [9_900]


def test_the_difference_is_spread_by_largest_remainder_the_first_of_equals_first() -> None:
    assert rules.line_amounts(of(299, 100, 100, 100)) == [99, 100, 100]
    assert rules.line_amounts(of(301, 100, 100, 100)) == [101, 100, 100]
    assert rules.line_amounts(of(16_000 + 600, 9_900, 9_000, freight_fen=600)) == [8_381, 7_619]
    assert rules.line_amounts(of(100, 0, 0, 0)) == [34, 33, 33]  # gifts that were paid for all the same


def test_less_than_the_freight_was_paid() -> None:
    order = of(300, 9_900, freight_fen=600)
    assert (rules.line_amounts(order), rules.adjusted_fen(order)) == ([0], -10_200)
    assert what_differs(order) == [("paid_fen", 300, 10_500), ("freight_fen", 300, 600)]


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 10**12), min_size=1, max_size=40),
    st.lists(st.integers(0, 10**12), max_size=3),
)
def test_lines_come_to_what_was_paid_and_none_is_below_zero(
    paid_fen: int, freight_fen: int, lines: list[int], refunds: list[int]
) -> None:
    order = of(paid_fen, *lines, freight_fen=freight_fen)
    for number, fen in enumerate(refunds):
        order, _ = rules.merge(order, refund(f"R{number}", 5, fen))
    amounts = rules.amounts(order)
    assert sum(one.paid_fen for one in amounts) == max(paid_fen - freight_fen, 0)
    assert all(0 <= one.refunded_fen <= one.paid_fen for one in amounts)
    goods = sum(one.paid_fen for one in amounts)
    assert sum(one.refunded_fen for one in amounts) == min(sum(refunds), goods)  # freight last
    assert rules.adjusted_fen(order) == paid_fen - freight_fen - sum(lines)


def test_what_is_not_paid_yet_is_no_contradiction() -> None:
    order = play(message("created", 0, lines=LINES, paid_fen=0, freight_fen=600))
    assert what_differs(order) == []
    assert what_differs(play(message("created", 0, lines=LINES, paid_fen=0), message("completed", 1))) != []


def test_refunds_that_can_not_be_are_shown() -> None:
    order = play(PAID, refund("R1", 5, 12_000, l1=12_000), refund("R2", 6, 9_000, l9=1))
    assert what_differs(order) == [
        ("refunds.lines.1", 9_900, 12_000),
        ("refunds.lines.9", 0, 1),
        ("refunded_fen", 18_900, 21_000),
    ]


def test_closing_a_paid_order_cancels_it_unless_something_newer_says_it_lives() -> None:
    assert refunded(play(PAID, message("closed", 5))) == [9_900, 9_000]
    assert refunded(play(PAID, message("closed", 5), message("completed", 3))) == [9_900, 9_000]
    assert refunded(play(message("closed", 0), PAID)) == [0, 0]
    assert not rules.is_paid(play(message("closed", 5, lines=LINES)))


def test_a_completed_order_was_paid_and_a_shipped_one_not_yet() -> None:
    assert rules.is_paid(play(message("completed", 3)))
    assert not rules.is_paid(play(message("shipped", 3), refund("R", 4, 1)))


def test_what_was_paid_in_all_when_nobody_says() -> None:
    assert rules.paid_fen(play(message("paid", 1, lines=LINES, freight_fen=600))) == 19_500
    assert rules.paid_fen(play(PAID)) == 18_900


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40), st.data())
def test_spreading_is_exact_and_never_above_a_weight(weights: list[int], data: st.DataObject) -> None:
    fen = data.draw(st.integers(0, sum(weights)))
    shares = rules.spread(fen, weights)
    assert sum(shares) == fen
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))
    total = sum(weights) or 1
    assert all(abs(share * total - fen * w) < total for share, w in zip(shares, weights, strict=True))


def test_there_is_no_more_to_spread_than_there_is() -> None:
    with pytest.raises(ValueError):
        rules.spread(3, [1, 1])


def test_a_message_goes_through_the_queue_unchanged() -> None:
    for one in HISTORY:
        assert Message.from_queue(one.to_queue()) == one
