"""Ageing of accounts, as a rule."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.staff import rules
from chalicelib.staff.types import RampStep

TABLE = (RampStep(3, 20), RampStep(7, 50))
DAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("age", "expected"), [(1, 20), (3, 20), (4, 50), (7, 50), (8, None), (400, None), (0, 20), (-5, 20)]
)
def test_the_cap_goes_by_the_accounts_day(age: int, expected: int | None) -> None:
    assert rules.cap(TABLE, DAY - timedelta(days=age - 1), None, DAY) == expected


def test_an_own_cap_holds_at_any_age_and_the_smaller_counts() -> None:
    assert rules.cap(TABLE, None, None, DAY) is None
    assert rules.cap(TABLE, None, 7, DAY) == 7
    assert rules.cap(TABLE, DAY, 7, DAY) == 7
    assert rules.cap(TABLE, DAY, 70, DAY) == 20
    assert rules.cap(TABLE, DAY, 0, DAY) == 0
    assert rules.cap((), DAY, None, DAY) is None


def test_a_day_is_one_in_shanghai() -> None:
    assert rules.today(datetime(2026, 11, 22, 15, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert rules.today(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == DAY


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 500)), max_size=8), st.integers(0, 80))
def test_a_table_that_rises_never_falls_as_an_account_ages(pairs: list[tuple[int, int]], age: int) -> None:
    days, caps = sorted({day for day, _ in pairs}), sorted(cap for _, cap in pairs)
    steps = [RampStep(day, cap) for day, cap in zip(days, caps, strict=False)]
    assert not rules.out_of_order(steps)
    begun = DAY - timedelta(days=age)
    today, tomorrow = (rules.cap(steps, begun, None, DAY + timedelta(days=n)) for n in (0, 1))
    assert tomorrow is None or (today is not None and today <= tomorrow)


def test_steps_must_go_on_in_time() -> None:
    assert rules.out_of_order([RampStep(3, 20), RampStep(3, 50), RampStep(2, 9)]) == [1, 2]
