"""Live codes, their assignments, lines and tasks as somebody sees them who is kept to a store."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.assignments import history, reservations
from chalicelib.assignments.types import AssignmentsQuery
from chalicelib.groups.models import LISTED, ChatItem, TaskItem
from chalicelib.livecodes import rules
from chalicelib.livecodes import service as livecodes
from chalicelib.metrics import service as metrics
from chalicelib.platform import auth, clock
from chalicelib.platform.auth import Principal, Scope
from chalicelib.platform.timeline import Line
from chalicelib.scans import service as scan_service
from tests.support.scan_support import FakeWeCom, definition, new_process

KEPT = {
    ("GET", "/api/assignments"),
    ("GET", "/api/assignments/{assignment_id}"),
    ("GET", "/api/group-tasks"),
    ("POST", "/api/group-tasks/{task_id}/done"),
    ("GET", "/api/live-codes"),
    ("POST", "/api/live-codes"),
    ("POST", "/api/live-codes/apply"),
    ("GET", "/api/live-codes/export"),
    ("DELETE", "/api/live-codes/{live_code_id}"),
    ("GET", "/api/live-codes/{live_code_id}"),
    ("PATCH", "/api/live-codes/{live_code_id}"),
    ("GET", "/api/live-codes/{live_code_id}/embed"),
    ("GET", "/api/live-codes/{live_code_id}/groups"),
    ("POST", "/api/live-codes/{live_code_id}/restore"),
    ("GET", "/api/live-codes/{live_code_id}/results"),
    ("GET", "/api/live-codes/{live_code_id}/why"),
}
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MINE = Scope(("s1",))
PLACE = {"latitude": 22.5, "longitude": 113.9}


class Api:
    def __init__(self, client: Client, role: str, scope: Scope | None = None):
        self.client, self.key = client, auth.create_key(role, role, scope)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Accept-Language": "en"}
        data = json.dumps(body).encode() if body is not None else b""
        answer = self.client.http.request(method, path, headers=headers, body=data)
        text = answer.body.decode()
        return answer.status_code, json.loads(text) if text[:1] in "{[" else text


def chat(chat_id: str, owner: str, *codes: str) -> None:
    counts = {"people": 1, "staff": 1, "reserved": 0, "taken": 1}
    ChatItem(
        chat_id,
        listing=LISTED,
        owner=owner,
        status="normal",
        member_version="1",
        passed=[],
        codes=set(codes) or None,
        **counts,
    ).save()


class Brand:
    """Store s1 with ann and group wr1, s2 with bob and group wr2. Codes by name, two of each kind."""

    def __init__(self, client: Client):
        self.client, self.admin = client, Api(client, "admin")
        self.mine = Api(client, "store_manager", MINE)
        for store_id, staff_id, chat_id in (("s1", "ann", "wr1"), ("s2", "bob", "wr2")):
            row = {"store_id": store_id, "name": store_id, "staff_ids": [staff_id], "chat_ids": [chat_id]}
            assert self.admin("POST", "/api/stores", {**row, **PLACE})[0] == 201
        self.codes = {name: livecodes.create(whole) for name, whole in self.definitions().items()}
        for chat_id, staff_id, group in (("wr1", "ann", "group1"), ("wr2", "bob", "group2")):
            chat(chat_id, staff_id, self.codes[group].live_code_id)

    @staticmethod
    def definitions() -> dict[str, dict[str, Any]]:
        def stores(*store_ids: str) -> dict[str, Any]:
            return {"kind": "nearest_store", "stores": {"store_ids": list(store_ids) or None}}

        def groups(*chat_ids: str) -> dict[str, Any]:
            return {"kind": "group", "groups": {"chat_ids": list(chat_ids)}}

        return {
            "anns": definition({"staff_id": "Ann"}, name="anns"),
            "bobs": definition({"staff_id": "bob"}, name="bobs"),
            "both": definition({"staff_id": "bob"}, fallback=("ann",), name="both"),
            "near1": definition(name="near1", **stores("s1", "s2")),
            "near2": definition(name="near2", **stores("s2")),
            "near": definition(name="near", **stores()),
            "group1": definition(name="group1", **groups("wr1")),
            "group2": definition(name="group2", **groups("wr2")),
        }

    def path(self, name: str, rest: str = "") -> str:
        return f"/api/live-codes/{self.codes[name].live_code_id}{rest}"


MINE_WHOLE = {"anns", "group1"}
SEEN, UNSEEN = {"anns", "both", "near1", "near", "group1"}, {"bobs", "near2", "group2"}


@pytest.fixture
def brand(tables: None, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Brand]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    with Client(app) as client:
        yield Brand(client)
    new_process()


def test_a_list_an_export_and_a_get_have_the_scopes_codes_alone(brand: Brand) -> None:
    status, page = brand.mine("GET", "/api/live-codes?sort=name&limit=3")
    assert (status, page["total"], page["total_is"]) == (200, 5, "exact")
    _, rest = brand.mine("GET", f"/api/live-codes?sort=name&cursor={page['next_cursor']}")
    assert [row["name"] for row in page["items"] + rest["items"]] == sorted(SEEN)
    _, text = brand.mine("GET", "/api/live-codes/export")
    assert {name for name in brand.codes if f"name: {name}\n" in text} == SEEN
    for name, code in brand.codes.items():
        wanted = 200 if name in SEEN else 404
        assert brand.mine("GET", brand.path(name))[0] == wanted
        assert brand.mine("GET", f"/api/live-codes/export?ids={code.live_code_id}")[0] == wanted
        assert brand.mine("GET", brand.path(name, "/embed"))[0] == wanted
        assert brand.mine("GET", brand.path(name, "/why"))[0] == wanted
        assert brand.mine("GET", brand.path(name, "/results"))[0] == wanted
        assert brand.mine("GET", f"/api/assignments?live_code_id={code.live_code_id}")[0] == wanted
    assert brand.mine("GET", brand.path("group1", "/groups"))[0] == 200
    assert brand.mine("GET", brand.path("group2", "/groups"))[0] == 404
    _, page = brand.mine("GET", "/api/live-codes")
    assert {row["name"] for row in page["items"] if row["can_change"]} == MINE_WHOLE
    assert brand.mine("GET", brand.path("anns"))[1]["can_change"]
    assert not brand.mine("GET", brand.path("near"))[1]["can_change"]
    nobody = Api(brand.client, "operator", Scope(()))
    assert nobody("GET", "/api/live-codes")[1]["total"] == 0


def test_a_codes_results_are_exact_and_each_sees_their_own(brand: Brand) -> None:
    """Over 200 scans; ann is of s1, whom `mine` is kept to, bob of s2."""
    lines: list[tuple[Line, str]] = []

    def tell(type_: str, guide: str | None, code: str = "both", **data: Any) -> None:
        number = len(lines)
        whose = {"live_code_id": brand.codes[code].live_code_id, "staff_id": guide, "channel": "parcel"}
        line = Line(f"wm{number}", type_, NOW + timedelta(days=number // 10), f"k{number}", whose | data)
        lines.append((line, f"{number:040d}"))

    for number in range(240):
        tell("scanned", "ann" if number % 3 else "bob")
    for number in range(30):
        tell("customer_added", "ann" if number % 3 else "bob", begins=True, ends=False)
    tell("customer_lost", "ann", begins=False, ends=True, by="customer")
    tell("assignment_lapsed", "bob")
    tell("order_paid", None, order_id="o1", paid_fen=9900, first_order=True, store_id="s1")
    tell("joined_group", None, "group1", chat_id="wr1")
    for at in range(0, len(lines), 7):
        metrics.project(lines[at : at + 7], "shard")
        metrics.project(lines[at : at + 7], "shard")  # a batch that comes again
    everybody = Api(brand.client, "operator")
    status, seen = everybody("GET", brand.path("both", "/results"))
    assert status == 200
    total = {"scans": 240, "adds": 30, "lost": 1, "kept": 29, "joins": 0, "lapsed": 1}
    assert seen["total"] == {**total, "buyers": 1, "orders": 1, "gmv_fen": 9900}
    assert [(row["id"], row["scans"], row["adds"]) for row in seen["by_staff"]] == [
        ("ann", 160, 20),
        ("bob", 80, 10),
    ]
    assert sum(row["scans"] for row in seen["by_month"]) == 240 and len(seen["by_month"]) > 1
    _, own = brand.mine("GET", brand.path("both", "/results"))
    assert (own["total"]["scans"], own["total"]["gmv_fen"], own["total"]["lapsed"]) == (160, 9900, 0)
    assert [row["id"] for row in own["by_staff"]] == ["ann"]
    assert everybody("GET", brand.path("group1", "/results"))[1]["by_group"][0]["joins"] == 1
    assert brand.mine("GET", brand.path("group1", "/results"))[1]["total"]["joins"] == 1


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [("PATCH", "", {"name": "x"}), ("DELETE", "", None), ("POST", "/restore", None)],
)
def test_what_is_outside_can_t_be_changed(brand: Brand, method: str, rest: str, body: Any) -> None:
    for name in UNSEEN:
        assert brand.mine(method, brand.path(name, rest), body)[0] == 404
        assert livecodes.get(brand.codes[name].live_code_id) == brand.codes[name]
    for name in SEEN - MINE_WHOLE:  # of others too: the posters of other stores would be dead
        status, answer = brand.mine(method, brand.path(name, rest), body)
        assert status == 403 and answer["detail"].startswith("this code leads to people")
        assert livecodes.get(brand.codes[name].live_code_id) == brand.codes[name]
    assert brand.mine(method, brand.path("anns", rest), body)[0] == 200


def test_a_manager_takes_a_guide_who_left_the_store_out_of_their_code(brand: Brand) -> None:
    assert brand.admin("PATCH", "/api/stores/s1", {"staff_ids": ["ann", "cat"]})[0] == 200
    made = brand.mine("POST", "/api/live-codes", definition({"staff_id": "ann"}, {"staff_id": "cat"}))[1]
    path = f"/api/live-codes/{made['live_code_id']}"
    for store_id, staff_ids in (("s1", ["dan"]), ("s2", ["bob", "ann", "cat"])):
        assert brand.admin("PATCH", f"/api/stores/{store_id}", {"staff_ids": staff_ids})[0] == 200
    assert brand.mine("GET", path)[1]["can_change"]
    members = [{"staff_id": "bob"}, {"staff_id": "cat"}]
    status, refused = brand.mine("PATCH", path, {"assignment": {"members": members}})
    assert status == 422 and [e["field"] for e in refused["errors"]] == ["assignment.members[0].staff_id"]
    members = [{"staff_id": "dan"}, {"staff_id": "cat"}]
    assert brand.mine("PATCH", path, {"assignment": {"members": members}})[0] == 200
    others = Api(brand.client, "store_manager", Scope(("s2",)))
    assert not others("GET", path)[1]["can_change"]
    assert others("PATCH", path, {"name": "x"})[0] == 403
    assert brand.admin("PATCH", path, {"assignment": {"members": [{"staff_id": "bob"}]}})[0] == 200
    assert brand.mine("GET", path)[0] == 404  # whoever gave it to others made it theirs
    assert others("PATCH", path, {"name": "x"})[0] == 200


def test_nobody_adds_to_a_code_what_is_outside_of_their_scope(brand: Brand) -> None:
    def fields(method: str, path: str, body: Any) -> list[str]:
        status, answer = brand.mine(method, path, body)
        assert status == 422 and all(e["code"] == "outside_of_scope" for e in answer["errors"]), answer
        return [error["field"] for error in answer["errors"]]

    members = {"members": [{"staff_id": "ann"}, {"staff_id": "bob"}], "fallback_staff_ids": ["cid"]}
    wrong = ["assignment.members[1].staff_id", "assignment.fallback_staff_ids[0]"]
    assert fields("POST", "/api/live-codes", {"name": "x", "assignment": members}) == wrong
    assert fields("PATCH", brand.path("anns"), {"assignment": members}) == wrong
    near = {"name": "x", "kind": "nearest_store"}
    assert fields("POST", "/api/live-codes", near) == ["stores.store_ids"]
    assert fields("POST", "/api/live-codes", {**near, "stores": {"store_ids": ["s1", "s2"]}}) == [
        "stores.store_ids[1]"
    ]
    assert fields("PATCH", brand.path("group1"), {"groups": {"chat_ids": ["wr1", "wr2"]}}) == [
        "groups.chat_ids[1]"
    ]
    code = {"name": "x", "assignment": {"members": [{"staff_id": "ANN"}]}}
    assert brand.mine("POST", "/api/live-codes", code)[0] == 201


def test_a_file_changes_and_archives_the_scopes_codes_alone(brand: Brand) -> None:
    def apply(*codes: dict[str, Any], **options: Any) -> tuple[int, Any]:
        body = {"yaml": json.dumps({"codes": codes}), "dry_run": False, **options}
        return brand.mine("POST", "/api/live-codes/apply", body)

    anns, bobs = (
        {
            "live_code_id": brand.codes[name].live_code_id,
            "name": "x",
            "assignment": {"members": [{"staff_id": who}]},
        }
        for name, who in (("anns", "ann"), ("bobs", "bob"))
    )
    status, answer = apply(bobs)
    assert status == 422 and answer["errors"][0]["field"] == "codes[0].live_code_id"
    both = {"live_code_id": brand.codes["both"].live_code_id, "name": "x"}
    members = {"members": [{"staff_id": "bob"}], "fallback_staff_ids": ["ann"]}
    status, answer = apply({**both, "assignment": members})
    assert status == 422 and answer["errors"][0]["code"] == "live_code_of_others"
    status, answer = apply(anns, archive_missing=True)
    assert status == 200 and len(answer["changes"]) == len(MINE_WHOLE)
    shut = {name for name, code in brand.codes.items() if not livecodes.get(code.live_code_id).active}
    assert shut == MINE_WHOLE - {"anns"}


def test_an_assignment_stays_with_the_store_of_its_time(brand: Brand) -> None:
    near, now = brand.codes["near"], clock.now()

    def reserved(staff_id: str, store_id: str) -> str:
        rule = rules.Rule("round_robin", (rules.Member(staff_id),))
        return str(reservations.reserve(near, 1, now, rule=rule, store_id=store_id).assignment_id)

    anns, moved = reserved("ann", "s1"), reserved("ann", "s2")  # ann helped out in s2
    brand.admin("PATCH", "/api/stores/s1", {"staff_ids": ["bob", "ann"]})
    bobs, lent = reserved("bob", "s2"), reserved("bob", "s1")
    brand.admin("PATCH", "/api/stores/s1", {"staff_ids": ["ann"]})  # bob was lent for a day
    own = str(scan_service.scan(brand.codes["anns"].code).assignment_id)  # by her code, without a store

    def listed(query: str = "") -> set[str]:
        status, page = brand.mine("GET", f"/api/assignments{query}")
        assert status == 200
        return {row["assignment_id"] for row in page["items"]}

    assert listed() == {anns, lent, own}
    assert listed("?staff_id=ann") == {anns, own}
    assert listed("?staff_id=bob") == {lent}
    assert listed(f"?live_code_id={near.live_code_id}") == {anns, lent}
    for assignment_id in (anns, moved, bobs, lent, own):
        wanted = 404 if assignment_id in (moved, bobs) else 200
        assert brand.mine("GET", f"/api/assignments/{assignment_id}")[0] == wanted
    everything = history.list_assignments(AssignmentsQuery(), auth.SYSTEM)
    assert {row.assignment_id for row in everything.items} == {anns, moved, bobs, lent, own}
    department = Principal("key", "k", "k", "operator", Scope(None, ("7",)))
    assert history.list_assignments(AssignmentsQuery(), department).items == []


def test_tasks_are_those_of_the_scopes_guides_and_groups(brand: Brand) -> None:
    ChatItem("wr1").update(actions=[ChatItem.owner.set("dan")])  # of the scope's store, with another owner
    for task_id, chat_id, owner in (("gt_1", "wr1", "dan"), ("gt_2", "wr2", "bob"), ("gt_3", "wr3", "ann")):
        task = {"kind": "remove_member", "status": "open", "how": "owner", "asked": 0, "waits_for": owner}
        TaskItem(
            task_id, created_at=task_id, chat_id=chat_id, owner=owner, external_userid="wm1", **task
        ).save()
    _, page = brand.mine("GET", "/api/group-tasks")
    assert [row["task_id"] for row in page["items"]] == ["gt_3", "gt_1"]
    assert brand.mine("POST", "/api/group-tasks/gt_2/done", {})[0] == 404
    assert brand.mine("POST", "/api/group-tasks/gt_1/done", {})[1]["status"] == "done"
    assert brand.mine("GET", "/api/group-tasks?status=done")[1]["total"] == 1
    _, masked = Api(brand.client, "auditor")("GET", "/api/group-tasks")
    assert {row["external_userid"] for row in masked["items"]} == {"***"}
