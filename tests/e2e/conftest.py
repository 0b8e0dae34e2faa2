"""End to end: the deployed package in a local stack, one for all these tests, driven from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.client import LocalStack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these on one worker: they share a stack."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("stack"))


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A running local stack (see infra/local/client.py). Its clock only moves on; share nothing but that."""
    with LocalStack() as running:
        yield running
