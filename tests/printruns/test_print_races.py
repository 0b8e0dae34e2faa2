"""A card, a binding, a pool's codes under many hands at once, on an engine whose conditions hold."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from chalicelib.assignments import types as assignment_types
from chalicelib.contactways import rows
from chalicelib.coupons import service as coupons
from chalicelib.platform import timeline
from chalicelib.platform.errors import Conflict
from chalicelib.printruns import card_scan, cards, order_binding, runs
from chalicelib.printruns.types import Order
from chalicelib.scans import service as scan_service
from tests.support import print_world as world
from tests.support.scan_support import NOON, FakeWeCom, new_process, statuses


@pytest.fixture(autouse=True)
def _world(engine: str, keys: None, sent: world.Sent, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    new_process()
    runs.forget()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    monkeypatch.setattr(rows, "_WAIT_SECONDS", 60)
    yield
    new_process()


def at_once(count: int, work: Any) -> list[Any]:
    """`work(n)` in as many threads, begun together."""
    gate = Barrier(count)

    def begin(n: int) -> Any:
        gate.wait()
        return work(n)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_of_phones_at_once_exactly_one_gets_a_single_use_card() -> None:
    run = world.a_run(10, use="single")
    code = run.live_code_id.removeprefix("lc_")
    for number in range(1, 6):
        card, all_have_read_it = cards.find(world.token(run, number)), Barrier(6)

        def decide(origin: Any, gate: Barrier = all_have_read_it) -> assignment_types.Scan:
            gate.wait(60)
            return scan_service.scan(code, None, origin)

        found = at_once(6, lambda _, card=card, decide=decide: card_scan.scan(card, None, decide))
        assert Counter(scan.kind for scan in found) == {"staff": 1, "closed": 5}
    kept = statuses(run.live_code_id, "lihua")
    assert kept == {"reserved": 5, "lapsed": 25}  # the others' places are given back at once


def test_of_two_orders_for_one_card_one_gets_it() -> None:
    run = world.a_run(10)

    def bind(n: int) -> str:
        try:
            return order_binding.bind(cards.Card(run, 1), Order(order_id=f"M{n}")).status
        except Conflict:
            return "conflict"

    assert Counter(at_once(8, bind)) == {"bound": 1, "conflict": 7}


def test_no_code_for_two_none_lost_none_too_many() -> None:
    """40 people, each asking twice at once, and 30 codes."""
    pool_id = coupons.create("till", None).pool_id
    codes = {f"CODE-{n:03}" for n in range(30)}
    coupons.load(pool_id, "\n".join(codes).encode())
    with ThreadPoolExecutor(16) as pool:
        found = list(
            pool.map(lambda n: (n % 40, coupons.claim(pool_id, f"wm{n % 40}", NOON).code), range(80))
        )
    by_person: dict[int, set[str | None]] = {}
    for person, code in found:
        by_person.setdefault(person, set()).add(code)
    assert all(len(got) == 1 for got in by_person.values())
    given = [code for (code,) in by_person.values() if code]
    assert len(given) == 30 and set(given) == codes
    now = coupons.get(pool_id)
    assert (now.loaded, now.given, now.left) == (30, 30, 0)
    lines = [timeline.read(f"wm{person}")[0] for person, (code,) in by_person.items() if code]
    assert all([line["type"] for line in of_one] == ["coupon_given"] for of_one in lines)


def test_the_same_codes_loaded_by_many_at_once_are_there_once() -> None:
    pool_id = coupons.create("till", None).pool_id
    upload = "\n".join(f"CODE-{n:03}" for n in range(60))
    told = at_once(4, lambda _: coupons.load(pool_id, upload.encode()))
    assert sum(upload.added for upload in told) == coupons.get(pool_id).loaded == 60
    got = [coupons.claim(pool_id, f"wm{n}", NOON).code for n in range(61)]
    assert len(set(got[:60])) == 60 and got[60] is None
