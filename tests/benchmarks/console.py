"""The console on a slow phone: what its first load weighs, when it is painted and can be used; and a list of 10,000.

The phone: 390 px, a processor four times slower, 1.6 Mbit/s down, 150 ms there and back, an empty cache.
"""

import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from infra.local.client import LocalStack

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a benchmark is run as a file

from tests.console import browser as browsers
from tests.console.browser import Seat

ROUNDS = 5
PHONE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
CODES = 10_000
WATCH = """(() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((one) => one.duration)))
    .observe({ type: "longtask" });
})()"""


SHIFTS = """new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const shift of list.getEntries()) sum += shift.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 100);
})"""


def first_load(browser: Any, base: str, key: str) -> tuple[float, float, float, float]:
    """(KiB as transferred, ms to the first contentful paint, ms until home shows its figures, layout shift)"""
    seat = Seat(browser, base, "phone").sign_in(key)
    told = seat.context.new_cdp_session(seat.page)
    told.send("Network.enable")
    told.send("Network.emulateNetworkConditions", PHONE)
    told.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    received: list[float] = []
    told.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    seat.page.goto(f"{base}/console", wait_until="commit")
    seat.settle()
    usable = seat.page.evaluate("performance.now()")
    paint = seat.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    shift = seat.page.evaluate(SHIFTS)
    seat.close()
    return sum(received) / 1024, paint, usable, shift


def scrolled(browser: Any, base: str, key: str) -> tuple[float, int]:
    """(the longest task in ms while a list is scrolled to its end, 0 for none over 50; how many rows it got)"""
    seat = Seat(browser, base).sign_in(key)
    model = seat.context.request.get(f"{base}/api/live-codes?limit=1").json()["items"][0]

    def answer(route: Any) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start, limit = int(query.get("cursor", ["0"])[0]), int(query.get("limit", ["50"])[0])
        rows = [
            {**model, "live_code_id": f"lc_{n}", "code": f"c{n}", "name": f"活码 {n}"}
            for n in range(start, min(start + limit, CODES))
        ]
        after = str(start + limit) if start + limit < CODES else None
        told = {"items": rows, "next_cursor": after, "total": CODES, "total_is": "exact"}
        route.fulfill(body=json.dumps(told), content_type="application/json")

    seat.page.route("**/api/live-codes?*", answer)
    seat.open("/live-codes")
    seat.page.evaluate(WATCH)
    seat.page.mouse.move(700, 600)
    rows, still = 0, 0
    while still < 10:
        for _ in range(10):
            seat.page.mouse.wheel(0, 1200)
            seat.page.wait_for_timeout(16)
        seat.settle()
        height = seat.page.evaluate("document.documentElement.scrollHeight")
        still, rows = (still + 1, rows) if height == rows else (0, height)
    tasks = seat.page.evaluate("window.tasks")
    seat.close()
    return max(tasks, default=0.0), len(tasks)


def main() -> None:
    if browsers.PROGRAM is None:
        print("no Chromium on this machine: not measured")
        return
    base, key = os.environ.get("CONSOLE_STACK"), os.environ.get("ADMIN_API_KEY", "")
    with browsers.chromium() as browser:
        if base:
            measure(browser, base, key)
        else:
            with LocalStack(DEMO="1") as stack:
                measure(browser, stack.base, stack.key)


def measure(browser: Any, base: str, key: str) -> None:
    first_load(browser, base, key)  # the functions start cold
    loads = [first_load(browser, base, key) for _ in range(ROUNDS)]
    sizes, paints, uses, shifts = zip(*loads, strict=True)
    longest, count = scrolled(browser, base, key)
    print(f"console_first_load {statistics.median(sizes):.1f} KiB")
    print(f"console_first_paint {statistics.median(paints):.0f} ms")
    print(f"console_home_usable {statistics.median(uses):.0f} ms")
    print(f"console_layout_shift {statistics.median(shifts):.3f}")
    print(f"console_list_longest_task {longest:.0f} ms")
    print(f"console_list_tasks_over_50_ms {count} tasks")


if __name__ == "__main__":
    main()
