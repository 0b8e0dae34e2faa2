"""Who plays: to the product an operator, a phone and a mall; to the sandbox people in WeCom."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import urllib3

from chalicelib.platform.clock import SHANGHAI
from infra.local.demo import brand

_AT_ONCE = 3
_CATCHES = 5  # each takes real time again, ever less of it


class Business:
    """`customers`: who has added a guide, as the sandbox told of the add, with name and unionid."""

    def __init__(self, base: str, key: str):
        self.base, self.key = base, key
        self.http = urllib3.PoolManager(maxsize=4, retries=False)
        self.dice = random.Random(20261122)  # noqa: S311 (the same business at every run)
        self.customers: list[dict[str, Any]] = []
        self.people = 0
        self.orders = 0

    def call(self, method: str, path: str, body: Any = None, key: bool = True) -> Any:
        """A call in JSON. RuntimeError names the one that was refused."""
        headers = {"Authorization": f"Bearer {self.key}"} if key else {"Accept": "application/json"}
        answer = self.http.request(method, self.base + path, json=body, headers=headers, timeout=120)
        return _read(f"{method} {path}", answer)

    def send(self, path: str, body: bytes, kind: str) -> Any:
        """A file, by the operator."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        return _read(
            path, self.http.request("POST", self.base + path, body=body, headers=headers, timeout=120)
        )

    def world(self, path: str, body: Any) -> Any:
        return self.call("POST", f"/_sandbox/{path}", body, key=False)

    def drain(self) -> None:
        self.call("POST", "/local/drain", key=False)

    def advance(self, duration: str) -> None:
        self.call("POST", "/local/clock", {"advance": duration}, key=False)

    def now(self) -> str:
        return str(self.call("GET", "/local/clock", key=False)["now"])

    def catch_up(self) -> None:
        """Move the clock to the present: it lacks the real time that its moves took."""
        for _ in range(_CATCHES):
            behind = int((datetime.now(SHANGHAI) - datetime.fromisoformat(self.now())).total_seconds())
            if behind < 1:
                return
            self.advance(f"PT{behind}S")

    def day(self, days: int) -> str:
        """A day in Shanghai, so many from where the clock ends."""
        return (datetime.now(SHANGHAI) + timedelta(days=days)).date().isoformat()

    def upload(self, made: dict[str, Any], table: bytes) -> None:
        """A file to where a door said. RuntimeError."""
        put = self.http.request("PUT", made["upload_url"], body=table, headers=made["upload_headers"])
        if put.status != 200:
            raise RuntimeError(f"the file was not taken: {put.status}")

    def at_once(self, work: Callable[[Any], Any], what: Sequence[Any]) -> list[Any]:
        """Done for each, some of them at the same time."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(work, what))

    def result(self, job: dict[str, Any]) -> bytes:
        """What a job has made, once everything is quiet."""
        done = self.call("GET", f"/api/jobs/{job['job_id']}")
        if done["status"] != "finished":
            raise RuntimeError(f"a job did not finish: {done}")
        return bytes(self.http.request("GET", done["result_url"], timeout=60).data)

    def person(self) -> dict[str, str]:
        """Somebody new."""
        self.people += 1
        name = brand.PEOPLE[self.people % len(brand.PEOPLE)]
        return {"name": name, "unionid": f"o6_demo_{self.people:05d}"}

    def scan(self, code: str) -> Any:
        return self.call("GET", f"/s/{code}", key=False)

    def add(self, shown: dict[str, Any], person: dict[str, str] | None = None) -> dict[str, Any]:
        """The guide that a scan showed is added."""
        who = person or self.person()
        return self.came(self.world("add", {"qr_code": shown["qr_url"], **who}), who)

    def came(self, added: dict[str, Any], who: dict[str, str]) -> dict[str, Any]:
        self.customers.append({**added, **who})
        return self.customers[-1]


def _read(what: str, answer: urllib3.BaseHTTPResponse) -> Any:
    if answer.status >= 400:
        raise RuntimeError(f"{what}: {answer.status} {answer.data[:300]!r}")
    return answer.json() if answer.data else None
