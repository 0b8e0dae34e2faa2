"""500 scans a second arriving on one code for 20 seconds, against the embedded engine, as far as it goes.

Arrivals come by the clock, whether or not those before them are answered; a person waits five seconds at
most, and is then counted as one who gave up. The engine and the processes that scan share this machine's
cores, so what is achieved is the machine's measure, not DynamoDB's: docs/load.md reckons that. What must
hold at any speed does: no failure, no cap overshot, no place counted that nobody has.
Prints `name value unit`.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import conftest  # sets the environment that the models read

from chalicelib.assignments import caps
from chalicelib.assignments.models import TOTAL, AssignmentItem, member_key
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import rates
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, queues
from chalicelib.platform.errors import DomainError
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from tests.support import engine
from tests.support.scan_support import FakeWeCom, definition, requests

PER_SECOND, SECONDS, PATIENCE = 500, 20, 5.0
PROCESSES, THREADS = 2, 12
GUIDES, CAP = 2, 250  # few, so that their counters go into shards, and are used up


def scanner(code: str, number: int, begin: float) -> None:
    """One process's share of the arrivals. Prints what became of them as JSON."""
    fake = FakeWeCom()
    wecom.default_client = lambda: fake  # type: ignore[assignment]
    livecodes.current(f"lc_{code}")  # the connection is made before the first scan
    asked, arrivals = requests(), count(number, PROCESSES)
    told: Counter[str] = Counter()
    waits: list[float] = []
    took: list[float] = []

    def people() -> None:
        while (arrival := next(arrivals)) < PER_SECOND * SECONDS:
            at = begin + arrival / PER_SECOND
            time.sleep(max(0.0, at - time.time()))
            if time.time() - at > PATIENCE:
                told["gave_up"] += 1
                continue
            begun = time.time()
            try:
                told[scan_service.scan(code).kind] += 1
            except DomainError:
                told["failed"] += 1
            waits.append(time.time() - at)
            took.append(time.time() - begun)

    with ThreadPoolExecutor(THREADS) as threads:
        for done in [threads.submit(people) for _ in range(THREADS)]:
            done.result()
    rate = rates.per_second(f"lc_{code}", clock.now())
    print(json.dumps({"told": told, "waits": waits, "took": took, "asked": Counter(asked), "rate": rate}))


def main() -> None:
    with engine.running() as os.environ["AWS_ENDPOINT_URL"]:
        conftest.create_tables()
        code = made()
        report(code, run(code.code))


def made() -> livecodes.LiveCode:
    fake = FakeWeCom()
    wecom.default_client = lambda: fake  # type: ignore[assignment]
    queues.send_all = lambda *_: None  # type: ignore[assignment]
    members = [{"staff_id": f"guide_{n}", "daily_cap": CAP} for n in range(GUIDES)]
    code = livecodes.create(definition(*members, fallback=("f",)))
    for staff_id in code.rule.staff_ids:
        for slot in range(5):
            contactways.way(code, staff_id, slot)
    return code


def run(code: str) -> list[dict[str, Any]]:
    begin = time.time() + 3
    command = [sys.executable, __file__, code]
    started = [
        subprocess.Popen([*command, str(number), str(begin)], stdout=subprocess.PIPE)
        for number in range(PROCESSES)
    ]
    return [json.loads(one.communicate(timeout=60)[0].splitlines()[-1]) for one in started]


def report(code: livecodes.LiveCode, answers: list[dict[str, Any]]) -> None:
    told: Counter[str] = sum((Counter(one["told"]) for one in answers), Counter())
    asked: Counter[str] = sum((Counter(one["asked"]) for one in answers), Counter())
    waits = sorted(wait for one in answers for wait in one["waits"])
    took = sorted(one_took for one in answers for one_took in one["took"])
    answered = told["staff"] + told["closed"]
    overshoot = wrong = 0
    for staff_id in code.rule.staff_ids:
        key = member_key(code.live_code_id, staff_id)
        reserved = sum(1 for _ in AssignmentItem.query(key, attributes_to_get=["assignment_id"]))
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))
        found = caps.read([(key, day), (key, TOTAL)])
        wrong += sum(abs(standing.taken - reserved) for standing in found.values())
        overshoot += max(0, reserved - CAP) if staff_id != "f" else 0
    print(f"scan_load_offered {PER_SECOND} 1/s")
    print(f"scan_load_answered {answered / SECONDS:.0f} 1/s")
    print(f"scan_load_p50 {waits[len(waits) // 2] * 1000:.0f} ms")
    print(f"scan_load_p99 {waits[int(len(waits) * 0.99)] * 1000:.0f} ms")
    print(f"scan_load_scan_p50 {took[len(took) // 2] * 1000:.0f} ms")
    print(f"scan_load_gave_up {told['gave_up']} of_{PER_SECOND * SECONDS}")
    print(f"scan_load_failed {told['failed']} scans")
    print(f"scan_load_overshoot {overshoot} places")
    print(f"scan_load_miscounted {wrong} places")
    print(f"scan_load_requests_per_scan {sum(asked.values()) / max(1, answered):.2f} requests")
    print(f"scan_load_rate_seen {max(one['rate'] for one in answers):.0f} 1/s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        scanner(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    else:
        main()
