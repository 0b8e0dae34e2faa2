"""`make screenshots`: every screen at every size, theme and language, as build/screenshots/<screen>-<size>-<theme>-<language>.png.

ONLY=live_codes takes those whose name begins so. CONSOLE_STACK and ADMIN_API_KEY: of a stack that runs already.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from infra import build
from infra.local.client import LocalStack
from tests.console import browser as browsers
from tests.console.browser import SIZES, Seat
from tests.console.screens import ROUTES, find_addresses

OUT = build.ROOT / "build" / "screenshots"


@contextmanager
def running() -> Iterator[tuple[str, str]]:
    """(where the console is, the admin's key)"""
    if base := os.environ.get("CONSOLE_STACK"):
        yield base, os.environ["ADMIN_API_KEY"]
        return
    with LocalStack(DEMO="1") as stack:
        yield stack.base, stack.key


def main() -> None:
    if browsers.PROGRAM is None:
        sys.exit("no Chromium on this machine")
    only, taken = os.environ.get("ONLY", ""), 0
    OUT.mkdir(parents=True, exist_ok=True)
    with running() as (base, key), browsers.chromium() as browser:
        first = Seat(browser, base).sign_in(key)
        addresses = find_addresses(first)
        first.close()
        names = {r["path"]: r.get("name") or f"{r['section']}.{r['screen'].lower()}" for r in ROUTES}
        chosen = {path: address for path, address in addresses.items() if names[path].startswith(only)}
        for dark in (False, True):
            for language in ("zh", "en"):
                seat = Seat(browser, base, "desktop", dark, language).sign_in(key)
                for path, address in chosen.items():
                    seat.resize("desktop").go(address)
                    name = re.sub(r"\W+", "-", names[path].removesuffix(".vue"))
                    for size in SIZES:
                        seat.resize(size).settle()
                        theme = "dark" if dark else "light"
                        picture = OUT / f"{name}-{size}-{theme}-{language}.png"
                        seat.page.screenshot(path=picture, full_page=True)
                        taken += 1
                seat.close()
        missing = sorted(set(names) - set(addresses))
    print(
        f"{taken} pictures in {OUT.relative_to(build.ROOT)}",
        *(f"no address of {m}" for m in missing),
        sep="\n",
    )


if __name__ == "__main__":
    main()
