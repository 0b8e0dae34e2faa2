"""Lists of SOPs and of touches, and what of them a scope sees and changes."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.platform import audit, auth
from chalicelib.platform.auth import Scope
from chalicelib.sops import service, touches
from chalicelib.sops.models import EnrolmentItem, enter_in_lists
from tests.support.api import Api as Caller
from tests.support.sops_world import World, know, plan

KEPT = {
    ("GET", "/api/sops"),
    ("POST", "/api/sops"),
    ("GET", "/api/sops/{sop_id}"),
    ("GET", "/api/sops/{sop_id}/file"),
    ("POST", "/api/sops/{sop_id}/pause"),
    ("POST", "/api/sops/{sop_id}/resume"),
    ("POST", "/api/sops/{sop_id}/stop"),
    ("GET", "/api/touches"),
}
S1, S2 = Scope(("s1",)), Scope(("s2",))


@pytest.fixture
def world(tables: None, monkeypatch: pytest.MonkeyPatch, at: Callable[[Any], None]) -> World:
    return World(monkeypatch, at)


class Api(Caller):
    """Its answers are JSON alone; `status` is the last one's."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        for store_id, staff_id in (("s1", "ann"), ("s2", "bob")):
            place = {"store_id": store_id, "name": store_id, "latitude": 22, "longitude": 113}
            self("POST", "/api/stores", {**place, "staff_ids": [staff_id]})

    def __call__(  # type: ignore[override]
        self, method: str, path: str, body: Any = None, scope: Scope | None = None, **headers: str
    ) -> Any:
        caller = self.acting_as("store_manager", scope) if scope else super()
        answer = caller.raw(method, path, body, **headers)
        self.status = answer.status_code
        return json.loads(answer.body)

    def as_guide(self, staff_id: str, path: str) -> Any:
        cookie = f"{auth.SESSION_COOKIE}={auth.begin_session('user', staff_id)}"
        return self.client.http.get(path, headers={"Cookie": cookie}).json_body

    def make(self, name: str = "n", scope: Scope | None = None, **changes: Any) -> str:
        step = {"step_id": "a", "delivery": "mass_send", "content": [{"type": "text", "text": "hi"}]}
        body = {"name": name, "trigger": {"event": "customer_added"}, "steps": [step], **changes}
        return str(self("POST", "/api/sops", body, scope)["sop_id"])

    def touches(self, query: str, scope: Scope | None = None) -> list[tuple[str, str]]:
        """(customer, step) over all pages of two."""
        rows: list[tuple[str, str]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self("GET", f"/api/touches?limit=2{query}&cursor={cursor}", scope=scope)
            assert self.status == 200, page
            rows += [(row["external_userid"], row["step_id"]) for row in page["items"]]
            assert page["total"] == len(rows)
            cursor = page["next_cursor"]
        return rows


@pytest.fixture
def api(world: World) -> Iterator[Api]:
    with Client(app) as client:
        yield Api(client)


def test_sops_are_listed_whole_searched_sorted_and_filtered(api: Api) -> None:
    ids = {name: api.make(name) for name in ("新客关怀", "复购", "Birthday")}
    api("POST", f"/api/sops/{ids['复购']}/pause")

    def names(query: str = "") -> list[str]:
        page = api("GET", f"/api/sops?{query}")
        assert page["total"] == len(page["items"]) and page["total_is"] == "exact"
        return [row["name"] for row in page["items"]]

    assert len(names()) == 3
    assert names("q=xkgh") == names("q=新客") == ["新客关怀"]
    assert names("status=paused") == ["复购"]
    assert names("sort=name")[0] == "Birthday" == names("sort=-name")[-1]
    api("GET", "/api/sops?sort=colour")
    assert api.status == 422
    first = api("GET", "/api/sops?limit=2&sort=name")
    assert (first["total"], len(first["items"])) == (3, 2) and first["next_cursor"]


def test_all_that_is_wrong_is_said_at_once_in_both_languages(api: Api) -> None:
    step = {"step_id": "a", "delivery": "moment", "content": [{"type": "image"}], "after": "P1M"}
    body = {"name": "n", "audience": "group", "trigger": {"event": "tag_added"}, "steps": [step]}
    wrong = api("POST", "/api/sops", body, Accept_Language="zh")["errors"]
    assert {row["field"]: row["code"] for row in wrong} == {
        "audience": "later",
        "trigger.tags": "required",
        "steps[0].after": "duration",
        "steps[0].delivery": "later",
        "steps[0].content[0].media_id": "one_of_fields",
    }
    assert wrong[0]["message"] == "这个版本还不支持"
    english = api("POST", "/api/sops", body, Accept_Language="en")["errors"]
    assert english[0]["message"] == "comes later; this version can't run it"


def test_a_status_is_audited_once_a_change(api: Api) -> None:
    sop_id = api.make()
    for _ in range(2):
        api("POST", f"/api/sops/{sop_id}/stop")
    entries = [(row.action, row.changes) for row in audit.AuditItem.scan() if row.action == "sops.stop"]
    assert entries == [("sops.stop", [{"field": "status", "from": "active", "to": "stopped"}])]
    refused = api("POST", f"/api/sops/{sop_id}/resume", Accept_Language="zh")
    assert refused["detail"] == f"SOP 已终止：{sop_id}"
    assert api.status == 409


def test_a_stores_sop_enrols_its_guides_customers_alone(api: Api, world: World) -> None:
    sop_id = api.make(scope=S1)
    assert api("GET", f"/api/sops/{sop_id}", scope=S1)["scope"] == {
        "store_ids": ["s1"],
        "department_ids": None,
    }
    world.add("wm1", "ann")
    world.add("wm2", "bob")
    assert [row.subject for row in EnrolmentItem.scan()] == ["wm1"]


def test_a_stores_sop_welcomes_its_guides_customers_alone(api: Api) -> None:
    step = {"step_id": "a", "delivery": "welcome", "content": [{"type": "text", "text": "s1"}]}
    api.make(scope=S1, steps=[step])
    welcome = service.welcome_for(None, "ann")
    assert welcome is not None and welcome.text == "s1"
    assert service.welcome_for(None, "bob") is None


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_another_stores_sop_is_not_there_and_the_brands_is_not_changed(api: Api, action: str) -> None:
    theirs, brands, mine = api.make(scope=S2), api.make(), api.make(scope=S1)
    for sop_id, status in ((theirs, 404), (brands, 403), (mine, 200)):
        api("POST", f"/api/sops/{sop_id}/{action}", scope=S1)
        assert api.status == status, sop_id
    for sop_id, status in ((theirs, 404), (brands, 200), (mine, 200)):
        api("GET", f"/api/sops/{sop_id}", scope=S1)
        assert api.status == status
    assert {row["sop_id"] for row in api("GET", "/api/sops", scope=S1)["items"]} == {brands, mine}
    assert service.load(theirs).status == service.load(brands).status == "active"
    wider = Scope(("s1", "s2"))
    assert {row["sop_id"] for row in api("GET", "/api/sops", scope=wider)["items"]} == {theirs, brands, mine}


def fill(world: World) -> str:
    """wm1 and wm3 are ann's, wm2 bob's, a minute apart; the first step has gone out."""
    sop_id = service.create(plan())
    for subject, staff_id in (("wm1", "ann"), ("wm2", "bob"), ("wm3", "ann")):
        world.add(subject, staff_id)
        world.run(timedelta(minutes=1))
    world.run(timedelta(minutes=5))
    return sop_id


def test_touches_by_sop_by_guide_by_customer_and_by_status(api: Api, world: World) -> None:
    sop_id = fill(world)
    both = ("second", "intro")
    newest = [(who, step) for who in ("wm3", "wm2", "wm1") for step in both]
    assert api.touches(f"&sop_id={sop_id}") == newest
    assert api.touches("&staff_id=ann") == [row for row in newest if row[0] != "wm2"]
    assert api.touches(f"&staff_id=bob&sop_id={sop_id}") == [("wm2", step) for step in both]
    assert api.touches("&external_userid=wm1") == [("wm1", step) for step in both]
    assert api.touches(f"&sop_id={sop_id}&status=scheduled") == [row for row in newest if row[1] == "second"]
    assert api.touches("&staff_id=ann&status=failed") == []
    wrong = api("GET", "/api/touches")
    assert (api.status, wrong["errors"][0]["code"]) == (422, "one_of_fields")


def test_a_scope_sees_its_guides_touches_and_counts(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sop_id = fill(world)
    mine = [(who, step) for who in ("wm3", "wm1") for step in ("second", "intro")]
    for query in ("", f"&sop_id={sop_id}", "&staff_id=ann"):
        assert api.touches(query, S1) == mine
    assert api.touches("&staff_id=bob", S1) == api.touches("&external_userid=wm2", S1) == []
    counts = api("GET", f"/api/sops/{sop_id}", scope=S1)["counts"]
    assert counts["second"]["scheduled"] == 2 and sum(counts["intro"].values()) == 2
    assert sum(api("GET", f"/api/sops/{sop_id}")["counts"]["intro"].values()) == 3
    page = api.as_guide("bob", "/api/touches")
    assert {row["external_userid"] for row in page["items"]} == {"wm2"}
    monkeypatch.setattr(touches, "_MERGED", 0)  # of many guides only with an SOP, whose list is read
    assert api.touches(f"&sop_id={sop_id}", S1) == mine
    api("GET", "/api/touches", scope=S1)
    assert api.status == 422


def test_an_enrolment_from_before_the_lists_is_entered_by_the_migration(api: Api, world: World) -> None:
    sop_id = service.create(plan())
    world.add("wm1", "ann")
    EnrolmentItem("wm1", sop_id).update([EnrolmentItem.placed.remove()])
    assert api.touches("&external_userid=wm1") == [("wm1", "intro")]
    assert api.touches(f"&sop_id={sop_id}") == []
    for _ in range(2):
        enter_in_lists(EnrolmentItem.get("wm1", sop_id))
    assert api.touches(f"&sop_id={sop_id}") == api.touches("&staff_id=ann") == [("wm1", "intro")]


def test_a_touch_is_of_the_guide_it_was_made_for(api: Api, world: World) -> None:
    know("wm1", staff_id="bob")
    service.create(plan())
    world.add("wm1", "ann")
    assert api.touches("", S1) == [("wm1", "intro")]
    assert api.touches("", S2) == []
