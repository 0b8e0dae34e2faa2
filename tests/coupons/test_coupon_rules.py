"""What is in an upload of codes, and which lane a claim takes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.coupons import rules
from chalicelib.tables import cells, reading
from chalicelib.tables.types import BadTable

codes = st.text("ABCxyz0189-_.=+/", min_size=1, max_size=64)


def parse(text: str, encoding: str = "utf-8") -> tuple[list[str], list[tuple[str, str]]]:
    found, issues = rules.parse(reading.read(text.encode(encoding), rules.COLUMNS, needs_header=False))
    return found, [(issue.field, issue.code) for issue in issues]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_plain_lines_and_csv_with_a_heading_each_code_once(encoding: str) -> None:
    assert parse("code,value\r\nA-1,10\r\n\r\nB2\r\n", encoding) == (["A-1", "B2"], [])
    assert parse("面值;券码（必填）\r10;A-1\r20;Ｂ２", encoding) == (["A-1", "B2"], [])
    assert parse("A\nB\nA\n") == (["A", "B"], [])
    with pytest.raises(BadTable, match="table_no"):
        parse("")


def test_bad_codes_are_told_by_their_line() -> None:
    _, issues = parse("OK\n两\n" + "x" * 65 + "\na b\n")
    assert issues == [("line 2", "coupon_code"), ("line 3", "coupon_code"), ("line 4", "coupon_code")]


def test_what_a_spreadsheet_has_lost_is_no_code() -> None:
    _, issues = parse('code\n1.23E+15\n2.02611E+16\n2026112200017000000\n=A1&"x"\n#N/A\n="0017"\n')
    assert issues == [
        ("line 2", "cell_rounded"), ("line 3", "cell_rounded"), ("line 4", "cell_rounded"), ("line 5", "cell_formula"),
        ("line 6", "cell_error"),
    ]  # fmt: skip
    # One that is exact shows that they were kept as texts.
    assert parse("2026112200017000000\n2026112200017000001\n")[1] == []


@given(
    st.lists(
        codes.filter(lambda code: not cells.damage(code) and not cells.rounded([code])),
        min_size=1,
        max_size=40,
    )
)
def test_every_code_is_found_in_its_order(found: list[str]) -> None:
    assert parse("\n".join(found)) == (list(dict.fromkeys(found)), [])


@given(codes)
def test_a_code_has_its_lane_and_set_for_ever(code: str) -> None:
    digest = rules.digest(code)
    assert 0 <= rules.lane_of(digest) < rules.LANES and 0 <= rules.set_of(digest) < rules.SETS


@given(
    st.dictionaries(
        st.integers(0, 7), st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda p: (max(p), min(p)))
    ),
    st.integers(0, 7),
)
def test_a_lane_with_a_code_left_or_none(heads: dict[int, tuple[int, int]], first: int) -> None:
    lane = rules.choose(heads, first)
    left = {n: loaded - given for n, (loaded, given) in heads.items()}
    if lane is None:
        assert not any(left.values())
    else:
        assert left[lane] > 0 and (lane == first or not left.get(first))


def test_running_out() -> None:
    assert not rules.is_low(0, 0)
    assert rules.is_low(50, 50) and rules.is_low(10_000, 499) and not rules.is_low(10_000, 500)


def test_the_largest_upload_fits_a_transaction_of_each_lane() -> None:
    """100 actions: the head, the audit's entry, 32 sets, and blocks; a lane's share of 100,000 varies by some hundreds."""
    share = [0] * rules.LANES
    for n in range(rules.MAX_UPLOAD):
        share[rules.lane_of(rules.digest(f"NEW{n:06}"))] += 1
    assert 2 + rules.SETS + -(-(max(share) + 500) // rules.BLOCK) <= 100
