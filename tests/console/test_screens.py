"""Every screen: at each size, in both themes and languages, without an error, an overflow, a raw value; axe finds nothing."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from infra import build
from tests.console.browser import SIZES, Seat

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
# What a page of a whole site must have, not a screen that a test opened alone.
OPTIONS = {"resultTypes": ["violations"]}
ROUTES = [
    route
    for path in sorted((build.ROOT / "layers" / "console" / "sections").glob("*/section.json"))
    if not (section := json.loads(path.read_text(encoding="utf-8"))).get("development")
    for route in section["routes"]
]


@pytest.fixture(scope="module")
def addresses(browser: Any, stack: Any) -> Iterator[dict[str, str]]:
    """An address for each route: found by following the links of those that have one."""
    seat = Seat(browser, stack.base).sign_in(stack.key)
    found = {route["path"]: route["path"] for route in ROUTES if ":" not in route["path"]}
    todo = list(found.values())
    while todo:
        seat.open(todo.pop(0))
        for path in links(seat):
            for pattern in (pattern_of(path),):
                if pattern and pattern not in found:
                    found[pattern] = path
                    todo.append(path)
    seat.close()
    yield found


def links(seat: Seat) -> list[str]:
    """Addresses below /console that the screen links to."""
    hrefs = seat.page.evaluate("[...document.querySelectorAll('main a[href]')].map((a) => a.pathname)")
    return [href.removeprefix("/console") or "/" for href in hrefs if href.startswith("/console")]


def pattern_of(path: str) -> str | None:
    """The route of an address: a word goes before a parameter."""
    fits = [r["path"] for r in ROUTES if re.fullmatch(re.sub(r":\w+", "[^/]+", r["path"]), path)]
    return min(fits, key=lambda pattern: pattern.count(":"), default=None)


@pytest.mark.parametrize("pattern", [route["path"] for route in ROUTES])
def test_a_screen_is_whole(browser: Any, stack: Any, addresses: dict[str, str], pattern: str) -> None:
    assert pattern in addresses, "no screen links to it, or the demo has none"
    wrong: list[str] = []
    for first, dark, language, others in (
        ("desktop", False, "zh", ("tablet", "phone")),
        ("phone", True, "en", ("desktop",)),
    ):
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
    found = seat.page.evaluate(f"axe.run({json.dumps(OPTIONS)})")
    return [
        f"axe {one['id']}: {node['html'][:140]} {node['failureSummary'].splitlines()[-1].strip()}"
        for one in found["violations"]
        for node in one["nodes"][:4]
    ]
