"""Text that people and machines send: what is refused with a reason, what is taken out, one form of a tag."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform import plain_text, validation
from chalicelib.platform.errors import Invalid, Malformed

TAG = "渠道/包裹卡"


def encoded(value: Any, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\x00b", "control_character"),
        ("包裹\x1d卡", "control_character"),
        ("abc\u202egpj.exe", "control_character"),
        ("\u2066店\u2069", "control_character"),
        ("\x7f", "control_character"),
        ("   ", "blank"),
        ("\u3000\u200b\ufeff", "blank"),
        ("\n", "blank"),
        ("\u3164", "blank"),
        ("\u2800\ufe0f", "blank"),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_nobody_can_see_is_refused_where_it_stands(text: str, code: str, ascii_only: bool) -> None:
    for value, field in (
        ({"name": text}, "name"),
        ({"welcome": {"by_time": [{"text": "好"}, {"text": text}]}}, "welcome.by_time[1].text"),
        ([text], "[0]"),
    ):
        with pytest.raises(Invalid) as error:
            validation.loads(encoded(value, ascii_only))
        assert [(each.field, each.code) for each in error.value.issues] == [(field, code)]


def test_the_character_is_named() -> None:
    with pytest.raises(Invalid) as error:
        validation.loads(encoded({"name": "a\u202e"}, True))
    assert "U+202E" in error.value.issues[0].message("zh") and "U+202E" in error.value.detail("en")


@given(st.text())
def test_a_look_at_the_bytes_misses_nothing(text: str) -> None:
    for ascii_only in (True, False):
        body = json.dumps({"a": [text]}, ensure_ascii=ascii_only).encode(errors="replace")
        value = json.loads(body)
        if list(plain_text.problems(value)):
            assert plain_text.may_have_problems(body)


def test_what_people_do_write_is_taken() -> None:
    for text in ("", "a b", "第一行\n第二行\t尾", "👨‍👩‍👧 𠮷", "ئۇيغۇرچە", "a\u200eb", "é"):
        assert validation.loads(encoded({"name": text}, False)) == {"name": text}


@pytest.mark.parametrize("body", [b'{"a":1,"a":1}', b'{"b":{"a":1,"a":2}}', b'[{"a":1,"\\u0061":2}]'])
def test_a_key_twice_is_refused_at_every_door(body: bytes) -> None:
    for read in (validation.loads, lenient):
        with pytest.raises(Malformed) as error:
            read(body)
        assert error.value.params == {"key": "a"}


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a":Infinity}', b"[" * 100_000, b"{'a':1}", b'"\\x"'])
def test_what_is_not_json_is_malformed(body: bytes) -> None:
    for read in (validation.loads, lenient):
        with pytest.raises(Malformed):
            read(body)


def lenient(body: bytes) -> Any:
    return validation.loads_lenient(body, {"title"})


def test_a_machines_free_texts_are_cleaned_and_its_ids_are_not() -> None:
    """A mall's title with a control character is no reason to lose an order; an id must not become another."""
    body = b'{"title":"\x1d\xe9\x9d\xa2\xe8\x86\x9c\\u0000\\ud83d","id":"a\\u0000b","n":1.5,"ok":[true,null]}'
    assert lenient(body) == {"title": "面膜", "id": "a\x00b", "n": 1.5, "ok": [True, None]}
    with pytest.raises(Malformed):
        lenient(b'{"id":"\\ud83d"}')


@pytest.mark.parametrize(
    "name",
    [
        TAG,
        "渠道/包裹卡 ",
        " 渠道/包裹卡",
        "渠道 / 包裹卡",
        "渠道／包裹卡",
        "渠道/包裹\u200b卡",
        "\ufeff渠道/包裹卡\n",
    ],
)
def test_one_tag_has_one_name(name: str) -> None:
    assert plain_text.tag_name(name) == TAG


def test_a_tags_name_is_composed_and_keeps_what_can_be_seen() -> None:
    assert plain_text.tag_name("cafe\u0301/VIP   3") == "café/VIP 3"
    assert plain_text.tag_name("a／b/c") == "a／b/c"
    assert plain_text.tag_names(["a/b", "a/b ", "a/c"]) == ["a/b", "a/c"]


@given(st.text())
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert plain_text.tag_name(plain_text.tag_name(text)) == plain_text.tag_name(text)


def test_braces_that_are_no_placeholder_are_named_with_those_that_are() -> None:
    known = ("{customer_name}", "{staff_name}")
    (wrong,) = plain_text.placeholder_problems("text", "您好 {客户昵称}，我是 {staff_name}", known)
    assert wrong.field == "text" and "{客户昵称}" in wrong.message("zh")
    assert "{customer_name}、{staff_name}" in wrong.message("zh")
    for text in ("{customer_name}", "没有", "a } b { c", "｛福利｝"):
        assert not list(plain_text.placeholder_problems("text", text, known))
    for text in (
        "{customer name}",
        "{}",
        "{ customer_name }",
        "{Customer_Name}",
        "｛customer_name｝",
    ):
        assert len(list(plain_text.placeholder_problems("text", text, known))) == 1, text
    (none,) = plain_text.placeholder_problems("text", "{customer_name}", ())
    assert none.code == "no_placeholders"


@pytest.mark.parametrize(
    "text", ["您好 {customer_name，我是", "您好 customer_name}", "{ customer_name，", "｛customer_name"]
)
def test_a_placeholder_whose_other_brace_is_missing(text: str) -> None:
    known = ("{customer_name}", "{staff_name}")
    (wrong,) = plain_text.placeholder_problems("text", text + " {staff_name}", known)
    assert wrong.code == "unknown_placeholder" and wrong.params["name"] in text


def test_braces_and_names_that_people_write_otherwise() -> None:
    text = "笑脸 :} {staff_name} https://x.example/?customer_name=1 :{"
    assert not list(plain_text.placeholder_problems("text", text, ("{customer_name}", "{staff_name}")))
