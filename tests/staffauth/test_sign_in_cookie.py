"""The signed cookie of a sign-in: in which browser it began, for how long it is good, where it may lead."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.platform import signed
from chalicelib.staffauth import rules

KEY, NOW = b"k" * 32, datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def other_cookie() -> str:
    return signed.signed(KEY, "other", {"staff_id": "lihua", "at": int(NOW.timestamp())})


def login(page: str = "/h5/tasks") -> str:
    return signed.signed(KEY, "login", {"state": "S" * 32, "next": page, "at": int(NOW.timestamp())})


def test_a_sign_in_ends_where_it_was_begun() -> None:
    assert rules.login_of(KEY, login(), "S" * 32, NOW) == "/h5/tasks"
    for cookie, state, at in [
        (None, "S" * 32, NOW),
        (login(), "", NOW),
        (login() + "x", "S" * 32, NOW),
        (login(), "T" * 32, NOW),
        (login(), "S" * 32, NOW + timedelta(minutes=10)),
        (other_cookie(), "S" * 32, NOW),
    ]:
        assert rules.login_of(KEY, cookie, state, at) is None


@pytest.mark.parametrize(
    "page", ["https://evil.example", "//evil.example", "/h5/tasks/../x", "/\\evil", "", "/h5/"]
)
def test_a_sign_in_leads_to_our_own_pages_only(page: str) -> None:
    assert rules.page_or_first(page) == "/h5/tasks"
    assert rules.login_of(KEY, login(page), "S" * 32, NOW) == "/h5/tasks"
