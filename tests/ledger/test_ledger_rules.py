"""Journals: balanced or not made."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger import rules
from chalicelib.ledger.rules import Balance, Cause, Entry, Journal

AT = datetime(2026, 11, 22, tzinfo=timezone.utc)
CAUSE = Cause("d_1", AT, "k", {"order_id": "o"})
FEN = st.integers(1, 10**12)


def after(*journals: Journal) -> Balance:
    sums: dict[str, tuple[int, int]] = {}
    for journal in journals:
        for e in journal.entries:
            debits, credits = sums.get(e.account, (0, 0))
            sums[e.account] = (debits + e.debit_fen, credits + e.credit_fen)
    return Balance("d_1", sums)


@pytest.mark.parametrize(
    "entries",
    [
        (),
        (Entry(rules.PENDING, debit_fen=1),),
        (Entry(rules.PENDING, debit_fen=1), Entry(rules.AVAILABLE, credit_fen=2)),
        (Entry(rules.PENDING, debit_fen=-1), Entry(rules.AVAILABLE, credit_fen=-1)),
        (Entry(rules.PENDING, debit_fen=1, credit_fen=1),),
        (Entry(rules.PENDING), Entry(rules.AVAILABLE)),
        (Entry("liability:mine", debit_fen=1), Entry(rules.AVAILABLE, credit_fen=1)),
    ],
)
def test_an_unbalanced_or_empty_journal_is_not_made(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(ValueError):
        Journal("d_1", "earned", AT, "k", entries)


@given(FEN, FEN, st.integers(0, 10**12))
def test_a_refund_after_maturity_takes_what_is_there_and_the_rest_is_owed(
    fen: int, earned: int, available: int
) -> None:
    written = rules.reversed_matured(CAUSE, fen, available)
    balance = after(*written)
    assert balance.available_fen == -min(fen, available)
    assert balance.debt_fen == max(fen - available, 0)
    assert balance.owed(rules.EXPENSE) == fen


@given(FEN, st.data())
def test_a_payout_goes_out_whole_and_comes_back_but_for_the_debt(gross: int, data: st.DataObject) -> None:
    debt = data.draw(st.integers(0, gross - 1))
    tax = data.draw(st.integers(0, gross - debt - 1))
    net = gross - debt - tax
    started = rules.payout_started(CAUSE, gross, debt, tax)
    sums = after(*started)
    assert (sums.available_fen, sums.in_payout_fen, sums.tax_withheld_fen) == (-gross, net, tax)
    assert sums.debt_fen == -debt
    paid = after(*started, *rules.payout_paid(CAUSE, net))
    assert (paid.in_payout_fen, paid.paid_fen, paid.tax_withheld_fen) == (0, net, tax)
    failed = after(*started, *rules.payout_failed(CAUSE, net, tax))
    assert (failed.in_payout_fen, failed.available_fen, failed.tax_withheld_fen) == (0, -debt, 0)


def test_earned_matured_and_reversed() -> None:
    assert after(*rules.earned(CAUSE, 7, matured=False)).pending_fen == 7
    assert after(*rules.earned(CAUSE, 7, matured=True)).available_fen == 7
    balance = after(*rules.earned(CAUSE, 7, matured=False), *rules.matured(CAUSE, 7))
    assert (balance.pending_fen, balance.available_fen) == (0, 7)
    balance = after(*rules.earned(CAUSE, 7, matured=False), *rules.reversed_pending(CAUSE, 3))
    assert (balance.pending_fen, balance.owed(rules.EXPENSE)) == (4, -4)


def test_the_hash_tells_a_repeat_from_another_journal() -> None:
    (one,), (same,) = rules.matured(CAUSE, 7), rules.matured(CAUSE, 7)
    (other,) = rules.matured(CAUSE, 8)
    assert one.input_hash == same.input_hash != other.input_hash
