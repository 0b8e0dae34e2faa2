"""Time to welcome through the local stack: 20 adds a second for 15 seconds.

From when our door took the event to when WeCom had accepted the welcome, as the product itself
measures it (line `welcome_sent`), and the share that missed the 20 s window. A burst goes before and is
not counted: each function then has as many warm environments as it will have (4 here), as where 20 people
a second come all the time. All of a second's work shares these cores, emulator and sandbox included.
"""

import statistics
import threading
import time
from typing import Any

from infra.local.client import LocalStack

PER_SECOND, SECONDS, BURST = 20, 15, 40


def main() -> None:
    with LocalStack() as stack:
        body = {
            "name": "Welcome",
            "kind": "staff",
            "channel": "poster",
            "tags": ["渠道/海报"],
            "assignment": {"strategy": "round_robin", "members": [{"staff_id": "lihua"}]},
            "welcome": {"text": "您好 {customer_name}，我是 {staff_name}"},
        }
        code = stack.api("POST", "/api/live-codes", body)
        scan = stack.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"}).json()
        people: list[dict[str, Any]] = []

        def add(number: int) -> None:
            people.append(stack.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": f"客户{number}"}))

        def come(count: int, per_second: float) -> float:
            """That many people at that rate; the seconds until the last is answered."""
            begun, threads = time.monotonic(), []
            for number in range(count):
                time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
                threads.append(threading.Thread(target=add, args=(number,)))
                threads[-1].start()
            for thread in threads:
                thread.join()
            return time.monotonic() - begun

        come(BURST, per_second=1000)
        stack.drain()
        people.clear()
        took = come(PER_SECOND * SECONDS, PER_SECOND)
        stack.drain()
        waits, missed = [], 0
        for person in people:
            lines = stack.api("GET", f"/api/customers/{person['external_userid']}/timeline")["items"]
            found = [line["data"]["ms"] for line in lines if line["type"] == "welcome_sent"]
            waits += found
            missed += not found
    waits.sort()
    print(f"adds_per_second {len(people) / took:.1f} 1/s")
    print(f"time_to_welcome_p50 {statistics.median(waits):.0f} ms")
    print(f"time_to_welcome_p99 {waits[int(len(waits) * 0.99)]:.0f} ms")
    print(f"time_to_welcome_missed {missed} of_{len(people)}")


if __name__ == "__main__":
    main()
