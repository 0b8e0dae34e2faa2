"""Faults that can be switched on while the sandbox runs.

A fault applies to calls whose path contains `path`. It does one of these:
  errcode   answer this WeCom error (200 with `errcode`)
  status    answer this HTTP status (for WeChat Pay with `code`)
  lost      do the work, then drop the connection: the caller cannot know
  drop      drop the connection, do nothing
  latency   wait that many seconds, then go on
`after` makes errcode and status answer after the work was done.
"""

import itertools
import random
import threading
from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("errcode", "status", "lost", "drop", "latency")


@dataclass
class Fault:
    path: str
    kind: str
    value: float = 0
    code: str = "SYSTEM_ERROR"  # of WeChat Pay's body, for kind status
    times: int | None = 1  # None: until it is taken away
    probability: float = 1.0
    after: bool = False
    fault_id: str = ""


class Faults:
    def __init__(self, seed: int) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)  # noqa: S311  chaos wants to be repeatable, not secret
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> str:
        """Switch a fault on; its id. ValueError for one that makes no sense."""
        if fault.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if fault.kind in ("errcode", "status", "latency") and not fault.value:
            raise ValueError(f"{fault.kind} needs a value")
        if not 0 < fault.probability <= 1 or (fault.times is not None and fault.times < 1):
            raise ValueError("probability is 0 … 1, times at least 1")
        with self._lock:
            fault.fault_id = f"f{next(self._ids)}"
            self._faults.append(fault)
        return fault.fault_id

    def clear(self, fault_id: str | None = None) -> int:
        """Take one away, or all; how many went."""
        with self._lock:
            stay = [f for f in self._faults if fault_id and f.fault_id != fault_id]
            gone = len(self._faults) - len(stay)
            self._faults = stay
        return gone

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(f) for f in self._faults]

    def take(self, path: str) -> list[Fault]:
        """The faults that hit this call: every latency, and the first of the others."""
        hit: list[Fault] = []
        with self._lock:
            for fault in self._faults:
                if fault.path not in path or (
                    fault.kind != "latency" and any(f.kind != "latency" for f in hit)
                ):
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                hit.append(fault)
            self._faults = [f for f in self._faults if f.times is None or f.times > 0]
        return hit
