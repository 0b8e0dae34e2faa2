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
from chalicelib.departments import service as departments
from chalicelib.groups.models import ChatItem, MemberItem, TaskItem
from chalicelib.platform import auth, clock
from chalicelib.platform.auth import SYSTEM, Principal, Scope
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores
from chalicelib.wecom import events
from infra.sandbox.events import event_xml
from tests.support.scan_support import FakeWeCom, new_process

AT = "2026-11-23T02:00:00.000000+00:00"
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


def group(chat_id: str, owner: str) -> None:
    figures = {"people": 1, "staff": 1, "reserved": 0, "taken": 1, "member_version": "1", "passed": []}
    times = {"created_at": AT, "seen_at": AT}
    ChatItem(
        chat_id, listing="chat", name=f"群{owner}", owner=owner, status="normal", **figures, **times
    ).save()
    MemberItem(chat_id, owner, staff=True, joined_at=AT, scene="invited", version="1").save()
    for status, task_id in (("open", f"gt_{chat_id}"), ("done", f"gt_{chat_id}_done")):
        waits_for = owner if status == "open" else None
        task = {"kind": "remove_member", "how": "owner", "chat_id": chat_id, "owner": owner, "asked": 1}
        TaskItem(task_id, status=status, created_at=AT, waits_for=waits_for, **task).save()


@pytest.fixture
def brand(tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Store s1 with ann, s2 with bob, s3 with both; ann is of departments 2 and 3, bob of 3.

    Groups: wra of ann's, wrb of bob's, wrc of nobody's but s1's; a task for each.
    """
    new_process()
    wecom = Departments({"ann": [2, 3], "bob": [3]})
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    for member in wecom.members:
        staff.learn(member)
    with Client(app) as client:
        admin = Api(client, "admin")
        stores_there = (
            {**store("s1", "ann"), "chat_ids": ["wrc"]},
            store("s2", "bob"),
            store("s3", "ann", "bob"),
        )
        for row in stores_there:
            assert admin("POST", "/api/stores", row)[0] == 201
        for chat_id, owner in (("wra", "ann"), ("wrb", "bob"), ("wrc", "cid")):
            group(chat_id, owner)
        yield client
    new_process()


UNKNOWN_STORE, UNKNOWN_STAFF = "没有门店 s2", "没有成员 bob"
UNKNOWN_GROUP, UNKNOWN_TASK = "没有客户群 wrb", "没有这个任务"
IDS = {"store_id": "s2", "staff_id": "bob", "chat_id": "wrb", "task_id": "gt_wrb"}
OUTSIDE: dict[tuple[str, str], tuple[Any, str]] = {  # route → (body, what the answer says)
    ("POST", "/api/stores"): (store("s9", "ann"), "没有门店 s9"),
    ("GET", "/api/stores/{store_id}"): (None, UNKNOWN_STORE),
    ("PATCH", "/api/stores/{store_id}"): ({"name": "mine"}, UNKNOWN_STORE),
    ("DELETE", "/api/stores/{store_id}"): (None, UNKNOWN_STORE),
    ("GET", "/api/staff/{staff_id}"): (None, UNKNOWN_STAFF),
    ("PUT", "/api/staff/{staff_id}"): ({"daily_cap": 1}, UNKNOWN_STAFF),
    ("GET", "/api/groups/{chat_id}"): (None, UNKNOWN_GROUP),
    ("GET", "/api/groups/{chat_id}/members"): (None, UNKNOWN_GROUP),
    ("POST", "/api/group-tasks/{task_id}/done"): ({}, UNKNOWN_TASK),
}
LISTS = {"/api/stores", "/api/staff", "/api/groups", "/api/group-tasks"}

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
    api, admin = Api(brand, "store_manager", scope), Api(brand, "admin")
    body, detail = OUTSIDE[route]
    before = [admin("GET", path) for path in sorted(LISTS)]
    status, problem = api(route[0], route[1].format(**IDS), body)
    assert (status, problem["detail"]) == (404, detail)
    assert [admin("GET", path) for path in sorted(LISTS)] == before


def test_each_kept_route_is_played_here() -> None:
    kept = {route for route, row in ROWS.items() if row[-1] == "kept"}
    played = {
        *OUTSIDE,
        *(("GET", path) for path in LISTS),
        ("POST", "/api/stores/import"),
        ("GET", "/api/stores/map"),
        *JOBS,
    }
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


@pytest.mark.parametrize(
    ("scope", "staff_ids", "chat_ids"),
    [
        (Scope(), ["ann", "bob"], ["wra", "wrb", "wrc"]),
        (Scope(("s1",)), ["ann"], ["wra", "wrc"]),
        (Scope(("s2",)), ["bob"], ["wrb"]),
        (Scope(None, ("2",)), ["ann"], ["wra", "wrc"]),
        (Scope(("s3",), ("2",)), ["ann"], ["wra"]),
        (Scope(()), [], []),
        (Scope(None, ("99",)), [], []),
    ],
)
def test_staff_groups_and_tasks_of_the_scope(
    brand: Client, scope: Scope, staff_ids: list[str], chat_ids: list[str]
) -> None:
    api = Api(brand, "store_manager", scope)

    def ids(name: str, path: str) -> list[str]:
        found = api("GET", path)[1]
        assert found["total"] == len(found["items"])
        return sorted(row[name] for row in found["items"])

    assert ids("staff_id", "/api/staff") == staff_ids
    assert ids("chat_id", "/api/groups") == chat_ids
    assert ids("task_id", "/api/group-tasks") == [f"gt_{chat_id}" for chat_id in chat_ids]
    assert ids("task_id", "/api/group-tasks?status=done") == [f"gt_{one}_done" for one in chat_ids]
    for chat_id in ("wra", "wrb", "wrc"):
        assert api("GET", f"/api/groups/{chat_id}/members")[0] == (200 if chat_id in chat_ids else 404)
    shown = ids("task_id", "/api/group-tasks?owner=ann&status=done")
    assert shown == (["gt_wra_done"] if "wra" in chat_ids else [])


def test_a_scope_of_a_department_is_one_of_those_below_it(
    brand: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    wecom = Departments({})
    wecom.departments = [{"id": 1, "parentid": 0}, {"id": 10, "parentid": 1}, {"id": 2, "parentid": 10}]
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    admin = Api(brand, "admin")
    assert departments.members_of(["10"]) == frozenset()
    key = {"name": "x", "role": "store_manager", "scope": {"department_ids": ["10"]}}
    assert admin("POST", "/api/api-keys", key)[0] == 201
    assert departments.members_of(["10"]) == frozenset({"ann"})
    happens("create_party", Id="3", ParentId="10")
    assert departments.members_of(["10"]) == frozenset({"ann", "bob"})
    happens("update_party", Id="3", Name="three")
    happens("update_party", Id="2", ParentId="1")
    assert departments.members_of(["10"]) == frozenset({"ann", "bob"})
    happens("delete_party", Id="3")
    assert departments.members_of(["10"]) == frozenset()
    assert departments.members_of(["1"]) == frozenset({"ann"})


def test_an_event_moves_a_member_to_other_departments(brand: Client) -> None:
    happens("update_user", UserID="bob", Department="2,7")
    assert departments.members_of(["2"]) == frozenset({"ann", "bob"})
    assert departments.members_of(["3"]) == frozenset({"ann"})
    assert departments.members_of(["7"]) == frozenset({"bob"})
    happens("update_user", -60, UserID="bob", Department="3")  # older news
    assert departments.members_of(["3"]) == frozenset({"ann"})


def happens(change: str, after: int = 60, **values: str) -> None:
    seconds = int(clock.now().timestamp()) + after
    xml = event_xml("corp", seconds, "change_contact", ChangeType=change, **values)
    event = events.parse(xml.encode())
    staff.on_event(event)
    departments.on_event(event)


def test_a_store_manager_works_in_their_store_and_takes_nobody_elses_guides(brand: Client) -> None:
    api = Api(brand, "store_manager", Scope(("s1",)))
    assert api("PATCH", "/api/stores/s1", {"name": "One"})[1]["name"] == "One"
    status, wrong = api("PATCH", "/api/stores/s1", {"chat_ids": ["wr_of_another_store"]})
    assert (status, wrong["errors"][0]["field"]) == (422, "chat_ids[0]")
    status, wrong = api("PATCH", "/api/stores/s1", {"staff_ids": ["ann", "bob"]})
    assert (status, wrong["errors"][0]["field"]) == (422, "staff_ids[1]")
    assert stores.get("s1", SYSTEM).staff_ids == ["ann"]
    table = HEAD + "s1,Eins,,,22,113,ann,\ns2,Zwei,,,22,113,ann,\ns1b,Neu,,,22,113,ann,\n"
    _, done = api("POST", "/api/stores/import", table)
    assert done["imported"] == 1 and [row["line"] for row in done["errors"]] == [3, 4]
    assert (stores.get("s1", SYSTEM).name, stores.get("s2", SYSTEM).name) == ("Eins", "s2")
    _, done = api("POST", "/api/stores/import", HEAD + "s1,Eins,,,22,113,ann;bob,\n")
    assert (done["imported"], done["errors"][0]["field"]) == (0, "staff_ids[1]")


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
    stores.change("s1", {"staff_ids": ["cid"]}, SYSTEM)
    assert guides(Scope(("s1",))) == frozenset({"cid"})


def test_who_changes_departments_changes_scopes(brand: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    wecom = Departments({"bob": [2]})
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    monkeypatch.setattr(staff, "is_fresh", lambda *_: False)
    for _ in range(2):
        staff.learn("bob")
        assert departments.members_of(["2"]) == frozenset({"ann", "bob"}) and departments.members_of(
            ["3"]
        ) == frozenset({"ann"})


def test_the_map_has_the_scopes_stores_and_how_far_the_next_one_is(brand: Client) -> None:
    def points(scope: Scope | None) -> list[tuple[str, bool, int | None]]:
        status, found = Api(brand, "store_manager", scope)("GET", "/api/stores/map")
        assert status == 200 and found["total"] == len(found["items"])
        return [(one["store_id"], one["guides"], one["nearest_m"]) for one in found["items"]]

    assert points(None) == [("s1", True, 0), ("s2", True, 0), ("s3", True, 0)]
    far = {**store("s4"), "latitude": 22.6}
    assert Api(brand, "admin")("POST", "/api/stores", far)[0] == 201
    assert points(Scope(("s1", "s4"))) == [("s1", True, 11073), ("s4", False, 11073)]
    assert points(Scope(("s4",))) == [("s4", False, None)]
    without = Api(brand, "admin")("GET", "/api/stores?guides=none")[1]
    assert [row["store_id"] for row in without["items"]] == ["s4"] and without["total"] == 1
