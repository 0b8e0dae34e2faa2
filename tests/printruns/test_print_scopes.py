"""Print runs in lists, and by scope: a run follows its live code."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth
from chalicelib.platform.auth import Scope
from chalicelib.printruns import cards, order_binding, runs
from chalicelib.printruns.types import Order
from tests.support import print_world as world
from tests.support.scan_support import NOON, FakeWeCom, definition, new_process, requests

RUN = "/api/print-runs/{print_run_id}"
OUTSIDE: dict[tuple[str, str], Any] = {
    ("POST", "/api/live-codes/{live_code_id}/print-runs"): {"name": "x", "count": 5, "format": "csv"},
    ("GET", RUN): None,
    ("GET", f"{RUN}/stats"): None,
    ("POST", f"{RUN}/files"): {"format": "csv"},
    ("POST", f"{RUN}/close"): None,
    ("GET", f"{RUN}/cards/{{number}}"): None,
    ("POST", f"{RUN}/cards/{{number}}/bind"): {"order_id": "M1"},
    ("POST", f"{RUN}/cards/{{number}}/unbind"): {},
    ("POST", "/api/cards/bind"): {"code": "BOB-000001", "order_id": "M1"},
}
KEPT = {
    *OUTSIDE,
    ("GET", "/api/print-runs"),
    ("GET", "/api/cards"),
    ("POST", "/api/cards/bind-many"),
}
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def client(
    tables: None,
    keys: None,
    bucket: str,
    at: Callable[[datetime], None],
    sent: world.Sent,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Client]:
    new_process()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", FakeWeCom)
    at(NOON)
    with Client(app) as client:
        yield client
    new_process()


def calling(client: Client, role: str, scope: Scope | None = None) -> Call:
    key = auth.create_key(role, role, scope)

    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        answer = client.http.request(method, path, headers={"Authorization": f"Bearer {key}"}, body=data)
        return answer.status_code, json.loads(answer.body)

    return call


@pytest.fixture
def brand(client: Client) -> dict[str, str]:
    """Store s1 has ann, s2 bob. A run of each one's code, `ANN` and `BOB`; the ids of bob's."""
    admin = calling(client, "admin")
    place = {"latitude": 22.5, "longitude": 113.9}
    for store_id, staff_id in (("s1", "ann"), ("s2", "bob")):
        row = {"store_id": store_id, "name": store_id, **place, "staff_ids": [staff_id]}
        assert admin("POST", "/api/stores", row)[0] == 201
        code = livecodes.create(definition({"staff_id": staff_id}))
        run = world.a_run(100, code, prefix=staff_id.upper())
        order_binding.bind(cards.Card(run, 1), Order(order_id="M0"))
    return {"live_code_id": code.live_code_id, "print_run_id": run.print_run_id, "number": "1"}


@pytest.mark.parametrize("route", OUTSIDE, ids=" ".join)
@pytest.mark.parametrize("scope", [Scope(("s1",)), Scope(()), Scope(("s2",), ("2",))])
def test_what_is_outside_of_the_scope_is_not_there(
    client: Client, brand: dict[str, str], route: tuple[str, str], scope: Scope
) -> None:
    method, path = route
    status, _ = calling(client, "store_manager", scope)(method, path.format(**brand), OUTSIDE[route])
    assert status == 404
    inside = calling(client, "store_manager", Scope(("s2",)))(method, path.format(**brand), OUTSIDE[route])
    assert inside[0] in (200, 202, 409)  # 409: bound to M0


def test_a_run_of_a_code_that_is_others_too_is_not_closed(client: Client, brand: dict[str, str]) -> None:
    code = livecodes.create(definition({"staff_id": "ann"}, {"staff_id": "bob"}))
    path = f"{RUN.format(print_run_id=world.a_run(100, code, prefix='BOTH').print_run_id)}/close"
    assert calling(client, "store_manager", Scope(("s1",)))("POST", path)[0] == 403
    assert calling(client, "store_manager", Scope(("s1", "s2")))("POST", path)[0] == 200


def test_lists_and_bindings_of_many_have_the_scopes_own_alone(client: Client, brand: dict[str, str]) -> None:
    api = calling(client, "store_manager", Scope(("s1",)))
    _, listed = api("GET", "/api/print-runs")
    assert ([row["prefix"] for row in listed["items"]], listed["total"]) == (["ANN"], 1)
    assert api("GET", f"/api/print-runs?live_code_id={brand['live_code_id']}")[1]["items"] == []
    _, of_order = api("GET", "/api/cards?order_id=M0")
    assert [row["card"] for row in of_order["items"]] == ["ANN-000001"]
    assert api("GET", f"/api/cards?print_run_id={brand['print_run_id']}")[0] == 404
    items = [{"code": f"{prefix}-000002", "order_id": "M2"} for prefix in ("ANN", "BOB")]
    _, done = api("POST", "/api/cards/bind-many", {"items": items})
    assert [(row["status"], row["error"] and row["error"]["status"]) for row in done["items"]] == [
        ("bound", None),
        ("refused", 404),
    ]
    assert done["items"][1]["error"]["detail"] == "没有这张卡"


def test_runs_of_all_codes_are_counted_sorted_and_found_in_one_query(
    client: Client, at: Callable[[datetime], None]
) -> None:
    first, second = world.live_code(), world.live_code()
    for minute, (code, name) in enumerate(((first, "冬季包裹卡"), (second, "Spring"), (first, "会员日"))):
        at(NOON + timedelta(minutes=minute))
        world.a_run(10, code, name=name)
    api = calling(client, "operator")

    def names(query: str) -> list[str]:
        return [row["name"] for row in api("GET", f"/api/print-runs?{query}")[1]["items"]]

    asked = requests()
    _, page = api("GET", "/api/print-runs?limit=2")
    assert asked.count("Query") == 1 and "Scan" not in asked
    assert [row["name"] for row in page["items"]] == ["会员日", "Spring"]
    assert (page["total"], page["total_is"]) == (3, "exact")
    assert names(f"limit=2&cursor={page['next_cursor']}") == ["冬季包裹卡"]
    assert names("q=djbgk") == ["冬季包裹卡"] and names("sort=name")[0] == "Spring"
    assert names(f"live_code_id={first.live_code_id}&sort=created_at") == ["冬季包裹卡", "会员日"]
    assert api("GET", "/api/print-runs?sort=count")[0] == 422


def test_all_cards_of_a_run_are_listed_by_number_with_their_orders(client: Client) -> None:
    run = world.a_run(150, prefix="W26")
    order_binding.bind(cards.Card(run, 101), Order(order_id="M1", mall="youzan"))
    api = calling(client, "auditor")
    path = f"/api/cards?print_run_id={run.print_run_id}&limit=100"
    asked = requests()
    _, page = api("GET", path)
    assert asked.count("BatchGetItem") == 1 and "Query" not in asked
    assert (len(page["items"]), page["total"], page["items"][99]["card"]) == (100, 150, "W26-000100")
    _, rest = api("GET", f"{path}&cursor={page['next_cursor']}")
    assert (len(rest["items"]), rest["next_cursor"]) == (50, None)
    assert (rest["items"][0]["order_id"], rest["items"][1]["order_id"]) == ("M1", None)
    assert api("GET", f"{path}&cursor=150")[0] == api("GET", f"{path}&cursor=x")[0] == 422
    assert api("GET", "/api/cards")[0] == api("GET", f"{path}&order_id=M1")[0] == 422


def test_a_thousand_bindings_are_twenty_transactions(client: Client) -> None:
    run = world.a_run(1000, prefix="W26")
    items = [{"code": f"W26-{number:06}", "order_id": "M1"} for number in range(1, 1001)]
    runs.get_kept(run.print_run_id)
    api, asked = calling(client, "operator"), requests()
    _, done = api("POST", "/api/cards/bind-many", {"items": items})
    assert {row["status"] for row in done["items"]} == {"bound"}
    assert (asked.count("TransactWriteItems"), asked.count("BatchGetItem")) == (20, 20)
