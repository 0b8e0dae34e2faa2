"""Whoever is kept to a store or a department sees and changes nothing else. Routes: `kept` in tests/roles.txt."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client
from test_roles import ROWS

from app import app
from chalicelib.platform import auth
from chalicelib.platform.auth import Principal, Scope
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from tests.support.scan_support import FakeWeCom, new_process

HEAD = "store_id,name,city,address,latitude,longitude,staff_ids,chat_ids\n"


def store(store_id: str, *staff_ids: str) -> dict[str, Any]:
    place = {"latitude": 22.5, "longitude": 113.9}
    return {"store_id": store_id, "name": store_id, **place, "staff_ids": list(staff_ids)}


class Api:
    def __init__(self, client: Client, role: str, scope: Scope | None = None):
        self.client, self.key = client, auth.create_key(role, role, scope)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body else b""
        answer = self.client.http.request(method, path, headers=headers, body=data)
        return answer.status_code, json.loads(answer.body)


class Departments(FakeWeCom):
    def __init__(self, members: dict[str, list[int]]):
        super().__init__()
        self.members = members

    def user_get(self, userid: str, **options: Any) -> dict[str, Any]:
        return {**super().user_get(userid, **options), "department": self.members[userid]}


@pytest.fixture
def brand(tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Store s1 with ann, s2 with bob, s3 with both; ann is of departments 2 and 3, bob of 3."""
    new_process()
    wecom = Departments({"ann": [2, 3], "bob": [3]})
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    for member in wecom.members:
        staff.learn(member)
    with Client(app) as client:
        admin = Api(client, "admin")
        for row in (store("s1", "ann"), store("s2", "bob"), store("s3", "ann", "bob")):
            assert admin("POST", "/api/stores", row)[0] == 201
        yield client
    new_process()


OUTSIDE: dict[tuple[str, str], Any] = {
    ("POST", "/api/stores"): store("s9", "ann"),
    ("GET", "/api/stores/{store_id}"): None,
    ("PATCH", "/api/stores/{store_id}"): {"name": "mine"},
    ("DELETE", "/api/stores/{store_id}"): None,
}

JOBS = {  # whose they are: tests/platform/test_jobs.py
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/{job_id}"),
    ("POST", "/api/jobs/{job_id}/resume"),
}


@pytest.mark.parametrize("route", OUTSIDE, ids=" ".join)
@pytest.mark.parametrize(
    "scope", [Scope(("s1",)), Scope((), None), Scope(None, ("4",)), Scope(("s2",), ("2",))]
)
def test_what_is_outside_of_the_scope_is_not_there(
    brand: Client, route: tuple[str, str], scope: Scope
) -> None:
    api, body = Api(brand, "store_manager", scope), OUTSIDE[route]
    before = stores.page(10, None)
    status, problem = api(route[0], route[1].format(store_id="s2"), body)
    assert status == 404 and problem["detail"] == f"there is no store {(body or {}).get('store_id', 's2')}"
    assert stores.page(10, None) == before


def test_each_kept_route_is_played_here() -> None:
    kept = {route for route, row in ROWS.items() if row[-1] == "kept"}
    played = {*OUTSIDE, ("GET", "/api/stores"), ("POST", "/api/stores/import"), *JOBS}
    for path in Path(__file__).parents[1].glob("*/test_*_scopes.py"):  # each capability's own
        played |= import_module(f"tests.{path.parent.name}.{path.stem}").KEPT
    assert kept == played


def test_the_list_has_the_scopes_stores_alone(brand: Client) -> None:
    def ids(scope: Scope | None, query: str = "") -> list[str]:
        found = Api(brand, "store_manager", scope)("GET", f"/api/stores{query}")[1]
        return [row["store_id"] for row in found["items"]]

    assert ids(None) == ids(Scope(None, ("3",))) == ["s1", "s2", "s3"]
    assert ids(Scope(("s2", "s1", "gone"))) == ["s1", "s2"]
    assert ids(Scope(None, ("2",))) == ["s1", "s3"]
    assert ids(Scope(("s1", "s2"), ("2",))) == ["s1"]
    assert ids(Scope(())) == ids(Scope(None, ())) == ids(Scope(None, ("99",))) == []
    api = Api(brand, "operator", Scope(("s1", "s2")))
    _, first = api("GET", "/api/stores?limit=1")
    _, rest = api("GET", f"/api/stores?limit=1&cursor={first['next_cursor']}")
    assert [row["store_id"] for row in first["items"] + rest["items"]] == ["s1", "s2"]
    assert rest["next_cursor"] is None


def test_a_store_manager_works_in_their_store_and_takes_nobody_elses_guides(brand: Client) -> None:
    api = Api(brand, "store_manager", Scope(("s1",)))
    assert api("PATCH", "/api/stores/s1", {"name": "One"})[1]["name"] == "One"
    status, wrong = api("PATCH", "/api/stores/s1", {"staff_ids": ["ann", "bob"]})
    assert (status, wrong["errors"][0]["field"]) == (422, "staff_ids")
    assert stores.get("s1")["staff_ids"] == ["ann"]
    table = HEAD + "s1,Eins,,,22,113,ann,\ns2,Zwei,,,22,113,ann,\ns1b,Neu,,,22,113,ann,\n"
    _, done = api("POST", "/api/stores/import", table)
    assert done["imported"] == 1 and [row["line"] for row in done["errors"]] == [3, 4]
    assert (stores.get("s1")["name"], stores.get("s2")["name"]) == ("Eins", "s2")
    _, done = api("POST", "/api/stores/import", HEAD + "s1,Eins,,,22,113,ann;bob,\n")
    assert (done["imported"], done["errors"][0]["field"]) == (0, "staff_ids")


def test_a_scopes_guides_are_those_of_the_moment(brand: Client) -> None:
    def guides(scope: Scope) -> frozenset[str] | None:
        return stores.guides_in_scope(Principal("key", "k", "k", "store_manager", scope))

    assert guides(Scope()) is None
    assert (
        guides(Scope(("s1",)))
        == guides(Scope(None, ("2",)))
        == guides(Scope(("s3",), ("2",)))
        == frozenset({"ann"})
    )
    assert guides(Scope(("s1", "s2"))) == guides(Scope(None, ("3", "2"))) == frozenset({"ann", "bob"})
    assert guides(Scope(())) == guides(Scope(None, ())) == guides(Scope(("s2",), ("2",))) == frozenset()
    assert stores.guides_in_scope(Principal("session", "ann", "ann", "guide")) == frozenset({"ann"})
    stores.change("s1", {"staff_ids": ["cid"]}, lambda whole: whole)
    assert guides(Scope(("s1",))) == frozenset({"cid"})


def test_who_changes_departments_changes_scopes(brand: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    wecom = Departments({"bob": [2]})
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    monkeypatch.setattr(staff, "_is_fresh", lambda *_: False)
    for _ in range(2):
        staff.learn("bob")
        assert staff.in_departments(["2"]) == frozenset({"ann", "bob"}) and staff.in_departments(
            ["3"]
        ) == frozenset({"ann"})
