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
        (line("joined_group"), {"joins": 1}),
        (line("joined_group", staff_id="ann"), {}),
        (line("welcome_sent"), {"welcomes": 1}),
        (line("welcome_missed"), {"welcomes_missed": 1}),
        (line("welcome_unknown"), {"welcomes_unknown": 1}),
        (line("touch_sent"), {"touches": 1}),
        (line("touch_failed"), {"touches_failed": 1}),
        (line("tags_changed"), {}),
    ],
)
def test_figures(one: Line, adds: dict[str, int]) -> None:
    assert rules.figures(one) == adds


def test_days_are_shanghais() -> None:
    late = Line("wm1", "scanned", datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "k", {"channel": "parcel"})
    early = Line("wm1", "scanned", late.at - timedelta(microseconds=1), "k", {})
    assert rules.keys(late, nowhere) == [("funnel#2026-11-23", "channel#parcel")]
    assert rules.keys(early, nowhere) == [("funnel#2026-11-22", "channel#unknown")]


def nowhere(staff_id: str) -> str | None:
    return None


def test_a_line_counts_for_its_store_or_its_guide_too() -> None:
    at_scan = line("scanned", channel="parcel", staff_id="ann", store_id="s9")
    added = line("customer_added", channel="parcel", staff_id="ann")
    greeted = line("welcome_sent", staff_id="ann")
    assert rules.keys(at_scan, {"ann": "s1"}.get)[1] == ("store#s9#2026-11", "2026-11-22#ann#parcel")
    assert rules.keys(added, {"ann": "s1"}.get)[1] == ("store#s1#2026-11", "2026-11-22#ann#parcel")
    assert rules.keys(added, nowhere)[1] == ("guide#ann#2026-11", "2026-11-22#ann#parcel")
    assert rules.keys(greeted, nowhere) == [
        ("funnel#2026-11-22", "welcomes"),
        ("guide#ann#2026-11", "2026-11-22#ann#"),
    ]


def test_a_line_of_a_code_counts_for_the_code_and_one_that_lapsed_for_it_alone() -> None:
    scanned = line("scanned", channel="parcel", staff_id="ann", live_code_id="lc_1", store_id="s9")
    paid = line("order_paid", paid_fen=100, live_code_id="lc_1", store_id="s9")
    joined = line("joined_group", chat_id="wr1", live_code_id="lc_1")
    lapsed = line("assignment_lapsed", live_code_id="lc_1", staff_id="ann")
    welcomed = line("welcome_sent", staff_id="ann", live_code_id="lc_1")
    of_codes = [[key for key in rules.keys(one, nowhere) if key[0] == "code#lc_1"] for one in
                (scanned, paid, joined, lapsed, welcomed)]  # fmt: skip
    assert of_codes == [
        [("code#lc_1", "2026-11#s9#ann#")],
        [("code#lc_1", "2026-11#s9##")],
        [("code#lc_1", "2026-11###wr1")],
        [("code#lc_1", "2026-11##ann#")],
        [],
    ]
    assert rules.keys(lapsed, nowhere) == of_codes[3]
    entries = rules.by_key([(scanned, "1")], nowhere)
    assert not entries["code#lc_1", "2026-11#s9#ann#"][0].newest  # what happens is shown from elsewhere


def test_the_newest_of_each_kind() -> None:
    early, late = Line("scan#1", "scanned", AT, "k", {}), line("order_paid", order_id="o|1", paid_fen=9900)
    (counter, *_) = rules.by_key([(late, "2"), (early, "1")], nowhere).values()
    _, _, newest = rules.merged(counter)
    seconds = int(AT.timestamp())
    assert rules.newest_of("order_paid", newest["order_paid"]) == rules.Newest(
        "order_paid", seconds, "", "", "o|1", 9900
    )
    assert list(newest) == ["scanned", "order_paid"]


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
