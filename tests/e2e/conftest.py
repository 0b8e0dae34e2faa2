"""End to end: the deployed package in a local stack, one for all these tests, driven from outside."""

from collections.abc import Iterator

import pytest

from infra.local.client import LocalStack

# These move the clock by days. What others leave to be done each hour would make each day 24 stops,
# so the two share no stack where there are two workers.
_DAYS = {"test_thread", "test_smoke", "test_bad_input", "test_phone_page", "test_cli"}


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that share a stack on one worker, so that there is one; those with their own anywhere."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            group = "days" if item.path.stem in _DAYS else "ways_in"
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A running local stack (see infra/local/client.py). Its clock only moves on; share nothing but that."""
    with LocalStack() as running:
        yield running
