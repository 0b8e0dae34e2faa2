"""Cards' tokens and numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform import ids
from chalicelib.posters import qr
from chalicelib.printruns import rules

KEY, OTHER = b"k" * 32, b"l" * 32
codes = st.text(rules.RUN_ALPHABET, min_size=4, max_size=4)
numbers = st.integers(1, rules.MAX_COUNT)


def test_the_alphabet_is_the_houses() -> None:
    assert rules.ALPHABET == ids._ALPHABET
    assert not set("0O1lI") & set(rules.ALPHABET)


@given(codes, numbers)
def test_a_token_tells_its_run_and_number_to_who_has_the_key(run: str, number: int) -> None:
    token = rules.make_token(KEY, run, number)
    assert len(token) == 16 and set(token) <= set(rules.ALPHABET) and rules.is_token(token)
    assert rules.parse_token(KEY, token) == (run, number)
    assert rules.parse_token(OTHER, token) is None


@given(codes, numbers, st.integers(0, 15), st.sampled_from(rules.ALPHABET))
def test_one_other_character_makes_it_nothing(run: str, number: int, at: int, character: str) -> None:
    token = rules.make_token(KEY, run, number)
    altered = token[:at] + character + token[at + 1 :]
    assert rules.parse_token(KEY, altered) == ((run, number) if altered == token else None)


@given(st.text(max_size=40))
def test_any_other_text_is_nothing(text: str) -> None:
    assert rules.parse_token(KEY, text) is None


def test_a_runs_tokens_are_all_different_and_all_right() -> None:
    tokens = [rules.make_token(KEY, "W26A", number) for number in range(1, 10_001)]
    assert len(set(tokens)) == 10_000
    assert [rules.parse_token(KEY, token) for token in tokens] == [("W26A", n) for n in range(1, 10_001)]
    assert len({token[8:] for token in tokens}) == 10_000  # what is not known without the key differs, too


def test_a_guess_is_right_once_in_2_to_the_46() -> None:
    assert 57**rules.MAC >= 2**46


@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:8000", "https://m.brand.example.com", "https://go.my-long-brand-name.com.cn"]
)
def test_the_code_stays_small_at_usual_addresses(base: str) -> None:
    assert qr.version(len(f"{base}/s/") + rules.TOKEN, "M") <= 4


def test_numbers_as_people_read_and_type_them() -> None:
    assert rules.make_label("W26", 123) == "W26-000123"
    assert rules.make_label("W26", 1_000_000) == "W26-1000000"
    assert rules.parse_label(" w26-000123 ") == ("W26", 123)
    assert rules.parse_label("W26-1000000") == ("W26", 1_000_000)
    for other in ("", "W26", "W26-", "-000123", "W26-12345678", "W26-00012a", "W26 000123", "W26-²"):
        assert rules.parse_label(other) is None


@pytest.mark.parametrize(
    "read",
    ["TOKEN", " TOKEN\n", "https://m.example.com/s/TOKEN", "https://m.example.com/prod/s/TOKEN/?a=1#x"],
)
def test_what_a_scanner_read(read: str) -> None:
    assert rules.extract_token(read) == "TOKEN"


@given(st.integers(1, 5000), st.integers(1, 700))
def test_parts_are_all_cards_once(count: int, size: int) -> None:
    parts = rules.split_numbers(count, size)
    assert [n for part in parts for n in part] == list(range(1, count + 1))
    assert all(len(part) == size for part in parts[:-1])


def test_thousands() -> None:
    assert [rules.thousand(n) for n in (1, 1000, 1001, 1_000_000)] == [0, 0, 1, 999]
