"""Which words go out, and what each refusal leads to."""

import pytest

from chalicelib.messaging import rules
from chalicelib.messaging.rules import Next, Welcome
from chalicelib.wecom.errors import TREATMENTS


def test_names_are_filled_in_once() -> None:
    names = {rules.CUSTOMER: "{staff_name}", rules.STAFF: "林晓"}
    assert rules.fill("您好 {customer_name}，我是 {staff_name}", names) == "您好 {staff_name}，我是 林晓"
    assert rules.fill("{other} {customer_name", names) == "{other} {customer_name"


def test_a_text_is_cut_to_4000_bytes_between_characters() -> None:
    filled = rules.fill("a" + "您" * 2000, {})
    assert len(filled.encode()) <= rules.MAX_TEXT
    assert filled == "a" + "您" * 1333


@pytest.mark.parametrize(
    ("errcode", "treatment", "can_drop", "step"),
    [
        (41050, "data", True, Next.MISSED),
        (41051, "done", True, Next.DONE),
        (41053, "data", True, Next.CONSENT),
        (41096, "retry", True, Next.AGAIN),
        (None, "lost", True, Next.AGAIN),
        (45033, "retry", False, Next.AGAIN),
        (40007, "reupload", True, Next.TEXT_ONLY),
        (40007, "reupload", False, Next.MISSED),
        (40058, "data", True, Next.TEXT_ONLY),
        (40058, "data", False, Next.MISSED),
        (60020, "configure", True, Next.MISSED),
        (45009, "wait", True, Next.MISSED),
    ],
)
def test_what_a_refusal_leads_to(errcode: int | None, treatment: str, can_drop: bool, step: Next) -> None:
    assert rules.after(errcode, treatment, can_drop) is step
    if errcode is not None:
        assert TREATMENTS[errcode].value == treatment  # as the wire's table has it


@pytest.mark.parametrize(
    ("errcode", "in_doubt", "reason"),
    [
        (41050, False, "errcode 41050"),
        (41050, True, rules.UNKNOWN),
        (60020, True, "errcode 60020"),
        (None, False, "window over"),
        (None, True, rules.UNKNOWN),
    ],
)
def test_what_is_not_known_is_not_called_missed(errcode: int | None, in_doubt: bool, reason: str) -> None:
    assert rules.why_not(errcode, in_doubt) == reason


def test_a_welcome_of_nothing_is_none() -> None:
    assert not rules.welcome_of(None)
    assert not rules.welcome_of({"text": None, "attachments": []})
    assert rules.welcome_of({"text": "hi"}) == Welcome("hi")
    assert len(rules.welcome_of({"attachments": [{}] * 12}).attachments) == rules.MAX_ATTACHMENTS
