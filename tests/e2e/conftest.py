"""End to end: the deployed package in a local stack, one for all these tests, driven from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.client import LocalStack

# These move the clock by days. What others leave to be done each hour would make each day 24 stops,
# so the two share no stack where there are two workers.
_DAYS = {"test_thread", "test_smoke", "test_bad_input", "test_phone_page", "test_cli"}
# The sandbox makes up the names of those it does not know, and the product keeps the first that it hears.
GUIDES = {"lihua": "李华", "chenjie": "陈洁", "wangwu": "王五"}


@pytest.hookimpl(wrapper=True)  # around xdist's, which reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """All that share a stack on one worker, so that there is one; those with their own anywhere."""
    ours = [item for item in items if item.path.parent == Path(__file__).parent]
    shared = [item for item in ours if "stack" in getattr(item, "fixturenames", ())]
    for item in shared:
        group = "days" if item.path.stem in _DAYS else "ways_in"
        item.add_marker(pytest.mark.xdist_group(group))
    yield
    if getattr(config.option, "loadgroup", False) and not all("@" in item.nodeid for item in shared):
        raise pytest.UsageError("pytest-xdist has lost the groups: see requirements-dev.txt")


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A running local stack (see infra/local/client.py). Its clock only moves on; share nothing but that."""
    with LocalStack() as running:
        for staff_id, name in GUIDES.items():
            running.sandbox("POST", "staff", {"userid": staff_id, "name": name})
        warm_up(running)
        yield running


def warm_up(stack: LocalStack) -> None:
    """One customer, from scan to welcome: WeCom's deadlines are real time, and functions start cold."""
    code = {
        "name": "warm",
        "channel": "warm",
        "assignment": {"members": [{"staff_id": "warm"}]},
        "welcome": {"text": "{customer_name}"},
    }
    made = stack.api("POST", "/api/live-codes", code)
    scan = stack.request("GET", f"/s/{made['code']}", headers={"Accept": "application/json"}).json()
    stack.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": "warm"})
    stack.drain()
