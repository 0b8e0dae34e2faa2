"""Commission: ⌊rate × (paid − refunded)⌋ per line and level; two levels, never three."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.distribution import rules
from chalicelib.distribution.types import Attribution, Distributor, Level, NewPlan, Plan, Sale, SaleLine

T0 = datetime(2026, 11, 22, tzinfo=timezone.utc)
PLAN = Plan("p", "P", (1_000, 300), None, "P7D", "P30D", 100, "labour_month", None, "")
ONE = Distributor("d_1", "1", "sealed", "p", "d_2", "wm1", None, "active", "")
TWO = replace(ONE, distributor_id="d_2", share_code="2", parent_id=None)
THREE = replace(ONE, distributor_id="d_3", share_code="3", parent_id=None)


def sale(*lines: SaleLine, completed_at: datetime | None = None) -> Sale:
    return Sale("o", "o#1", T0, True, "1", lines, completed_at, None)


def test_a_third_level_is_refused_with_the_law() -> None:
    assert rules.check_rates([1_000, 300]) == []
    (refused,) = rules.check_rates([1_000, 300, 100])
    assert refused.field == "levels"
    assert all("禁止传销条例" in refused.message(language) for language in ("zh", "en"))
    assert rules.check_rates([]) and rules.check_rates([9_000, 1_001])


@given(
    st.integers(0, 10_000),
    st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=40),
)
def test_each_line_rounded_down(rate: int, amounts: list[tuple[int, int]]) -> None:
    lines = [SaleLine(str(i), "s", paid, min(paid, gone)) for i, (paid, gone) in enumerate(amounts)]
    for line, found in zip(lines, rules.on_lines(lines, rate, None), strict=True):
        base = line.paid_fen - line.refunded_fen
        assert found.amount_fen * 10_000 <= base * rate < (found.amount_fen + 1) * 10_000


def test_only_what_is_in_scope_earns() -> None:
    lines = [SaleLine("1", "A", 100, 0), SaleLine("2", "B", 100, 0)]
    assert [found.line_id for found in rules.on_lines(lines, 1_000, ["B"])] == ["2"]


def test_a_level_for_each_who_is_there_and_no_third() -> None:
    begun = rules.begin(sale(), PLAN, [ONE, TWO, THREE], "")
    assert [(c.distributor_id, c.level, c.rate_bps) for c in begun] == [("d_1", 1, 1_000), ("d_2", 2, 300)]
    assert [c.level for c in rules.begin(sale(), PLAN, [TWO], "")] == [1]


def test_a_commission_follows_its_sale_with_the_rate_it_began_with() -> None:
    (begun, _) = rules.begin(sale(), PLAN, [ONE, TWO], "")
    paid = rules.recompute(begun, sale(SaleLine("1", "A", 9_900, 0)))
    assert (paid.amount_fen, paid.status, paid.mature_at) == (990, "pending", None)
    done = rules.recompute(paid, sale(SaleLine("1", "A", 9_900, 4_951), completed_at=T0))
    assert (done.amount_fen, done.mature_at) == (494, T0 + timedelta(days=7))
    gone = rules.recompute(done, sale(SaleLine("1", "A", 9_900, 9_900), completed_at=T0))
    assert (gone.amount_fen, gone.status) == (0, "reversed")


def test_one_line_may_be_gone_while_the_other_stands() -> None:
    (begun, _) = rules.begin(sale(), PLAN, [ONE, TWO], "")
    found = rules.recompute(begun, sale(SaleLine("1", "A", 100, 100), SaleLine("2", "A", 5, 0)))
    assert [found.line_status(line) for line in found.lines] == ["reversed", "pending"]
    assert found.status == "pending"  # though 10 % of 5 fen is nothing


def test_every_attribution_says_why() -> None:
    assert rules.attribution("1", [ONE, TWO], PLAN, "credit_parent") == Attribution(
        by="share_code",
        share_code="1",
        distributor_id="d_1",
        parent_id="d_2",
        plan_id="p",
        why="credit_share_code",
        parent_why="credit_parent",
    )
    assert rules.attribution("1", [ONE, TWO], replace(PLAN, rates=(1_000,)), "").parent_id is None
    assert rules.reason_of("this distributor has left") == rules.reason_of("credit_left") == "credit_left"


def test_who_must_not_earn() -> None:
    assert rules.who_must_not_earn(["a", "b"], {"c"}, False) == (False, False)
    assert rules.who_must_not_earn(["a", "b"], {"a"}, False) == (True, True)  # one's own, and so no level two
    assert rules.who_must_not_earn(["a", "b"], {"b"}, False) == (False, True)  # the parent's own
    assert rules.who_must_not_earn(["a", "b"], {"a"}, True) == (False, False)
    assert rules.who_must_not_earn(["a", "a"], set(), True) == (False, True)  # nobody is their own parent


@pytest.mark.parametrize(
    "typed",
    [
        "Ab3dE9xZ",
        " Ab3dE9xZ ",
        "\tAb3dE9xZ\r\n",
        "Ａｂ３ｄＥ９ｘＺ",
        "\u3000Ab3d\u200bE9xZ\ufeff",
        "Ab3d E9xZ",
    ],
)
def test_a_share_code_as_people_type_it(typed: str) -> None:
    assert rules.clean_code(typed) == "Ab3dE9xZ"


def test_tax_in_either_word() -> None:
    def told(**words: Any) -> tuple[str, list[str]]:
        plan = NewPlan(name="p", levels=[Level(rate_bps=1)], **words)
        return rules.tax_of(plan), [issue.field for issue in rules.check_plan(plan)]

    assert told() == told(withhold_tax=True) == told(tax="labour_month") == ("labour_month", [])
    assert told(withhold_tax=False) == told(tax="none", withhold_tax=False) == ("none", [])
    assert told(tax="labour_once") == ("labour_once", [])
    assert told(tax="none", withhold_tax=True)[1] == ["withhold_tax"]


def test_a_plan_may_wait_for_27_years_but_not_for_ever() -> None:
    def wrong(mature_after: str) -> list[tuple[str, str]]:
        plan = NewPlan(name="p", levels=[Level(rate_bps=1)], mature_after=mature_after)
        return [(issue.field, issue.code) for issue in rules.check_plan(plan)]

    assert wrong("P9999D") == []
    for text in ("P9999DT1S", "P99999999W", "7 days"):
        assert wrong(text) == [("mature_after", "duration")]
