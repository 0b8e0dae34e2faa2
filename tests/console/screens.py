"""Every screen of the console, and an address for each."""

import json
import re
from contextlib import suppress
from typing import Any

from infra import build
from tests.console.browser import Seat

SECTIONS = {
    path.parent.name: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((build.ROOT / "layers" / "console" / "sections").glob("*/section.json"))
}
ROUTES: list[dict[str, Any]] = [
    {**route, "section": name}
    for name, section in SECTIONS.items()
    if not section.get("development")
    for route in section["routes"]
]


def find_addresses(seat: Seat) -> dict[str, str]:
    """Route → an address of it: the links of the screens are followed, from those that need no id."""
    found = {route["path"]: route["path"] for route in ROUTES if ":" not in route["path"]}
    todo = list(found.values())
    while todo and len(found) < len(ROUTES):
        with suppress(AssertionError):  # one that does not come to rest has a test that says so
            seat.go(todo.pop(_most_promising(todo, found)))
        for path in _links(seat):
            pattern = _pattern_of(path)
            if pattern and pattern not in found:
                found[pattern] = path
                todo.append(path)
    return found


def _most_promising(todo: list[str], found: dict[str, str]) -> int:
    """Which to open next: one of a section of which a screen is not found yet; it is linked to there."""
    section = {route["path"]: route["section"] for route in ROUTES}
    missing = {section[pattern] for pattern in section if pattern not in found}
    return next((i for i, path in enumerate(todo) if section.get(_pattern_of(path) or "") in missing), 0)


def _links(seat: Seat) -> list[str]:
    """Addresses below /console that the screen links to."""
    hrefs = seat.page.evaluate("[...document.querySelectorAll('main a[href]')].map((a) => a.pathname)")
    return [href.removeprefix("/console") or "/" for href in hrefs if href.startswith("/console")]


def _pattern_of(path: str) -> str | None:
    """The route of an address: a word goes before a parameter."""
    fits = [r["path"] for r in ROUTES if re.fullmatch(re.sub(r":\w+", "[^/]+", r["path"]), path)]
    return min(fits, key=lambda pattern: pattern.count(":"), default=None)
