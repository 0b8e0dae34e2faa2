"""One stack with the demo played on it, one browser, one window a test: on one worker, for all of these tests."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.client import LocalStack
from tests.console import browser as browsers
from tests.console.browser import Seat

NEEDS = ("stack", "browser", "seat")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "console" and set(NEEDS) & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("console"))
            if browsers.PROGRAM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


class Running:
    """A stack that runs already: CONSOLE_STACK and ADMIN_API_KEY, for who works on a screen."""

    def __init__(self, base: str, key: str):
        self.base, self.key = base, key


@pytest.fixture(scope="session")
def stack() -> Iterator[Any]:
    if base := os.environ.get("CONSOLE_STACK"):
        yield Running(base, os.environ["ADMIN_API_KEY"])
        return
    with LocalStack(DEMO="1") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with browsers.chromium() as running:
        yield running


@pytest.fixture
def seat(browser: Any, stack: Any) -> Iterator[Seat]:
    """The admin's, signed in. A test that ends well has had no complaints."""
    made = Seat(browser, stack.base).sign_in(stack.key)
    yield made
    complaints = list(made.complaints)
    made.close()
    assert not complaints
