"""End to end: the deployed package in a local stack, one for all these tests, driven from outside."""

from collections.abc import Iterator

import pytest

from infra.local.client import LocalStack


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that share the stack on one worker, so that there is one; those with their own anywhere."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A running local stack (see infra/local/client.py). Its clock only moves on; share nothing but that."""
    with LocalStack() as running:
        yield running
