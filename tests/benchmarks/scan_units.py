"""What a scan costs, as the engine counts it (MiniStack, by AWS's rules): somebody new, somebody known, a robot,
an address that is over its limit. Warm: ways are made, versions known. Prints `name value unit`.
"""

from collections.abc import Callable

import callback_units as units  # sets the environment
import msgspec

from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import NewLiveCode
from chalicelib.platform import queues
from chalicelib.scans import service as scan_service
from chalicelib.scans.address_limit import Admission
from chalicelib.wecom import client as wecom
from tests.support import engine

NEW, OVER = "203.0.113.7", "203.0.113.8"


def measure() -> None:
    queues.send_all = lambda queue, messages: None  # type: ignore[assignment]
    corp = units.Corp()
    wecom.default_client = lambda: corp  # type: ignore[assignment]
    code = livecodes.create(msgspec.to_builtins(msgspec.convert(units.CODE, NewLiveCode)))
    for staff_id in code.rule.staff_ids:
        for slot in range(contactways.SLOTS):
            contactways.way(code, staff_id, slot)
    for _ in range(62):
        scan_service.scan(code.code, admission=Admission(OVER))
    known = scan_service.scan(code.code, admission=Admission(NEW))
    meter = units.Meter()

    def of(name: str, work: Callable[[], object]) -> None:
        meter.writes, meter.requests = 0.0, 0
        work()
        print(f"scan_{name}_requests {meter.requests} requests")
        print(f"scan_{name}_write_units {meter.writes:g} write_units")

    of("new", lambda: scan_service.scan(code.code, admission=Admission(NEW)))
    of("known", lambda: scan_service.scan(code.code, known.cookie, admission=Admission(NEW)))
    of("robot", lambda: scan_service.scan(code.code, reserves=False))
    of("over_limit", lambda: scan_service.scan(code.code, admission=Admission(OVER)))


def main() -> None:
    with engine.running() as units.os.environ["AWS_ENDPOINT_URL"]:
        units.conftest.create_tables()
        measure()


if __name__ == "__main__":
    main()
