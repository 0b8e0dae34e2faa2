"""Native codes and files: what keeping a code in step asks of the store while nothing changes, and CPU.

Prints `name value unit`.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conftest  # sets the environment that the models read
import moto

from chalicelib.assignments import native_list
from chalicelib.assignments import rules as assignment_rules
from chalicelib.livecodes import rules, yaml_files
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, queues, yaml_text
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from tests.support.scan_support import FakeWeCom, complete, definition, requests

CODES = 1000
HOURS = [{"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00"}]
STAFF: list[dict[str, Any]] = [
    {"staff_id": f"guide_{n:03}", "daily_cap": 100, "hours": HOURS} for n in range(100)
]


def seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def store() -> None:
    fake = FakeWeCom()
    wecom.default_client = lambda: fake  # type: ignore[assignment]
    queues.send_all = lambda *_: None  # type: ignore[assignment]
    with moto.mock_aws():
        conftest.create_tables()
        code = livecodes.create(definition(*STAFF, fallback=("chief",), printing="native"))
        native_list.keep_in_step(code.live_code_id)
        scan_service.scan(code.code)
        asked = requests()
        native_list.keep_in_step(code.live_code_id)
        print("native_in_step_requests", len(asked), "requests")
        asked.clear()
        scan_service.scan(code.code)
        print("native_scan_requests", len(asked), "requests")
        print("native_wecom_calls_in_step", fake.calls["update_contact_way"], "calls")


def cpu() -> None:
    rule = rules.rule_of(definition(*STAFF, fallback=("chief",)))
    now, hour = clock.now(), timedelta(hours=1)
    times = [seconds(lambda: assignment_rules.next_change(rule, now, hour)) for _ in range(20)]
    print("native_next_change_100_members", round(min(times) * 1000, 2), "ms")
    made = definition(*STAFF[:5], fallback=("chief",))
    rows = [yaml_files.lean("lc_22222222", f"code-{n}", made) for n in range(CODES)]
    text = yaml_text.dumps({"codes": rows})
    print("file_write_1000_codes", round(seconds(lambda: yaml_text.dumps({"codes": rows})) * 1000), "ms")
    print("file_read_1000_codes", round(seconds(lambda: yaml_files.read(text)) * 1000), "ms")
    lean = {k: v for k, v in yaml_files.read(text)[0].items() if k not in ("live_code_id", "ref")}
    assert complete(lean) == made
    print("file_bytes_a_code", len(text.encode()) // CODES, "bytes")


if __name__ == "__main__":
    os.environ.pop("AWS_ENDPOINT_URL", None)
    store()
    cpu()
