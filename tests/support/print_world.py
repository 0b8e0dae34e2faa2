"""What the tests of print runs share: a live code, a run of its cards, and the queue worked off."""

from collections import deque
from typing import Any

import msgspec

from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import validation, works
from chalicelib.platform.principal import SYSTEM
from chalicelib.printruns import runs, service
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import Format, NewFile, NewPrintRun, Sheet
from tests.support.scan_support import definition

Sent = list[tuple[str, dict[str, Any], str | None]]


def live_code(**rest: Any) -> LiveCode:
    runs.forget()
    return livecodes.create(definition({"staff_id": "lihua"}, **rest))


def wanted(count: int, format: str = "csv", **rest: Any) -> NewPrintRun:
    given = {"name": "冬季包裹卡", "count": count, "format": format, **rest}
    return msgspec.convert(given, NewPrintRun)


def a_run(count: int = 1000, code: LiveCode | None = None, **rest: Any) -> Run:
    """A run as it is stored; nobody has begun its file."""
    asked = wanted(count, **rest)
    expires_at = validation.parse_future("expires_at", asked.expires_at)
    return service.store((code or live_code()).live_code_id, asked, expires_at).run


def start_file(run: Run, format: Format, sheet: Sheet | None = None) -> str:
    """Have a file of the run made: its job's id."""
    return service.create_file(run.print_run_id, NewFile(format=format, sheet=sheet), SYSTEM).job_id


def token(run: Run, number: int) -> str:
    return runs.make_url(run, number).rsplit("/", 1)[1]


def work_off(sent: Sent) -> int:
    """Do what is on the queue `printrun`, and what that puts there; how many messages there were."""
    done, waiting = 0, deque(message for queue, message, _ in sent if queue == "printrun")
    sent.clear()
    while waiting:
        works.do(waiting.popleft())
        done += 1
        waiting += [message for queue, message, _ in sent if queue == "printrun"]
        sent.clear()
    return done
