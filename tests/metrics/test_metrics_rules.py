"""What each line adds, for which day and channel."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import to_builtins

from chalicelib.metrics import rules
from chalicelib.platform.timeline import Line

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def line(kind: str, **data: Any) -> Line:
    return Line("wm1", kind, AT, "k", data)


@pytest.mark.parametrize(
    ("one", "adds"),
    [
        (line("scanned"), {"scans": 1}),
        (line("customer_added", begins=True, ends=False), {"adds": 1}),
        (line("customer_added", begins=True, ends=True), {"adds": 1, "lost": 1}),
        (line("customer_added", begins=False, ends=False), {}),
        (line("customer_lost", ends=True, by="customer"), {"lost": 1}),
        (line("customer_lost", ends=True, by="transfer"), {}),
        (line("customer_lost", ends=False, by="staff"), {}),
        (line("order_paid", paid_fen=9900, first_order=True), {"orders": 1, "gmv_fen": 9900, "buyers": 1}),
        (line("order_paid", paid_fen=9900, first_order=False), {"orders": 1, "gmv_fen": 9900}),
        (line("order_refunded", refunded_fen=4950), {"gmv_fen": -4950}),
        (line("welcome_sent"), {}),
    ],
)
def test_figures(one: Line, adds: dict[str, int]) -> None:
    assert rules.figures(one) == adds


def test_days_are_shanghais() -> None:
    late = Line("wm1", "scanned", datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "k", {"channel": "parcel"})
    early = Line("wm1", "scanned", late.at - timedelta(microseconds=1), "k", {})
    assert rules.cell(late) == ("2026-11-23", "parcel")
    assert rules.cell(early) == ("2026-11-22", "unknown")


def test_a_sum_keeps_what_is_negative() -> None:
    assert rules.total([{"gmv_fen": 100}, {"gmv_fen": -4950, "orders": 1}]) == {"gmv_fen": -4850, "orders": 1}


def test_a_row_has_the_contracts_keys() -> None:
    row = rules.row("parcel", {"adds": 3, "lost": 1, "scans": 9})
    assert to_builtins(row) == {
        "channel": "parcel",
        "scans": 9,
        "adds": 3,
        "kept": 2,
        "buyers": 0,
        "orders": 0,
        "gmv_fen": 0,
    }
    assert list(to_builtins(row)) == ["channel", "scans", "adds", "kept", "buyers", "orders", "gmv_fen"]


def test_days_and_their_text() -> None:
    assert rules.days(date(2026, 2, 28), date(2026, 3, 1)) == [date(2026, 2, 28), date(2026, 3, 1)]
    assert rules.parse_day("2026-11-22T23:30:00+00:00") == date(2026, 11, 23)
    for wrong in ("2026-13-01", "yesterday", "2026-11-22T23:30:00", "20261122", "2026-W47-7"):
        with pytest.raises(ValueError):
            rules.parse_day(wrong)
