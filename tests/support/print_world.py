"""What the tests of print runs share: a live code, a run of its cards, and the queue worked off."""

from collections import deque
from typing import Any

import msgspec

from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.printruns import printing, runs, service
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import NewPrintRun
from tests.support.scan_support import definition

Sent = list[tuple[str, dict[str, Any], str | None]]


def live_code(**rest: Any) -> LiveCode:
    runs.forget()
    return livecodes.create(definition({"staff_id": "lihua"}, **rest))


def wanted(count: int, format: str = "csv", **rest: Any) -> dict[str, Any]:
    given = {"name": "冬季包裹卡", "count": count, "format": format, **rest}
    return msgspec.to_builtins(msgspec.convert(given, NewPrintRun))  # type: ignore[no-any-return]


def a_run(count: int = 1000, code: LiveCode | None = None, **rest: Any) -> Run:
    return service.create((code or live_code()).live_code_id, wanted(count, **rest))


def token(run: Run, number: int) -> str:
    return runs.url(run, number).rsplit("/", 1)[1]


def work_off(sent: Sent) -> int:
    """Do what is on the queue `printrun`, and what that puts there; how many messages there were."""
    done, waiting = 0, deque(message for queue, message, _ in sent if queue == "printrun")
    sent.clear()
    while waiting:
        printing.work(waiting.popleft())
        done += 1
        waiting += [message for queue, message, _ in sent if queue == "printrun"]
        sent.clear()
    return done
