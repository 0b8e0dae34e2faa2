"""Channels as things: found by the names that codes and figures have, what they cost, who may."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.channels import rules
from chalicelib.channels.types import Cost
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth
from chalicelib.platform.auth import Scope
from chalicelib.stores import guides
from tests.home.test_pulse_scopes import Stream
from tests.livecodes.test_code_scopes import definition
from tests.orders.test_orders_scopes import staff_store

KEPT = {
    ("GET", "/api/channels"),
    ("GET", "/api/channels/results"),
    ("GET", "/api/channels/{channel_id}/days"),
}
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
Ask = Callable[..., Any]


@pytest.fixture
def ask(tables: None, at: Callable[[datetime], None]) -> Iterator[Ask]:
    at(NOW)
    guides.forget()
    with Client(app) as client:

        def call(method: str, path: str, body: Any = None, scope: Scope | None = None, **headers: str) -> Any:
            role = "operator" if scope is None else "store_manager"
            headers = {"Authorization": f"Bearer {auth.create_key('k', role, scope)}", **headers}
            raw = b"" if body is None else json.dumps(body).encode()
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        yield call
    guides.forget()


def test_a_code_of_before_belongs_to_the_channel_that_takes_its_name(ask: Ask) -> None:
    livecodes.create(definition({"staff_id": "ann"}) | {"channel": "parcel"})
    assert ask("GET", "/api/channels")[1]["items"] == [
        {
            "channel_id": None, "name": "parcel", "aliases": [], "owner_id": None, "owner": None, "tags": [],
            "codes": 1,
        }
    ]  # fmt: skip
    status, made = ask("POST", "/api/channels", {"name": " 包裹卡 ", "aliases": ["parcel"]})
    assert status == 201 and made["name"] == "包裹卡"
    (row,) = ask("GET", "/api/channels")[1]["items"]
    assert (row["channel_id"], row["codes"]) == (made["channel_id"], 1)
    assert ask("GET", "/api/channels?known=false")[1]["total"] == 0
    status, refused = ask("POST", "/api/channels", {"name": "parcel"})
    assert status == 409 and "parcel" in refused["detail"]


def test_a_renamed_channel_keeps_what_it_had(ask: Ask) -> None:
    stream = Stream()
    stream.add("wm1", "ann", "poster")
    made = ask("POST", "/api/channels", {"name": "poster"})[1]
    path = f"/api/channels/{made['channel_id']}"
    status, after = ask("PATCH", path, {"name": "门店海报"}, **{"If-Match": '"1"'})
    assert (status, after["aliases"], after["version"]) == (200, ["poster"], 2)
    assert ask("PATCH", path, {"name": "x"}, **{"If-Match": '"1"'})[0] == 409
    stream.add("wm2", "ann", "门店海报")
    (row,) = ask("GET", "/api/channels/results")[1]["items"]
    assert (row["channel"], row["adds"], row["channel_id"]) == ("门店海报", 2, made["channel_id"])
    found = ask("GET", f"{path}/days?from=2026-11-22&to=2026-11-22")[1]["items"]
    assert [day["adds"] for day in found] == [2]
    assert ask("POST", "/api/channels", {"name": "poster"})[0] == 409  # still its alias
    assert ask("PATCH", path, {"aliases": []})[0] == 200
    assert ask("POST", "/api/channels", {"name": "poster"})[0] == 201
    assert ask("DELETE", path)[0] == 200 and ask("GET", path)[0] == 404
    assert ask("POST", "/api/channels", {"name": "门店海报"})[0] == 201


def test_what_a_channel_costs_and_brings(ask: Ask) -> None:
    stream = Stream()
    for n in range(3):
        stream.add(f"wm{n}", "ann", "ad")
    costs = [
        {"kind": "once", "amount_fen": 1000, "from": "2026-11-01"},
        {"kind": "day", "amount_fen": 10, "from": "2026-11-21", "to": "2026-11-30"},
        {"kind": "add", "amount_fen": 5, "from": "2026-11-01"},
    ]
    ask("POST", "/api/channels", {"name": "ad", "costs": costs})
    (row,) = ask("GET", "/api/channels/results?from=2026-11-01&to=2026-11-22")[1]["items"]
    assert (row["cost_fen"], row["per_add_fen"], row["per_buyer_fen"]) == (1000 + 20 + 15, 345, None)
    (row,) = ask("GET", "/api/channels/results?from=2026-11-22&to=2026-11-22")[1]["items"]
    assert row["cost_fen"] == 10 + 15


def test_a_scope_sees_its_own_figures_and_no_costs(ask: Ask) -> None:
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    stream = Stream()
    stream.add("wm1", "ann", "ad")
    stream.add("wm2", "bob", "ad")
    made = ask("POST", "/api/channels", {"name": "ad", "costs": [
        {"kind": "once", "amount_fen": 1000, "from": "2026-11-22"}]})[1]  # fmt: skip
    s1 = Scope(("s1",))
    (row,) = ask("GET", "/api/channels/results", scope=s1)[1]["items"]
    assert (row["adds"], row["cost_fen"], row["per_add_fen"]) == (1, None, None)
    path = f"/api/channels/{made['channel_id']}/days?from=2026-11-22&to=2026-11-22"
    assert [ask("GET", path, scope=one)[1]["items"][0]["adds"] for one in (None, s1)] == [2, 1]
    assert ask("GET", "/api/channels", scope=Scope(("s9",)))[1]["items"][0]["codes"] == 0
    assert ask("PATCH", f"/api/channels/{made['channel_id']}", {"name": "y"}, scope=s1)[0] == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "unknown"}, "name"),
        ({"name": "x", "tags": ["parcel"]}, "tags[0]"),
        (
            {"name": "x", "costs": [{"kind": "day", "amount_fen": -1, "from": "2026-11-22"}]},
            "costs[0].amount_fen",
        ),
        (
            {
                "name": "x",
                "costs": [{"kind": "day", "amount_fen": 1, "from": "2026-11-22", "to": "2026-11-21"}],
            },
            "costs[0].to",
        ),
        ({"name": "x", "colour": "red"}, "colour"),
    ],
)
def test_bad_input_names_the_field(ask: Ask, body: dict[str, Any], field: str) -> None:
    status, problem = ask("POST", "/api/channels", body)
    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert ask("GET", "/api/channels")[1]["total"] == 0


def test_costs_are_of_the_days_asked_for() -> None:
    daily = Cost(kind="day", amount_fen=7, from_=date(2026, 11, 20))
    assert rules.cost([daily], date(2026, 11, 1), date(2026, 11, 19), {}) == 0
    assert rules.cost([daily], date(2026, 11, 1), date(2026, 11, 22), {}) == 21
