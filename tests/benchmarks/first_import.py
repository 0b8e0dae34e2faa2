"""The first import of a big corp: how long it takes, what a customer costs, the memory that it needs.

The import's own steps go against MiniStack's DynamoDB, and against a sandbox with a crowd in a process of its
own, through the very client and HTTP; messages are handed on at once. Write units are those that the engine
tells, facts included. `first_import.py [CUSTOMERS]`, by default 2,000; then the repair of the same, which
writes nothing. `first_import.py pages CUSTOMERS` reads that many of WeCom's pages and stores nothing: the
sandbox's own pace. Prints `name value unit`.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import conftest  # sets the environment that the models read

from chalicelib.facts import service as facts
from chalicelib.imports import models, service, steps
from chalicelib.imports.types import PARTS
from chalicelib.platform import due, jobs, queues, settings, storage, timeline
from chalicelib.platform.due import DueItem
from chalicelib.wecom import client as wecom
from infra.sandbox import Config
from tests.support import engine

CUSTOMERS, FACTS = 2_000, 200
READS = ("GetItem", "Query", "BatchGetItem", "TransactGetItems", "Scan")


class Meter:
    """What the engine says that writes consumed. Of what batches of reads take it tells too little."""

    def __init__(self) -> None:
        self.writes = 0.0
        self.requests = 0
        hooks = storage.connection().client.meta.events
        hooks.register("provide-client-params.dynamodb", self._ask)
        hooks.register("after-call.dynamodb", self._count)

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        told = parsed.get("ConsumedCapacity") or []
        units = sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told]))
        self.requests += 1
        if model.name not in READS:
            self.writes += units


def memory_of(process: int | str = "self", what: str = "VmHWM") -> float:
    """MB that a process has had resident at most."""
    return int(Path(f"/proc/{process}/status").read_text().split(f"{what}:")[1].split()[0]) / 1024


@contextmanager
def sandbox(customers: int) -> Iterator["subprocess.Popen[str]"]:
    """A sandbox with that crowd; WECOM_API_BASE leads to it."""
    port = engine.free_port()
    command = [sys.executable, "-m", "infra.sandbox", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        base = f"http://127.0.0.1:{port}"
        tell(base, "settings", {"rate_per_minute": 10**9, "rate_per_hour": 10**9})
        print(f"sandbox_memory_before {memory_of(process.pid):.0f} MB")
        tell(base, "crowd", {"customers": customers, "groups": min(200, customers // 500)})
        config = Config()
        os.environ |= {
            "WECOM_API_BASE": base,
            "WECOM_CORP_ID": config.corp_id,
            "WECOM_AGENT_ID": str(config.agent_id),
        }
        settings._secrets["wecom"] = (time.monotonic() + 10**9, {"secret": config.secret})
        yield process
        print(f"sandbox_memory {memory_of(process.pid):.0f} MB")
    finally:
        process.terminate()
        process.wait(30)


def tell(base: str, what: str, body: Any) -> None:
    request = urllib.request.Request(f"{base}/_sandbox/{what}", json.dumps(body).encode(), method="POST")
    urllib.request.urlopen(request, timeout=600).read()


def run(name: str, meter: Meter) -> int:
    """One import from its beginning to its end; how many customers it saw."""
    sent: list[dict[str, Any]] = []
    queues.send = lambda queue, message, **_: sent.append(dict(message))  # type: ignore[assignment]
    meter.writes, meter.requests = 0.0, 0
    calls = sum(wecom.default_client().calls.values())
    began, cpu, slept, count = time.perf_counter(), time.process_time(), 0.0, 0
    job = service.start()
    while jobs.get(job.job_id).status in ("queued", "running"):
        while sent:
            steps.work(sent.pop(0))
            count += 1
        for row in list(DueItem.scan()):  # 5,000 calls within a minute: the rest of it is waited
            due.remove([row])
            sent.append({"kind": row.kind, **row.work})
            slept += 1
    took = time.perf_counter() - began
    done = jobs.get(job.job_id)
    assert done.status == "finished" and done.result is not None, done.error
    newest = models.current()
    assert newest is not None
    seen = int(done.result["customers"]["seen"])
    for part in PARTS:
        progress = newest.progress(part)
        assert progress.began_at and progress.ended_at
        print(f"{name}_{part} {(progress.ended_at - progress.began_at).total_seconds():.1f} s")
    calls = sum(wecom.default_client().calls.values()) - calls
    print(f"{name}_result {json.dumps(done.result)} customers")
    print(f"{name}_total {took:.1f} s")
    print(f"{name}_steps {count} messages, {slept:g} of them put off")
    print(f"{name}_own_cpu {1000 * (time.process_time() - cpu) / seen:.2f} ms_a_customer")
    print(f"{name}_rate {seen / took:.0f} customers_a_second")
    print(f"{name}_wecom_calls {calls} calls")
    print(f"{name}_requests {meter.requests / seen:.2f} a_customer")
    print(f"{name}_write_units {meter.writes / seen:.2f} a_customer")
    print(f"{name}_memory {memory_of():.0f} MB")
    return seen


def measure(customers: int) -> None:
    meter = Meter()
    run("import", meter)
    people = (f"wmcrowd{number:025d}" for number in range(min(FACTS, customers)))
    lines = [line for who in people for line in timeline.since(who, Config().now().replace(year=2000))]
    heard = [line for line in lines if line.type == "customer_imported"]
    meter.writes = 0.0
    for line in heard:
        facts.on_line(line)
    print(f"facts_write_units {meter.writes / min(FACTS, customers):.2f} a_customer")
    run("repair", meter)


def read_pages(customers: int) -> None:
    """WeCom's side alone: every guide's pages."""
    client = wecom.default_client()
    serving = sorted(client.get_follow_user_list())
    began, pages, bonds = time.perf_counter(), 0, 0
    for first in range(0, len(serving), 100):
        cursor = ""
        while True:
            rows, cursor, _ = client.customers_of(serving[first : first + 100], cursor)
            pages, bonds = pages + 1, bonds + len(rows)
            if not cursor:
                break
    took = time.perf_counter() - began
    print(f"pages {pages} calls, {bonds} bonds, {took:.0f} s, {1000 * took / pages:.1f} ms_a_call")


def main() -> None:
    only_pages = "pages" in sys.argv
    customers = int(next((one for one in sys.argv[1:] if one.isdecimal()), CUSTOMERS))
    with engine.running() as os.environ["AWS_ENDPOINT_URL"]:
        conftest.create_tables()
        with sandbox(customers):
            if only_pages:
                read_pages(customers)
            else:
                measure(customers)


if __name__ == "__main__":
    main()
