"""What a warm scan asks of DynamoDB: requests and capacity units, and its CPU.

Units are reckoned from what was really sent, by AWS's rule (a write: 1 unit a started KB, twice that
in a transaction; a consistent read: 1 unit a started 4 KB), since engines differ in what they report.
What is updated in place is a counter, or a reservation, whose size is checked. Prints `name value unit`;
the target is 2 requests.
"""

import os
import sys
import time
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conftest  # sets the environment that the models read
import moto

from chalicelib.assignments import confirmation
from chalicelib.assignments.models import AssignmentItem, PlaceItem
from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.models import LiveCodeItem
from chalicelib.platform import clock, due, queues, storage, timeline
from chalicelib.platform.storage import Transaction
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from tests.support.scan_support import FakeWeCom, definition, requests

TABLES = (LiveCodeItem, AssignmentItem, PlaceItem, due.DueItem, timeline.TimelineItem)
STAFF = [{"staff_id": f"guide_{n:03}", "daily_cap": 100_000, "total_cap": None} for n in range(20)]
SCANS = 60


def size(item: dict[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON: names and values (numbers are shorter than their digits)."""
    return sum(len(name.encode()) + value_size(*next(iter(value.items()))) for name, value in item.items())


def value_size(kind: str, value: Any) -> int:
    return len(str(value).encode()) if kind in ("S", "N") else 1


class Units:
    """Capacity units of what goes out, by a botocore hook."""

    def __init__(self) -> None:
        self.write = self.read = 0
        client = storage.connection().client
        client.meta.events.register("provide-client-params.dynamodb.*", self.count)

    def count(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "TransactWriteItems":
            for action in params["TransactItems"]:
                (what,) = action.values()
                bytes_sent = size(what.get("Item") or what["Key"])
                if what["TableName"] == AssignmentItem.Meta.table_name:
                    assert bytes_sent < 900, "confirming it could be two units: reckon that"
                self.write += 2 * ceil(bytes_sent / 1024)
                # What goes into an index is written beside the transaction, once.
                self.write += sum(name in what.get("Item", ()) for name in ("month_shard", "listing"))
        elif model.name in ("PutItem", "UpdateItem"):
            self.write += ceil(size(params.get("Item") or params["Key"]) / 1024)
        elif model.name == "BatchGetItem":
            self.read += sum(len(table["Keys"]) for table in params["RequestItems"].values())
        elif model.name in ("GetItem", "Query"):
            self.read += 1


def figures(name: str, code: livecodes.LiveCode, cookie: bool = False) -> list[str]:
    """One warm scan's requests and units."""
    held = scan_service.scan(code.code).cookie if cookie else None
    asked, units = requests(), Units()
    scan_service.scan(code.code, held)
    return [
        f"{name}_requests {len(asked)} requests",
        f"{name}_write_units {units.write} units",
        f"{name}_read_units {units.read} units",
    ]


def cpu(code: livecodes.LiveCode) -> float:
    """Milliseconds of CPU in one scan; the emulated store answers in the same process and is in it."""
    begin = time.process_time()
    for _ in range(SCANS):
        scan_service.scan(code.code)
    return (time.process_time() - begin) / SCANS * 1000


def warmed(**rest: Any) -> livecodes.LiveCode:
    code = livecodes.create(definition(*STAFF, fallback=("f",), **rest))
    for staff_id in code.rule.staff_ids:
        contactways.way(code, staff_id)
    scan_service.scan(code.code)
    return code


def main() -> None:
    fake = FakeWeCom()
    wecom.default_client = lambda: fake  # type: ignore[assignment]
    queues.send_all = lambda *_: None  # type: ignore[assignment]
    lines = []
    with moto.mock_aws():
        conftest.create_tables()
        code = warmed()
        lines += figures("scan", code)
        lines += figures("scan_returning", code, cookie=True)
        lines += figures("scan_least_loaded", warmed(strategy="least_loaded"))
        tx, units = Transaction(), Units()
        scan_service.scan(code.code)
        units.write = units.read = 0
        confirmation.confirm(tx, code, "guide_000", "wm1", clock.now() + timedelta(seconds=1))
        tx.commit()
        lines.append(f"scan_confirm_write_units {units.write} units")
        lines.append(f"scan_cpu_with_moto {cpu(code):.1f} ms")
    print(f"{len(STAFF)} members with a daily cap, one fallback; {len(TABLES)} tables")
    print("\n".join(lines))


if __name__ == "__main__":
    os.environ.pop("AWS_ENDPOINT_URL", None)
    main()
