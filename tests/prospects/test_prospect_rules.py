"""Who gets whom, what a day holds, what may become of whom."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.prospects import rules
from chalicelib.prospects.rules import Rule, day_list, guide_of


def test_round_robin_goes_round() -> None:
    rule = Rule("round_robin", (("a", 1), ("b", 1), ("c", 1)))
    assert [guide_of(rule, n) for n in range(5)] == ["a", "b", "c", "a", "b"]


@given(st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 40), min_size=1))
def test_weights_are_exact_over_a_round(weights: dict[str, int]) -> None:
    rule = Rule("weighted", tuple(sorted(weights.items())))
    total = sum(weights.values())
    found = Counter(guide_of(rule, n) for n in range(total))
    assert found == Counter(weights)


def test_weights_are_mixed_and_not_one_after_another() -> None:
    rule = Rule("weighted", (("a", 50), ("b", 50)))
    assert len({guide_of(rule, n) for n in range(3)}) == 2


def test_stores_and_columns_name_their_guides() -> None:
    by_store = Rule("by_store", (("spare", 1),))
    assert guide_of(by_store, 3, of_store=("a", "b")) == "b"
    assert guide_of(by_store, 3) == "spare"
    assert guide_of(Rule("by_column"), 0, named="x") == "x"
    assert guide_of(Rule("by_column"), 0) is None
    assert guide_of(by_store.without(["spare"]), 0) is None


@st.composite
def days(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[tuple[str, str]], int, dict[str, int]]:
    ids = draw(st.lists(st.integers(0, 60), unique=True, max_size=40))
    rows = [(f"p{i}", draw(st.sampled_from(["im1", "im2", "im3"]))) for i in ids]
    cut = draw(st.integers(0, min(3, len(rows))))
    pace = draw(st.integers(max(cut, 1), 30))
    paces = draw(st.dictionaries(st.sampled_from(["im1", "im2", "im3"]), st.integers(1, 10)))
    return rows[:cut], rows, pace, paces


@given(days())
def test_a_day_keeps_the_paces_and_whats_listed(
    day: tuple[list[tuple[str, str]], list[tuple[str, str]], int, dict[str, int]],
) -> None:
    listed, waiting, pace, paces = day
    found = day_list(listed, waiting, pace, paces)
    imports = dict(waiting)
    assert found[: len(listed)] == [p for p, _ in listed]
    assert len(found) == len(set(found)) <= pace
    for import_id, most in paces.items():
        of_it = sum(imports[p] == import_id for p in found)
        assert of_it <= max(most, sum(i == import_id for _, i in listed))
    # Nobody waits for whom there was room.
    for prospect_id, import_id in waiting:
        if prospect_id not in found:
            full = sum(imports[p] == import_id for p in found) >= paces.get(import_id, pace)
            assert full or len(found) == pace
    again = day_list([(p, imports[p]) for p in found], waiting, pace, paces)
    assert again == found


@pytest.mark.parametrize("status", [*rules.STATUSES, rules.ERASED])
def test_added_and_erased_are_final_for_people(status: str) -> None:
    assert not rules.may(rules.ADDED, status)
    assert not rules.may(rules.ERASED, status)
    assert not rules.may(status, rules.ADDED)  # by an arrival only
    assert rules.may_be_added(status) == (status not in (rules.ADDED, rules.ERASED))


def test_codes_are_found_in_remarks() -> None:
    assert rules.codes_in("张三 k7f3qx2m") == ["k7f3qx2m"]
    assert rules.codes_in("K7F3QX2M张三") == ["k7f3qx2m"]
    assert rules.codes_in("xk7f3qx2m 12345678") == []
    remark = rules.remark("一个名字非常非常长的客户先生", "k7f3qx2m")
    assert len(remark) <= rules.REMARK_LENGTH and rules.codes_in(remark) == ["k7f3qx2m"]


@pytest.mark.parametrize("text", ["=1+1", "+86138", "-2", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert rules.cell(text) == f"'{text}"


def test_other_cells_stay() -> None:
    assert rules.cell("138****8000") == "138****8000"
    assert rules.cell("") == ""


@pytest.mark.parametrize(
    "text", ["打 138 0000-4100 晚上", "13800004100", "VIP13800004100x", "+1 (202) 555-0123"]
)
def test_numbers_in_notes_are_hidden(text: str) -> None:
    found = rules.hidden(text)
    assert "0000" not in found and "555" not in found and "*" in found
    assert rules.hidden("会员 20261123") == "会员 20261123"
