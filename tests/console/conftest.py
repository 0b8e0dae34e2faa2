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
            if browsers.PROGRAM is None and not os.environ.get("CI"):  # which installs one
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine; CI installs one"))


@pytest.fixture(scope="session")
def stack() -> Iterator[Any]:
    """With the demo; or, for who works on a screen, the one that runs at CONSOLE_STACK with ADMIN_API_KEY."""
    if base := os.environ.get("CONSOLE_STACK"):
        yield LocalStack(PORT=base.rpartition(":")[2], ADMIN_API_KEY=os.environ["ADMIN_API_KEY"])
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
