"""One order with two commission levels, until it is settled: requests and capacity units of each step.

The consumer's work on MiniStack's DynamoDB, as the engine counts it (by AWS's rules, indexes
included; a transaction's writes cost double). Prints `name value unit`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 50
READS = ("GetItem", "Query", "BatchGetItem")


class Meter:
    """Requests and capacity units since the last report."""

    def __init__(self) -> None:
        from chalicelib.platform import storage

        self.requests, self.read, self.written = 0, 0.0, 0.0
        hooks = storage.connection().client.meta.events
        hooks.register("provide-client-params.dynamodb", self._ask)
        hooks.register("after-call.dynamodb", self._count)

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        if model.name == "BatchGetItem":  # MiniStack does not say: a unit a small item, half of one at ease
            for asked in params["RequestItems"].values():
                self.read += len(asked["Keys"]) * (1 if asked.get("ConsistentRead") else 0.5)
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        told = parsed.get("ConsumedCapacity") or []
        units = sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told]))
        self.requests += 1
        if model.name in READS:
            self.read += units
        else:
            self.written += units

    def report(self, name: str) -> None:
        print(f"order_{name}_requests {self.requests} requests")
        print(f"order_{name}_read_units {self.read:g} units")
        print(f"order_{name}_write_units {self.written:g} units")
        self.forget()

    def forget(self) -> None:
        self.requests, self.read, self.written = 0, 0.0, 0.0


def test_measure(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    at: Callable[..., Any],
    sent: list[Any],
) -> None:
    from chalicelib.customers import service as customers
    from chalicelib.payouts import settlement
    from tests.support.money_world import World, message, paid, refund

    get = customers.get
    request.getfixturevalue("engine")  # makes the tables of what is imported by now
    world = World(at, sent, monkeypatch)
    monkeypatch.setattr(customers, "get", get)  # the real look-up is part of the cost
    plan = world.plan(withhold_tax=True)
    parent = world.distributor(plan, "wm-parent")
    child = world.distributor(plan, "wm-child", parent.distributor_id)
    world.tell(paid("o0", child.share_code))  # the distributors' balances are there
    meter = Meter()

    def step(name: str, work: Callable[[], Any]) -> None:
        work()
        meter.report(name)

    first = paid("o1", child.share_code)
    step("paid", lambda: world.tell(first))
    step("paid_again", lambda: world.tell(first))
    step("completed", lambda: world.tell(message("o1", "completed", 1)))
    step("refunded", lambda: world.tell(refund("o1", "R1", 2, 4_950, [("1", 4_950)])))

    world.move(days=9)
    run = settlement.start(None).settlement_id
    meter.forget()
    step("settled_two_distributors", lambda: settlement.run_page(run, None, 0))

    begun = time.process_time()
    for i in range(ROUNDS):
        world.tell(paid(f"round{i}", child.share_code))
    print(f"order_paid_cpu {(time.process_time() - begun) * 1000 / ROUNDS:.1f} ms")


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    options = ["-q", "-s", "-p", "no:cacheprovider", "--no-header"]
    sys.exit(pytest.main([*options, "--confcutdir", str(ROOT / "tests"), __file__]))
