"""Bad input: everything that is wrong with it, each by its field and code, in the reader's language."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from chalicelib.platform import messages, validation
from chalicelib.platform.errors import DomainError, Invalid, Malformed, NotFound, issue
from chalicelib.sops.types import Content


class Cash(Struct, tag_field="type", tag="cash"):
    fen: int


class Card(Struct, tag_field="type", tag="card"):
    number: str


class Member(Struct, kw_only=True):
    staff_id: Annotated[str, Meta(pattern=r"^[a-z]+\Z")]
    daily_cap: Annotated[int, Meta(ge=0, le=5)] | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    rule: Literal["random", "weighted"] = "random"
    pays: Cash | Card | None = None
    tags: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(max_length=2)] = []
    more: dict[str, Any] = {}


class Body(Struct, kw_only=True):
    name: Annotated[str, Meta(max_length=4)]
    members: list[Member] = []


def wrong(value: Any, **options: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        validation.convert(value, Body, **options)
    return {(one.field, one.code) for one in error.value.issues}


def test_all_that_is_wrong_is_said_at_once() -> None:
    members = [
        {"daily_cap": -1, "at": "yesterday", "tags": ["", "b", "c"], "surprise": 1},
        {"staff_id": "A", "daily_cap": "many", "rule": "best", "pays": {"type": "coin"}},
        {"staff_id": "a", "at": "2026-11-22T10:00:00", "rule": None, "pays": {"type": "card"}},
        {"staff_id": "a", "pays": 5},
        5,
    ]
    assert wrong({"name": "winter", "members": members, "colour": "red"}) == {
        ("name", "max_length"),
        ("colour", "unknown_field"),
        ("members[0].staff_id", "required"),
        ("members[0].daily_cap", "minimum"),
        ("members[0].at", "date_time"),
        ("members[0].tags", "max_items"),
        ("members[0].tags[0]", "min_length"),
        ("members[0].surprise", "unknown_field"),
        ("members[1].staff_id", "pattern"),
        ("members[1].daily_cap", "type"),
        ("members[1].rule", "enum"),
        ("members[1].pays.type", "enum"),
        ("members[2].at", "date_time"),
        ("members[2].rule", "null"),
        ("members[2].pays.number", "required"),
        ("members[3].pays", "type"),
        ("members[4]", "type"),
    }


def test_a_field_that_we_do_not_know_is_refused_however_deep_unless_the_body_is_open() -> None:
    body = {"name": "a", "members": [{"staff_id": "a", "more": {"any": 1}, "dayly_cap": 3}], "x": {}}
    assert wrong(body) == {("x", "unknown_field"), ("members[0].dayly_cap", "unknown_field")}
    assert wrong(body, prefix="codes[3].") == {
        ("codes[3].x", "unknown_field"),
        ("codes[3].members[0].dayly_cap", "unknown_field"),
    }
    assert validation.convert(body, Body, open=True).members[0].daily_cap is None
    assert wrong({**body, "name": 1}, open=True) == {("name", "type")}


@pytest.mark.parametrize("body", [[], 5, None, "x"])
def test_what_is_no_object_is_told_of_the_body(body: Any) -> None:
    assert {field for field, _ in wrong(body)} == {"body"}


def test_a_whole_float_is_an_integer_and_a_broken_one_is_not() -> None:
    """JSON knows numbers alone; JSON Schema calls 10.0 an integer."""
    body = {"name": "a", "members": [{"staff_id": "a", "daily_cap": 3.0}]}
    daily_cap = validation.convert(body, Body).members[0].daily_cap
    assert (daily_cap, type(daily_cap)) == (3, int)
    for number in (2.5, 0.5):
        body["members"] = [{"staff_id": "a", "daily_cap": number}]
        assert wrong(body) == {("members[0].daily_cap", "type")}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "malformed"),
        (b"\xff", "malformed"),
        (b"[NaN]", "malformed"),
        (b'"\\ud800"', "malformed"),
        (b"[" * 100_000, "malformed"),
        (b'{"a": 1, "a": 1}', "repeated_key"),
        (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "repeated_key"),
    ],
)
def test_what_is_not_json_or_says_a_thing_twice_is_malformed(raw: bytes, code: str) -> None:
    with pytest.raises(Malformed) as error:
        validation.loads(raw)
    assert error.value.message_code == code


class Query(Struct, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    strict: bool = False
    by: Literal["day", "total"] = "total"
    status: Literal["new", "old"] | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    name: str | None = None


def test_a_query_is_typed_and_what_is_not_asked_for_is_let_be() -> None:
    assert validation.convert_strings({"limit": "7", "strict": "true", "utm": "x"}, Query) == Query(
        limit=7, strict=True
    )
    with pytest.raises(Invalid) as error:
        validation.convert_strings({"limit": "0", "strict": "perhaps", "by": "week"}, Query)
    assert {(one.field, one.code) for one in error.value.issues} == {
        ("limit", "minimum"),
        ("strict", "type"),
        ("by", "enum"),
    }


@pytest.mark.parametrize("text", ["x", "", "٣", "+1", " 1", "1_0", "null"])
def test_what_is_no_number_is_none(text: str) -> None:
    with pytest.raises(Invalid):
        validation.convert_strings({"limit": text}, Query)


@pytest.mark.parametrize(("field", "code"), [("status", "enum"), ("since", "date_time")])
@pytest.mark.parametrize("text", ["null", "NULL"])
def test_the_text_null_is_a_value_like_any_other(field: str, code: str, text: str) -> None:
    with pytest.raises(Invalid) as wrong:
        validation.convert_strings({field: text}, Query)
    assert [(each.field, each.code) for each in wrong.value.issues] == [(field, code)]
    assert validation.convert_strings({"name": text}, Query).name == text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"), ("", "zh"), ("en", "en"), ("en-US,en;q=0.9,zh-CN;q=0.8", "en"), ("zh-CN,en;q=0.9", "zh"),
        ("zh;q=0.1,en;q=0.5", "en"), ("fr, en;q=0.4", "en"), ("fr", "zh"), ("*", "zh"), ("en;q=0", "zh"),
        ("en;q=x", "zh"), ("EN-gb", "en"), (";;,,", "zh"),
    ],
)  # fmt: skip
def test_the_first_of_the_two_languages_by_q(header: str | None, language: str) -> None:
    assert messages.language(header) == language


def test_an_error_is_said_in_both_languages() -> None:
    cap = issue("members[0].daily_cap", "minimum", minimum=0)
    assert (cap.message("zh"), cap.message("en")) == ("不能小于 0", "must be at least 0")
    assert issue("by", "enum", allowed=["day", "total"]).message("zh") == "只能是以下之一：day、total"
    assert Invalid(cap, ("name", "is odd")).detail("zh") == "members[0].daily_cap: 不能小于 0; name: is odd"
    assert NotFound().detail("zh") == "没有找到"
    assert DomainError(code="internal").detail("en").startswith("something went wrong")


def test_a_union_whose_tag_is_null_names_the_tag() -> None:
    with pytest.raises(Invalid) as wrong:
        validation.convert([{"type": None, "title": "x"}], list[Content])
    assert [(each.field, each.code) for each in wrong.value.issues] == [("[0].type", "null")]


class Between(Struct, kw_only=True):
    since: Annotated[datetime, Meta(tz=True)] | None = None


def test_a_time_outside_of_the_calendar_and_a_name_nobody_knows_are_refused_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        validation.convert_strings({"since": "9999-12-31T23:59:59+00:00", "q": "x"}, Between, open=False)
    assert [(each.field, each.code) for each in wrong.value.issues] == [
        ("since", "date_time"),
        ("q", "unknown_field"),
    ]
    assert validation.convert_strings({"q": "x"}, Between) == Between()


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_of_the_calendar_is_refused_in_a_body_too(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        validation.convert({"since": text}, Between)
    assert [(each.field, each.code) for each in refused.value.issues] == [("since", "date_time")]
