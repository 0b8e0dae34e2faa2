"""Plans and distributors are changed through their doors: who may, what it does, over whose version."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.distribution.models import PlanItem
from chalicelib.platform import audit, idempotency
from tests.support.api import Api
from tests.support.money_world import T0, World, paid, statuses

PLAN = {"name": "P", "levels": [{"rate_bps": 1000}, {"rate_bps": 300}], "tax": "none"}


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


@pytest.fixture
def admin(world: World) -> Iterator[Api]:
    with Client(app) as client:
        yield Api(client, "admin")


@pytest.fixture
def plan(admin: Api) -> str:
    """Its path."""
    return f"/api/distribution/plans/{admin.post('/api/distribution/plans', PLAN)[1]['plan_id']}"


@pytest.fixture
def distributor(admin: Api, plan: str) -> dict[str, Any]:
    new = {"name": "王小明", "openid": "o1", "external_userid": "wm1", "plan_id": plan.rpartition("/")[2]}
    return dict(admin.post("/api/distributors", new)[1])


def path_of(distributor: dict[str, Any]) -> str:
    return f"/api/distributors/{distributor['distributor_id']}"


def test_a_plan_s_next_version(admin: Api, plan: str) -> None:
    first = admin.raw("GET", plan)
    assert first.headers["ETag"] == '"1"'
    patch = {"levels": [{"rate_bps": 500}], "withhold_tax": True, "scope": {"skus": ["A"]}, "name": "Q"}
    changed = admin.raw("PATCH", plan, patch, If_Match='"1"')
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    body = changed.json_body
    assert (body["levels"], body["tax"], body["scope"]) == (
        [{"rate_bps": 500}],
        "labour_month",
        {"skus": ["A"]},
    )
    assert (body["version"], body["created_at"]) == (2, first.json_body["created_at"])
    assert admin.get(plan) == (200, body)
    assert admin.patch(plan, {"scope": None, "tax": "labour_once"})[1]["scope"] == {"skus": None}
    assert admin.patch(plan, {"name": "Q"})[1]["version"] == 3  # which it is already
    assert len(admin.ids("/api/distribution/plans", "plan_id")) == 1
    assert admin.get(f"{plan}%23v1")[0] == admin.get(f"{plan}#v1")[0] == 404


@pytest.mark.parametrize(
    ("patch", "fields"),
    [
        ({"levels": [{"rate_bps": 1}] * 3}, ["levels"]),
        ({"levels": []}, ["levels"]),
        ({"levels": None}, ["levels"]),
        ({"name": None}, ["name"]),
        ({"mature_after": "soon"}, ["mature_after"]),
        ({"tax": "none", "withhold_tax": True}, ["withhold_tax"]),
        ({"rates": []}, ["rates"]),
        ({"plan_id": "x"}, ["plan_id"]),
    ],
)
def test_what_a_plan_can_not_become(admin: Api, plan: str, patch: Any, fields: list[str]) -> None:
    status, told = admin.patch(plan, patch)
    assert (status, [error["field"].partition("[")[0] for error in told["errors"]]) == (422, fields)
    assert admin.get(plan)[1]["version"] == 1


def test_old_orders_keep_theirs_also_when_they_are_told_late(admin: Api, plan: str, world: World) -> None:
    new = {"name": "n", "openid": "o1", "external_userid": "wm1", "plan_id": plan.rpartition("/")[2]}
    code = admin.post("/api/distributors", new)[1]["share_code"]
    world.tell(paid("before", code))
    for day, rate in ((1, 2_000), (2, 500)):
        world.at(T0 + timedelta(days=day))
        admin.patch(plan, {"levels": [{"rate_bps": rate}]})
    world.tell(paid("late", code))  # paid a minute after T0
    for days, order_id in ((1.5, "between"), (2.5, "after")):
        told = paid(order_id, code).to_queue()
        world.tell(type(paid("x", "y")).from_queue({**told, "occurred_at": str(T0 + timedelta(days=days))}))
    amounts = {order: statuses(order)[0][2] for order in ("before", "late", "between", "after")}
    assert amounts == {"before": 990, "late": 990, "between": 1_980, "after": 495}


def test_who_changes_what_of_a_plan(admin: Api, plan: str) -> None:
    operator, finance = admin.acting_as("operator"), admin.acting_as("finance")
    assert operator.patch(plan, {"name": "Q", "attribution_window": "P1D"})[0] == 200
    for money in ({"tax": "none"}, {"levels": [{"rate_bps": 1}]}, {"self_purchase": True}, {"scope": None}):
        assert operator.patch(plan, {"name": "R", **money})[0] == 403
    assert admin.get(plan)[1]["name"] == "Q"
    assert finance.patch(plan, {"levels": [{"rate_bps": 1}]})[0] == 200
    for role in ("store_manager", "guide", "auditor"):
        assert admin.acting_as(role).patch(plan, {"name": "R"})[0] == 403
    shown = operator.patch(plan, {"name": "S"}, If_Match='"1"')[1]
    assert shown["present"]["levels"] == [{"rate_bps": None}]  # money, also in a clash


def test_who_changes_what_of_a_distributor(admin: Api, distributor: dict[str, Any]) -> None:
    path = path_of(distributor)
    roles = {role: admin.acting_as(role) for role in ("operator", "finance", "auditor", "guide")}
    assert roles["operator"].patch(path, {"name": "李雷"})[1]["name"] == "李雷"
    for money in ({"openid": "o2"}, {"level": "gold"}, {"status": "left"}):
        assert roles["operator"].patch(path, {"name": "x", **money})[0] == 403
        assert roles["finance"].patch(path, money)[0] == 200
    assert roles["finance"].patch(path, {"name": "x"})[0] == 403
    assert roles["auditor"].patch(path, {})[0] == roles["guide"].patch(path, {})[0] == 403
    found = admin.get(path)[1]
    assert [found[name] for name in ("name", "openid", "level", "status")] == ["李雷", "o2", "gold", "left"]
    assert admin.patch(path, {"level": None})[1]["level"] is None


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"name": None}, "name"),
        ({"openid": "\u3000"}, "openid"),
        ({"status": "gone"}, "status"),
        ({"parent_id": "d_1"}, "parent_id"),
        ({"plan_id": "p"}, "plan_id"),
    ],
)
def test_what_a_distributor_can_not_become(
    admin: Api, distributor: dict[str, Any], patch: Any, field: str
) -> None:
    status, told = admin.patch(path_of(distributor), patch)
    assert (status, [error["field"] for error in told["errors"]]) == (422, [field])
    assert admin.get(path_of(distributor))[1] == distributor


def test_a_stale_version_gets_the_present_state(admin: Api, distributor: dict[str, Any]) -> None:
    path = path_of(distributor)
    etag = admin.raw("GET", path).headers["ETag"]
    changed = admin.raw("PATCH", path, {"level": "gold"}, If_Match=etag)
    assert changed.status_code == 200 and changed.headers["ETag"] != etag
    status, told = admin.patch(path, {"level": "silver"}, If_Match=etag)
    assert (status, told["present"]["level"]) == (409, "gold")
    for match in ("*", f'W/{changed.headers["ETag"]}, "7"', ""):
        assert admin.patch(path, {"level": "gold"}, If_Match=match)[0] == 200


def test_the_audit_says_what_changed_and_not_who_it_was(admin: Api, distributor: dict[str, Any]) -> None:
    admin.patch(path_of(distributor), {"name": "李雷", "openid": "openid-2", "status": "frozen"})
    entries = admin.get(f"/api/audit?object={distributor['distributor_id']}")[1]["items"]
    (entry,) = (each for each in entries if each["action"] == "distributors.change")
    changes = {change["field"]: (change["from"], change["to"]) for change in entry["changes"]}
    assert changes == {"name": ("***", "***"), "openid": ("***", "***"), "status": ("active", "frozen")}
    stored = str([row.to_dynamodb_dict() for row in audit.AuditItem.scan()])
    assert not any(text in stored for text in ("李雷", "王小明", "openid-2", '"o1"'))


def test_an_idempotency_key_keeps_no_name_in_plain_text(admin: Api, plan: str) -> None:
    new = {"name": "王小明", "openid": "o1", "external_userid": "wm1", "plan_id": plan.rpartition("/")[2]}
    answers = [admin.post("/api/distributors", new, Idempotency_Key="k1") for _ in range(2)]
    assert answers[0] == answers[1] and answers[0][1]["name"] == "王小明"
    assert "王小明" not in str([row.to_dynamodb_dict() for row in idempotency.IdempotencyItem.scan()])


def test_a_distributor_who_is_not_there_has_no_account(admin: Api) -> None:
    for what in ("", "/balance", "/journals", "/audit"):
        assert admin.get(f"/api/distributors/d_nobody{what}")[0] == 404


def test_a_plan_of_before_versions(admin: Api, at: Callable[[datetime], None]) -> None:
    old = {"name": "p", "created_at": "2026-01-01T00:00:00+00:00", "rates": [1000], "mature_after": "P7D"}
    PlanItem("plan_1", attribution_window="P30D", minimum_payout_fen=100, withhold_tax=True, **old).save()
    path = "/api/distribution/plans/plan_1"
    assert (admin.get(path)[1]["tax"], admin.get(path)[1]["version"]) == ("labour_month", 1)
    assert admin.patch(path, {"withhold_tax": False})[1]["version"] == 2
    assert admin.get(path)[1]["tax"] == "none"
