"""Saved views: who sees, shares, changes them; what they are of."""

from typing import Any

import pytest

from chalicelib.platform.auth import Scope
from chalicelib.views import service
from tests.support.api import Api

KEPT = {
    ("GET", "/api/views"),
    ("POST", "/api/views"),
    ("PATCH", "/api/views/{view_id}"),
    ("DELETE", "/api/views/{view_id}"),
}
VIEW = {"list": "customers", "name": "待跟进", "query": "?staff_id=ann&sort=-added_at"}
S1, S2 = Scope(store_ids=("s1",)), Scope(store_ids=("s2",))


def names(api: Api, query: str = "") -> list[str]:
    return api.ids(f"/api/views{query}", "name")


def create(api: Api, name: str, **more: object) -> str:
    status, view = api.post("/api/views", {**VIEW, "name": name, **more})
    assert status == 201, view
    return str(view["view_id"])


def test_one_s_own_are_seen_by_oneself_alone_and_shared_ones_by_colleagues(api: Api) -> None:
    other = api.acting_as("operator")
    create(api, "mine")
    create(api, "ours", shared=True)
    assert names(api) == ["mine", "ours"] and names(other) == ["ours"]
    (row,) = other.get("/api/views?list=customers")[1]["items"]
    assert (row["mine"], row["shared"], row["query"]) == (False, True, "staff_id=ann&sort=-added_at")
    assert names(other, "?list=orders") == [] and names(other, "?q=our") == ["ours"]


def test_what_a_scope_shares_stays_in_it(api: Api) -> None:
    manager = api.acting_as("store_manager", S1)
    create(manager, "of s1", shared=True)
    create(api, "of all", shared=True)
    assert names(api.acting_as("store_manager", S1)) == ["of all", "of s1"]
    assert names(api.acting_as("store_manager", S2)) == ["of all"]
    assert names(api) == ["of all", "of s1"]


def test_a_view_takes_the_permission_of_its_list(api: Api) -> None:
    finance = api.acting_as("finance")
    create(finance, "large", list="payouts", shared=True)
    assert names(finance) == ["large"] and names(api) == []
    status, problem = api.post("/api/views", {**VIEW, "list": "payouts"})
    assert (status, problem["errors"][0]["field"]) == (422, "list")


@pytest.mark.parametrize("role", ["guide", "auditor"])
def test_who_may_not_share(api: Api, role: str) -> None:
    me = api.acting_as(role)
    view_id = create(me, "mine")
    assert me.post("/api/views", {**VIEW, "shared": True})[0] == 403
    assert me.patch(f"/api/views/{view_id}", {"shared": True})[0] == 403
    assert names(me) == ["mine"]


def test_only_its_owner_or_an_admin_changes_it(api: Api) -> None:
    view_id = create(api, "ours", shared=True)
    other, admin = api.acting_as("operator"), api.acting_as("admin")
    assert other.patch(f"/api/views/{view_id}", {"name": "x"})[0] == 403
    assert other.delete(f"/api/views/{view_id}")[0] == 403
    assert admin.patch(f"/api/views/{view_id}", {"name": "told"})[0] == 200
    assert api.patch(f"/api/views/{view_id}", {"shared": False})[1]["name"] == "told"
    assert names(other) == [] and names(admin) == [] and names(api) == ["told"]
    assert other.delete(f"/api/views/{view_id}")[0] == 404
    assert api.delete(f"/api/views/{view_id}")[0] == 200 and names(api) == []
    assert api.patch(f"/api/views/{view_id}", {"name": "x"})[0] == 404


def test_a_view_that_is_deleted_meanwhile_does_not_come_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """| A: renames | B: deletes |
    |---|---|
    | reads the view | |
    | | it is gone |
    | writes: refused, reads again: nothing | |
    """
    view_id = create(api, "old")
    read, others = service._own, [lambda: api.delete(f"/api/views/{view_id}")]

    def read_then_lose(*given: Any) -> Any:
        item = read(*given)
        while others:
            others.pop()()
        return item

    monkeypatch.setattr(service, "_own", read_then_lose)
    assert api.patch(f"/api/views/{view_id}", {"name": "new"})[0] == 404
    assert names(api) == []


def test_there_is_an_end_to_them(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_MOST", 2)
    create(api, "a")
    create(api, "b", shared=True)
    assert api.post("/api/views", VIEW)[0] == 409
    create(api.acting_as("operator"), "c")


@pytest.mark.parametrize("name", ["nothing", "live-codes/export", "groups/wr1", "metrics/none"])
def test_a_view_is_of_a_list(api: Api, name: str) -> None:
    assert api.post("/api/views", {**VIEW, "list": name})[0] == 422
