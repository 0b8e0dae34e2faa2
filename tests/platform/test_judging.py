"""What rules find is said together with what a type refuses, unless they could hang on that."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from chalicelib.platform import judging
from chalicelib.platform.errors import Invalid, Issue, issue


class Body(Struct, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=4)]
    kind: Literal["one", "many"] = "one"
    members: list[Annotated[str, Meta(min_length=1)]] = []
    cap: Annotated[int, Meta(ge=0, le=9)] = 0


def rules(body: Body) -> list[Issue]:
    found = [] if body.members else [issue("members", "no_member")]
    return [*found, issue("name", "duplicate"), issue("cap.day", "later")]


def wrong(value: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        judging.convert(value, Body, rules, "codes[0].")
    return [(one.field.removeprefix("codes[0]."), one.code) for one in error.value.issues]


def test_what_rules_find_beside_is_said_and_never_of_what_was_put_right() -> None:
    assert wrong({"name": "", "cap": 10}) == [
        ("name", "min_length"), ("cap", "maximum"), ("members", "no_member"),
    ]  # fmt: skip
    assert wrong({"nam": "x"}) == [
        ("nam", "unknown_field"), ("name", "required"), ("members", "no_member"), ("cap.day", "later"),
    ]  # fmt: skip
    assert ("members", "no_member") in wrong({"name": "too long"})
    assert wrong({"name": "a", "members": ["", "b"]}) == [
        ("members[0]", "min_length"),
        ("name", "duplicate"),
        ("cap.day", "later"),
    ]


def test_where_rules_could_hang_on_it_they_are_not_asked() -> None:
    assert wrong({"name": "", "kind": "none"}) == [("name", "min_length"), ("kind", "enum")]
    assert wrong([]) == [("body", "type")]


def test_of_a_right_shape_the_rules_are_for_later() -> None:
    assert judging.convert({"name": "a"}, Body, rules).name == "a"
