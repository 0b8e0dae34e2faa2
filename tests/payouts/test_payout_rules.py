"""What goes out: tax by the table, minimum, numbers, and when to ask again."""

from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.payouts import rules
from chalicelib.payouts.rules import Month

T0 = datetime(2026, 11, 22, 2, 0, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("yuan", "tax"),
    [
        ("0.10", "0"),
        ("800", "0"),
        ("800.01", "0"),  # 0.2 fen
        ("800.03", "0"),  # 0.6 fen
        ("800.05", "0.01"),
        ("1000", "40"),
        ("4000", "640"),
        ("3999.99", "639.99"),  # 639.998
        ("4000.01", "640"),  # 640.0016
        ("4000.07", "640.01"),
        ("10000", "1600"),
        ("24999.95", "3999.99"),
        ("25000", "4000"),  # 20,000 taxable: the end of the first bracket
        ("25000.04", "4000"),
        ("25000.05", "4000.01"),
        ("30000", "5200"),
        ("62499.95", "12999.98"),
        ("62500", "13000"),  # 50,000
        ("62500.04", "13000.01"),
        ("100000", "25000"),
    ],
)
def test_tax_by_the_table(yuan: str, tax: str) -> None:
    assert rules.tax(int(Decimal(yuan) * 100)) == Decimal(tax) * 100


@given(st.integers(0, 10**9))
def test_tax_beside_the_same_in_decimal(fen: int) -> None:
    gross = Decimal(fen) / 100
    taxable = max(gross - 800, Decimal(0)) if gross <= 4_000 else gross * Decimal("0.8")
    rate, quick = (
        (Decimal("0.2"), 0)
        if taxable <= 20_000
        else (Decimal("0.3"), 2_000)
        if taxable <= 50_000
        else (Decimal("0.4"), 7_000)
    )
    expected = ((taxable * rate - quick) * 100).quantize(Decimal(1), ROUND_DOWN)
    assert rules.tax(fen) == expected


def test_what_is_paid_out() -> None:
    new = Month()
    assert rules.sums(99, 0, 100, "labour_month", new) is None
    assert rules.sums(150, 51, 100, "labour_month", new) is None
    assert rules.sums(9, 0, 0, "none", new) is None  # WeChat's own minimum
    found = rules.sums(110_000, 10_000, 100, "labour_month", new)
    assert found and (found.gross_fen, found.tax_fen, found.net_fen) == (100_000, 4_000, 96_000)
    untaxed = rules.sums(100_000, 0, 100, "none", new)
    assert untaxed and untaxed.net_fen == 100_000
    before = Month(70_000, 0)
    once, month = (rules.sums(70_000, 0, 100, kind, before) for kind in ("labour_once", "labour_month"))
    assert once and month and (once.tax_fen, month.tax_fen) == (0, 12_000)
    assert rules.sums(11, 0, 0, "labour_month", Month(80_000, 0)) is None  # 9 fen would be left
    assert rules.sums(13, 0, 0, "labour_month", Month(80_000, 0)) is not None


@pytest.mark.parametrize(
    ("slices", "withheld"),
    [
        ([70_000] * 3, [0, 12_000, 14_000]),  # 260.00
        ([79_900] * 3, [0, 15_960, 15_980]),  # 319.40
    ],
)
def test_a_months_slices_are_one_payment(slices: list[int], withheld: list[int]) -> None:
    month, found = Month(), []
    for fen in slices:
        found.append(rules.tax_in_month(fen, month))
        month = Month(month.gross_fen + fen, month.tax_fen + found[-1])
    assert found == withheld


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=30))
def test_however_a_month_is_sliced_its_tax_is_the_whole_s(slices: list[int]) -> None:
    month = Month()
    for fen in slices:
        withheld = rules.tax_in_month(fen, month)
        assert 0 <= withheld <= fen
        month = Month(month.gross_fen + fen, month.tax_fen + withheld)
        assert month.tax_fen == rules.tax(month.gross_fen)


def test_a_month_is_shanghais() -> None:
    assert rules.month_of(datetime(2026, 11, 30, 15, 59, tzinfo=timezone.utc)) == "2026-11"
    assert rules.month_of(datetime(2026, 11, 30, 16, 0, tzinfo=timezone.utc)) == "2026-12"


def test_a_payouts_number_is_its_own_and_always_the_same() -> None:
    one = rules.payout_id("st_1", "d_1")
    assert one == rules.payout_id("st_1", "d_1")
    assert len({one, rules.payout_id("st_1", "d_2"), rules.payout_id("st_2", "d_1")}) == 3
    assert len(one) == 32 and one.isalnum() and one.isascii()


def test_scheduled_settlements_one_a_period() -> None:
    assert rules.scheduled_id("P1D", date(2026, 11, 22)) == "st_p1d_20261122"
    assert rules.scheduled_id("P7D", date(2026, 11, 16)) == rules.scheduled_id("P7D", date(2026, 11, 22))
    assert rules.scheduled_id("P7D", date(2026, 11, 23)) != rules.scheduled_id("P7D", date(2026, 11, 22))
    assert rules.scheduled_id("P1M", date(2026, 11, 1)) == "st_p1m_202611"


def test_polls_grow_to_one_an_hour_and_make_one_series() -> None:
    now, gaps = T0, []
    for _ in range(12):
        following = rules.next_poll(T0, now)
        assert following == rules.next_poll(T0, now + (following - now) / 2)
        gaps.append(following - now)
        now = following
    assert gaps[:4] == [timedelta(minutes=m) for m in (1, 2, 4, 8)]
    assert gaps[-1] == timedelta(hours=1) == max(gaps)
