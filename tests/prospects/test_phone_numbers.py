"""Phone numbers as people and spreadsheets write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform import messages
from chalicelib.prospects import phones, rules
from chalicelib.prospects.phones import BadPhone, normalised

GOOD = {
    "138 0013 8000": "+8613800138000",
    "+86 138-0013-8000": "+8613800138000",
    "0086 13800138000": "+8613800138000",
    "8613800138000": "+8613800138000",
    "１３８００１３８０００": "+8613800138000",
    "＋８６１３８００１３８０００": "+8613800138000",
    "'13800138000": "+8613800138000",
    "13800138000.0": "+8613800138000",
    "1.3800138000E+10": "+8613800138000",
    "(138) 0013\u200b8000": "+8613800138000",
    "+1 202-555-0123": "+12025550123",
    "+852 6123 4567": "+85261234567",
}
BAD = {
    "": "phone_empty",
    "   ": "phone_empty",
    "1380013800": "phone_unknown",
    "138001380001": "phone_unknown",
    "010-12345678": "phone_not_mobile",
    "1.38E+10": "phone_lost_digits",
    "1.3800138E10": "phone_lost_digits",
    "13800138000/13900139000": "phone_not_one",
    "13800138000转1": "phone_not_one",
    "张三": "phone_not_one",
    "+": "phone_not_one",
    "12345": "phone_unknown",
    "-13800138000.5": "phone_unknown",
    "1" * 65: "phone_too_long",
    "+999 12345678": "phone_invalid",
}


@pytest.mark.parametrize("given_text", GOOD)
def test_the_same_number_however_it_is_written(given_text: str) -> None:
    assert normalised(given_text, "CN") == GOOD[given_text]


@pytest.mark.parametrize("given_text", BAD)
def test_what_is_no_number_is_refused_with_the_reason(given_text: str) -> None:
    with pytest.raises(BadPhone) as refused:
        normalised(given_text, "CN")
    assert refused.value.code == BAD[given_text]
    assert messages.known(refused.value.code)


def test_the_country_says_what_a_number_without_plus_is() -> None:
    assert normalised("2025550123", "US") == "+12025550123"
    assert phones.is_country("CN") and not phones.is_country("XX")


@given(st.integers(0, 99_999_999), st.sampled_from(["138", "139", "150", "188"]), st.data())
def test_any_way_of_writing_is_the_same_number(rest: int, head: str, data: st.DataObject) -> None:
    plain = f"{head}{rest:08d}"
    spaced = "".join(d + data.draw(st.sampled_from(["", " ", "-", "\u00a0"])) for d in plain)
    prefix = data.draw(st.sampled_from(["", "+86", "+86 ", "0086", "86"]))
    assert normalised(prefix + spaced, "CN") == f"+86{plain}"


@given(st.text(max_size=70))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        found = normalised(text, "CN")
    except BadPhone:
        return
    assert found.startswith("+") and found[1:].isdigit()
    assert normalised(found, "US") == found  # its own fixed point


def test_numbers_in_a_remark() -> None:
    assert phones.found_in("张三 138 0013 8000 老客", "CN") == ["+8613800138000"]
    assert phones.found_in("VIP13800138000", "CN") == ["+8613800138000"]
    assert phones.found_in("订单 20261123000001", "CN") == []


def test_masks_show_no_more_than_they_should() -> None:
    assert rules.masked("+8613800138000") == "138****8000"
    assert rules.masked("+12025550123") == "+12******123"
    assert rules.masked_text("1380013800") == "138*****00"
    assert rules.masked_text("张三13800") == "*****"


@given(st.text(max_size=100))
def test_a_masked_text_keeps_five_digits_at_most(text: str) -> None:
    assert sum(letter.isdigit() for letter in rules.masked_text(text)) <= 5
