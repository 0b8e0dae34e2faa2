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
    '="13800138000"': "+8613800138000",
    "VIP3 13800138000": "+8613800138000",
    "2026-11-22 13800138000": "+8613800138000",
    "138 0013 8000 2盒": "+8613800138000",
}
BAD = {
    "": "phone_empty",
    "   ": "phone_empty",
    "1380013800": "phone_unknown",
    "138001380001": "phone_unknown",
    "010-12345678": "phone_not_mobile",
    "1.38E+10": "phone_lost_digits",
    "1.3800138E10": "phone_lost_digits",
    "13800138000/13900139000": "phone_several",
    "13700137001-2": "phone_unknown",
    "N-2": "phone_not_one",
    "1.23E+15": "phone_lost_digits",
    "2.02611E+16": "phone_lost_digits",
    "1.3800138000138E+18": "phone_lost_digits",
    "1234567890123456789": "phone_unknown",
    "15411479837": "phone_unknown",
    "19411479837": "phone_unknown",
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


@pytest.mark.parametrize(
    "text",
    [
        "VIP3 {}",
        "11-22 {}",
        "2026-11-22 {}",
        "￥99 {}",
        "{} 2盒",
        "99元{}",
        "{}、",
        "（{}）",
        "生日1-2，{}",
        "{}(老客)",
        "第3批:{}",
    ],
)
@pytest.mark.parametrize(
    "number",
    ["13700137001", "137 0013 7001", "137-0013-7001", "1370 013 7001", "+86 137 0013 7001", "0086-13700137001",
     "86-13700137001", "8613700137001", "１３７００１３７００１", "137.0013.7001", "137–0013–7001"],
)  # fmt: skip
def test_a_number_beside_other_digits_is_found(text: str, number: str) -> None:
    told = text.format(number)
    assert phones.find_numbers(told, "CN") == ["+8613700137001"]
    assert normalised(told, "CN") == "+8613700137001"


def test_several_numbers_in_one_text() -> None:
    for mark in ("/", "、", " ", "，", " 或 ", "\n"):
        text = mark.join(("13700137001", "138 0013 8000", "+852 6123 4567"))
        assert set(phones.find_numbers(text, "CN")) == {"+8613700137001", "+8613800138000", "+85261234567"}
        with pytest.raises(BadPhone, match="phone_several"):
            normalised(text, "CN")


@pytest.mark.parametrize(
    "text",
    ["N-2", "13700137001-2", "订单 20261123000001", "913700137001", "137001370012", "17000137001转1234",
     "3.13700137001", "12345678901", "2026-11-22 10:30", "￥13,700,137,001"],
)  # fmt: skip
def test_what_only_looks_like_a_number_is_none(text: str) -> None:
    assert phones.find_numbers(text, "CN") == []


# 工业和信息化部: 我国公众移动通信网网号及 H0 分配情况 (March 2023).
IN_USE = (
    "130 131 132 133 134 135 136 137 138 139 145 146 147 148 149 150 151 152 153 155 156 157 158 159 162 165 166 "
    "167 170 171 172 173 175 176 177 178 180 181 182 183 184 185 186 187 188 189 190 191 192 193 195 196 197 "
    "198 199 1619 1740 1741 1749"
).split()


def test_the_ranges_that_are_in_use_exist_and_no_others() -> None:
    for head in range(1300, 2000):
        text = f"{head}1479837"
        if str(head).startswith(tuple(IN_USE)):
            assert normalised(text, "CN") == f"+86{text}"
        elif head != 1610:  # of which libphonenumber knows
            with pytest.raises(BadPhone):
                normalised(text, "CN")
    assert normalised("14911479837", "CN") == "+8614911479837"


@given(
    st.text(st.characters(blacklist_categories=("Nd", "Nl", "No")), max_size=20),
    st.sampled_from(IN_USE),
    st.integers(0, 10**8),
)
def test_a_number_among_any_letters_is_found(around: str, head: str, rest: int) -> None:
    digits = f"{head}{rest:08d}"[:11]
    assert phones.find_numbers(f"{around} {digits} {around}", "CN") == [f"+86{digits}"]


def test_numbers_in_a_remark() -> None:
    assert phones.find_numbers("张三 138 0013 8000 老客", "CN") == ["+8613800138000"]
    assert phones.find_numbers("VIP13800138000", "CN") == ["+8613800138000"]
    assert phones.find_numbers("订单 20261123000001", "CN") == []


def test_masks_show_no_more_than_they_should() -> None:
    assert rules.hidden("张三１３８００１３８０００") == "张三138****8000"
    assert rules.hidden("+86 138 0013 8000; +1 202 555 0123") == "138****8000; +12******123"
    assert rules.hidden("ＶＩＰ三") == "ＶＩＰ三"
    assert rules.masked("+8613800138000") == "138****8000"
    assert rules.masked("+12025550123") == "+12******123"
    assert rules.masked_text("1380013800") == "138*****00"
    assert rules.masked_text("张三13800") == "*****"


@given(st.text(max_size=100))
def test_a_masked_text_keeps_five_digits_at_most(text: str) -> None:
    assert sum(letter.isdigit() for letter in rules.masked_text(text)) <= 5
