"""Signed cookies: whose they are, for how long, and where a sign-in may lead."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.staffauth import rules

KEY, NOW = b"k" * 32, datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def session(key: bytes = KEY, kind: str = "session") -> str:
    return rules.signed(key, kind, {"staff_id": "lihua", "at": int(NOW.timestamp())})


def test_a_session_is_good_for_twelve_hours() -> None:
    found = rules.session_of(KEY, session(), NOW)
    assert found and found.staff_id == "lihua"
    assert rules.session_of(KEY, session(), NOW + timedelta(hours=12, seconds=-1))
    assert rules.session_of(KEY, session(), NOW + timedelta(hours=12)) is None
    assert rules.session_of(KEY, session(), NOW - timedelta(hours=1)) is None


@pytest.mark.parametrize(
    "cookie", [None, "", ".", "a.b", session(b"x" * 32), session(kind="login"), session() + "x"]
)
def test_no_other_cookie_is_a_session(cookie: str | None) -> None:
    assert rules.session_of(KEY, cookie, NOW) is None


@given(st.text(max_size=80))
def test_any_text_is_no_session(text: str) -> None:
    assert rules.session_of(KEY, text, NOW) is None


def login(page: str = "/h5/tasks") -> str:
    return rules.signed(KEY, "login", {"state": "S" * 32, "next": page, "at": int(NOW.timestamp())})


def test_a_sign_in_ends_where_it_was_begun() -> None:
    assert rules.login_of(KEY, login(), "S" * 32, NOW) == "/h5/tasks"
    for cookie, state, at in [
        (None, "S" * 32, NOW),
        (login(), "", NOW),
        (login(), "T" * 32, NOW),
        (login(), "S" * 32, NOW + timedelta(minutes=10)),
        (session(), "S" * 32, NOW),
    ]:
        assert rules.login_of(KEY, cookie, state, at) is None


@pytest.mark.parametrize(
    "page", ["https://evil.example", "//evil.example", "/h5/tasks/../x", "/\\evil", "", "/h5/"]
)
def test_a_sign_in_leads_to_our_own_pages_only(page: str) -> None:
    assert rules.page_or_first(page) == "/h5/tasks"
    assert rules.login_of(KEY, login(page), "S" * 32, NOW) == "/h5/tasks"


def test_forms_carry_what_only_this_session_has() -> None:
    mine, other = (
        rules.session_of(KEY, session(), NOW),
        rules.signed(KEY, "session", {"staff_id": "x", "at": 0}),
    )
    assert mine and rules.is_csrf(mine, mine.csrf)
    for given_text in ("", "x", other, mine.csrf + "x", "é"):
        assert not rules.is_csrf(mine, given_text)
