"""What is a duration, and what is refused."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform import durations

PARTS = st.integers(0, 99_999_999)


@given(PARTS, PARTS, PARTS, PARTS, PARTS)
def test_a_duration_is_the_sum_of_its_parts(
    weeks: int, days: int, hours: int, minutes: int, seconds: int
) -> None:
    whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    assert durations.parse(f"P{weeks}W{days}DT{hours}H{minutes}M{seconds}S") == whole


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT10M", 600),
        ("PT1H", 3_600),
        ("PT90S", 90),
        ("P1D", 86_400),
        ("P1DT30M", 88_200),
        ("P2W", 1_209_600),
        ("P0D", 0),
        ("PT0S", 0),
    ],
)
def test_each_part_may_be_left_out(text: str, seconds: int) -> None:
    assert durations.parse(text) == timedelta(seconds=seconds)


MISCOUNTED = ["", "P", "PT", "P1DT", "P7", "1D", "PT1.5H", "-P1D", "P-1D", "P７D", "P123456789D"]
MISNAMED = ["P1M", "P1Y", "PT1D", "P1D2W", "PT1S1M", "pt1h", "PT1H ", "PT1H\n"]


@pytest.mark.parametrize("text", [*MISCOUNTED, *MISNAMED])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        durations.parse(text)


@given(st.text("PTDHMSW0123456789.-+\n", max_size=32))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert durations.parse(text) >= timedelta()
