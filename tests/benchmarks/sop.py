"""An SOP step to 10,000 customers of 20 guides: calls to WeCom, and requests and capacity units a touch.

Services, ticker and handler on MiniStack's DynamoDB, against a WeCom that records. Counted from
the customers' enrolment to WeCom's answer, and on to the results. Prints `name value unit`.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS, GUIDES = 10_000, 20


def test_measure(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, at: Callable[..., Any]
) -> None:
    from chalicelib.platform.principal import SYSTEM
    from chalicelib.sops import service, touches
    from tests.support.sops_world import World, plan

    request.getfixturevalue("engine")  # makes the tables of what is imported by now

    world = World(monkeypatch, at)
    sop_id = service.create(plan())
    begun = time.perf_counter()

    def report(name: str) -> None:
        nonlocal begun
        print(f"sop_{name}_requests {sum(world.requests.values()) / CUSTOMERS:.3f} requests/touch")
        print(f"sop_{name}_units {world.units / CUSTOMERS:.2f} units/touch")
        print(f"sop_{name}_seconds {time.perf_counter() - begun:.1f} s")
        world.requests.clear()
        world.units, begun = 0.0, time.perf_counter()

    for i in range(CUSTOMERS):
        world.add(f"wmAAAAAAAAAAAAAAAAAAAAAAAAA{i:05d}", f"guide{i % GUIDES:02d}")
    report("enrol")
    world.run(timedelta(minutes=2))
    assert world.wecom.calls["add_msg_template"] == GUIDES
    report("push")
    world.run(timedelta(hours=1))
    report("results")
    counts = touches.count_by_step(service.load(sop_id), SYSTEM)
    report("counts")
    assert counts["intro"].sent == CUSTOMERS and counts["second"].scheduled == CUSTOMERS
    assert set(world.wecom.received().values()) == {1}
    print(f"sop_wecom_calls {world.wecom.calls['add_msg_template']} calls/10000_customers")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    options = ["-q", "-s", "-p", "no:cacheprovider", "--no-header"]
    sys.exit(pytest.main([*options, "--confcutdir", str(ROOT / "tests"), __file__]))
