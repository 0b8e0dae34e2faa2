"""Every screen: at each size, in both themes and languages, without an error, an overflow, a raw value, a finding of axe."""

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.console.browser import SIZES, Seat
from tests.console.screens import ROUTES, find_addresses

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
LOADS = (("desktop", False, "zh", ("tablet", "phone")), ("phone", True, "en", ("desktop",)))


@pytest.fixture(scope="module")
def addresses(browser: Any, stack: Any) -> dict[str, str]:
    seat = Seat(browser, stack.base).sign_in(stack.key)
    found = find_addresses(seat)
    seat.close()
    return found


@pytest.mark.parametrize("pattern", [route["path"] for route in ROUTES])
def test_a_screen_is_whole(browser: Any, stack: Any, addresses: dict[str, str], pattern: str) -> None:
    assert pattern in addresses, "no screen links to it, or the demo has none"
    wrong: list[str] = []
    for first, dark, language, others in LOADS:
        seat = Seat(browser, stack.base, first, dark, language).sign_in(stack.key)
        try:
            seat.open(addresses[pattern])
            where = f"{first} {'dark' if dark else 'light'} {language}"
            wrong += [f"{where}: {said}" for said in (*seat.looks(), *violations(seat))]
            for size in others:
                width, height = SIZES[size]
                seat.page.set_viewport_size({"width": width, "height": height})
                seat.settle()
                wrong += [f"{size} {language}: {said}" for said in seat.looks()]
            wrong += [f"{where}: {said}" for said in seat.complaints]
        finally:
            seat.close()
    assert not wrong, "\n" + "\n".join(wrong)


def violations(seat: Seat) -> list[str]:
    """What axe finds, a sentence each."""
    seat.page.evaluate(AXE)
    found = seat.page.evaluate('axe.run({resultTypes: ["violations"]})')
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
