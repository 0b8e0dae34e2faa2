"""An order as a person opens it: names, each line's commission and why, by role; the list's filters."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer, Follow
from chalicelib.distribution import distributors
from chalicelib.distribution.types import Distributor, DistributorPatch
from chalicelib.orders.models import OrderItem
from chalicelib.platform import auth
from tests.support.money_world import T0, World, message, paid, refund

Ask = Callable[..., Any]


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


@pytest.fixture
def team(world: World) -> tuple[Distributor, Distributor]:
    plan = world.plan(rates=(1_000, 300), skus=("MASK-01",))
    parent = world.distributor(plan, "wm1")
    return world.distributor(plan, "wm2", parent.distributor_id), parent


@pytest.fixture
def ask() -> Iterator[Ask]:
    with Client(app) as client:

        def call(path: str, role: str = "finance", language: str = "zh", status: int = 200) -> Any:
            headers = {"Authorization": f"Bearer {auth.create_key(role, role)}", "Accept-Language": language}
            answer = client.http.get(path, headers=headers)
            assert answer.status_code == status, answer.body
            return json.loads(answer.body)

        yield call


def test_each_line_says_who_earns_what_and_the_sums_are_the_ledgers(
    world: World, team: tuple[Distributor, Distributor], ask: Ask
) -> None:
    child, parent = team
    customers.save(Customer("wm-buyer", name="林晓", follows={"ann": Follow("active", T0, T0)}))
    world.tell(paid("o1", child.share_code), refund("o1", "R1", 2, 3_000, [("1", 2_000)]))
    order = ask("/api/orders/o1")
    assert (order["buyer_name"], order["distributor_name"]) == ("林晓", "王小明")
    mask, cream = order["items"]
    assert (mask["price_fen"], mask["quantity"], mask["paid_fen"], mask["refunded_fen"]) == (
        4_950,
        2,
        9_900,
        2_467,
    )
    assert [(c["level"], c["base_fen"], c["rate_bps"], c["amount_fen"]) for c in mask["commissions"]] == [
        (1, 7_433, 1_000, 743),
        (2, 7_433, 300, 222),
    ]
    assert (cream["commissions"], cream["why_none"]) == ([], "该商品不在方案的计佣范围内")
    levels = order["attribution"]["levels"]
    assert [(row["distributor_id"], row["earns"], row["amount_fen"]) for row in levels] == [
        (child.distributor_id, True, 743),
        (parent.distributor_id, True, 222),
    ]
    for level, who in zip(levels, team, strict=True):
        assert ask(f"/api/distributors/{who.distributor_id}/balance")["pending_fen"] == level["amount_fen"]
    assert order["refunds"][0]["lines"] == [{"line_id": "1", "amount_fen": 2_000}]
    assert ask("/api/orders/o1", language="en")["items"][1]["why_none"].startswith("this product is outside")


def test_an_order_without_any_of_the_plan_s_products_says_so(world: World, ask: Ask) -> None:
    plan = world.plan(rates=(1_000, 300), skus=("ELSE",))
    parent = world.distributor(plan, "wm1")
    child = world.distributor(plan, "wm2", parent.distributor_id)
    world.tell(paid("o1", child.share_code), message("o2", "created", share_code=child.share_code))
    order = ask("/api/orders/o1")
    assert {item["why_none"] for item in order["items"]} == {"该商品不在方案的计佣范围内"}
    levels = order["attribution"]["levels"]
    assert [(row["earns"], row["reason"]) for row in levels] == [(False, "credit_nothing_in_plan")] * 2
    assert levels[0]["why"] == "订单里没有方案计佣范围内的商品"
    assert not any(item["why_none"] for item in ask("/api/orders/o2")["items"])  # nothing is paid yet


def test_operators_see_who_and_why_without_amounts_and_auditors_no_names(
    world: World, team: tuple[Distributor, Distributor], ask: Ask
) -> None:
    world.tell(paid("o1", team[0].share_code))
    shown = ask("/api/orders/o1", role="operator")
    assert {item["commissions"] is None for item in shown["items"]} == {True}
    assert {(row["amount_fen"], row["rate_bps"]) for row in shown["attribution"]["levels"]} == {(None, None)}
    assert shown["attribution"]["levels"][0]["distributor_name"] == "王小明"
    masked = ask("/api/orders/o1", role="auditor")
    names = [
        masked["distributor_name"],
        *(row["distributor_name"] for row in masked["attribution"]["levels"]),
    ]
    assert set(names) == {"***"} and masked["external_userid"] == "***"


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("no parent", "credit_no_parent"),
        ("parent left", "credit_parent_left"),
        ("parent buys", "credit_parent_own_purchase"),
        ("one level", "credit_one_level"),
    ],
)
def test_why_nobody_earns_at_level_two(world: World, ask: Ask, case: str, reason: str) -> None:
    plan = world.plan(rates=(1_000,) if case == "one level" else (1_000, 300))
    parent = world.distributor(plan, "wm1")
    above = None if case == "no parent" else parent.distributor_id
    child = world.distributor(plan, "wm2", above)
    if case == "parent left":
        distributors.change(parent.distributor_id, DistributorPatch(status="left"))
    buyer = "wm1" if case == "parent buys" else "wm-buyer"
    world.tell(paid("o1", child.share_code, external_userid=buyer))
    one, two = ask("/api/orders/o1")["attribution"]["levels"]
    assert (one["earns"], two["earns"], two["reason"]) == (True, False, reason)
    assert two["why"] and (two["amount_fen"] or 0) == 0


def test_an_order_that_was_decided_before_reasons_had_codes_says_the_same(
    world: World, team: tuple[Distributor, Distributor], ask: Ask
) -> None:
    world.tell(paid("o1", team[0].share_code))
    item = OrderItem.get("o1")
    old = {**item.attribution, "why": "the order carries this distributor's share code"}
    old.pop("parent_why")
    item.update(actions=[OrderItem.attribution.set(old)])
    found = ask("/api/orders/o1")["attribution"]
    assert (found["reason"], found["why"]) == ("credit_share_code", "订单带有这位分销员的分享码")
    assert [row["reason"] for row in found["levels"]] == ["credit_share_code", "credit_parent"]


def test_orders_are_found_by_day_channel_credit_and_words(
    world: World, team: tuple[Distributor, Distributor], ask: Ask
) -> None:
    world.move(days=12)
    for number, days in enumerate((0, 1, 5, 10)):
        world.tell(message(f"o{number}", "paid", days, **_sale(team[0].share_code if number % 2 else None)))

    def found(query: str) -> list[str]:
        return [row["order_id"] for row in ask(f"/api/orders?{query}")["items"]]

    assert found("") == ["o3", "o2", "o1", "o0"]
    assert found("credited=true") == ["o3", "o1"] and found("credited=false") == ["o2", "o0"]
    assert found("from=2026-11-23&to=2026-11-27") == ["o2", "o1"]
    assert found("to=2026-11-22") == ["o0"] and found("from=2026-12-02") == ["o3"]
    assert found(f"distributor_id={team[0].distributor_id}&to=2026-11-24") == ["o1"]
    assert found("q=cream&limit=2") == ["o3", "o2"] and found("q=O1") == ["o1"] and found("q=nothing") == []
    assert found("channel=parcel") == []
    ask("/api/orders?from=2026-11-24&to=2026-11-23", status=422)


def _sale(share_code: str | None) -> dict[str, Any]:
    told = paid("x", share_code or "")
    return {"lines": told.lines, "paid_fen": told.paid_fen, "share_code": share_code}
