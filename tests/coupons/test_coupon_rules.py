"""What is in an upload of codes, and which lane a claim takes from."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.coupons import rules

codes = st.text("ABCxyz0189-_.=+/", min_size=1, max_size=64)


def test_plain_lines_and_csv_with_a_heading_each_code_once() -> None:
    text = '\ufeffcode,value\r\nA-1,10\r\n\r\n "B 2"\n'
    assert rules.parse(text.replace("B 2", "B2")) == (["A-1", "B2"], [])
    assert rules.parse("A\nB\nA\n") == (["A", "B"], [])
    assert rules.parse("") == ([], [])


def test_bad_codes_are_told_by_their_line() -> None:
    _, issues = rules.parse("OK\n两\n" + "x" * 65 + "\na b\n")
    assert [issue.field for issue in issues] == ["line 2", "line 3", "line 4"]


@given(st.lists(codes.filter(lambda code: code.lower() not in rules._HEADINGS), max_size=40))
def test_every_code_is_found_in_its_order(found: list[str]) -> None:
    assert rules.parse("\n".join(found)) == (list(dict.fromkeys(found)), [])


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
