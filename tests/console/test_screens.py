"""Every screen: at each size, in both themes and languages, without an error, an overflow, a raw value, a finding of axe."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.console import nasty
from tests.console.browser import Seat
from tests.console.screens import ROUTES, find_addresses

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
# The first as a link leads to it, the second by its address.
LOADS = (("desktop", False, "zh", ("tablet", "phone")), ("phone", True, "en", ("desktop",)))


@pytest.fixture(scope="module")
def addresses(browser: Any, stack: Any) -> dict[str, str]:
    if "CONSOLE_STACK" not in os.environ:  # whose names are somebody's own
        nasty.plant(stack)
    seat = Seat(browser, stack.base).sign_in(stack.key)
    found = find_addresses(seat)
    seat.close()
    return found


@pytest.fixture(scope="module")
def seats(browser: Any, stack: Any) -> Iterator[list[Seat]]:
    """A window for each of LOADS; what they have loaded once they keep."""
    made = [Seat(browser, stack.base, *load[:3]).sign_in(stack.key) for load in LOADS]
    yield made
    for seat in made:
        seat.close()


@pytest.mark.parametrize("pattern", [route["path"] for route in ROUTES])
def test_a_screen_is_whole(seats: list[Seat], addresses: dict[str, str], pattern: str) -> None:
    assert pattern in addresses, "no screen links to it, or the demo has none"
    wrong: list[str] = []
    for seat, (first, dark, language, others) in zip(seats, LOADS, strict=True):
        seat.complaints.clear()
        seat.resize(first)
        (seat.go if language == "zh" else seat.open)(addresses[pattern])
        where = f"{first} {'dark' if dark else 'light'} {language}"
        wrong += [f"{where}: {said}" for said in (*seat.looks(), *violations(seat))]
        for size in others:
            wrong += [f"{size} {language}: {said}" for said in seat.resize(size).settle().looks()]
        wrong += [f"{where}: {said}" for said in seat.complaints]
    assert not wrong, "\n" + "\n".join(wrong)


# Rows are one component: of a list the first six are looked at. The navigation is, on the first page.
_REPEATED = [".datalist-row:nth-child(n+7)", ".datalist-card:nth-child(n+7)"]


def violations(seat: Seat) -> list[str]:
    """What axe finds, a sentence each."""
    if not seat.page.evaluate("Boolean(window.axe)"):
        seat.page.evaluate(AXE)
    is_first = seat.page.url.removeprefix(f"{seat.base}/console") in ("", "/")
    left_out = _REPEATED if is_first else [*_REPEATED, ".nav"]
    found = seat.page.evaluate(
        'async (exclude) => axe.run({ exclude }, { resultTypes: ["violations"] })',
        [[selector] for selector in left_out],
    )
    return [
        f"axe {one['id']}: {node['html'][:140]} {node['failureSummary'].splitlines()[-1].strip()}"
        for one in found["violations"]
        for node in one["nodes"][:4]
    ]


def test_the_sign_in_is_whole(browser: Any, stack: Any) -> None:
    for first, dark, language, _ in LOADS:
        seat = Seat(browser, stack.base, first, dark, language).open("/")
        assert not [*seat.looks(), *violations(seat), *seat.complaints]
        seat.close()
