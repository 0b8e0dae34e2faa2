"""Posters by scope: neither a code's nor a guide's outside of it; batches of those inside alone; templates listed."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth
from chalicelib.platform.auth import Scope
from chalicelib.posters import batch_state, service
from chalicelib.staff.models import StaffItem
from tests.support.scan_support import NOON, FakeWeCom, definition, new_process, requests

FORMS = ("png", "jpg", "pdf")
POSTER = "/api/live-codes/{}/poster.{}"
KEPT = {
    *(("GET", f"/api/live-codes/{{live_code_id}}/poster.{form}") for form in FORMS),
    ("POST", "/api/poster-batches"),
}
TEMPLATE = {"name": "x", "width": 720, "height": 720, "layers": [{"type": "qr", "x": 0, "y": 0, "size": 720}]}


class Brand:
    """Store s1 has ann, s2 bob. Codes: bob's, both's, and one of all stores."""

    def __init__(self, client: Client):
        self.client = client
        admin = self.calling("admin")
        for store_id, staff_id in (("s1", "ann"), ("s2", "bob")):
            row = {"store_id": store_id, "name": store_id, "latitude": 22.5, "longitude": 113.9}
            assert admin("POST", "/api/stores", {**row, "staff_ids": [staff_id]})[0] == 201
        for staff_id, name in (("ann", "安然"), ("bob", "薄荷")):
            StaffItem(staff_id, listing="staff", name=name, status=1, seen_at="").save()
        self.bobs = livecodes.create(definition({"staff_id": "bob"})).live_code_id
        self.boths = livecodes.create(definition({"staff_id": "ann"}, {"staff_id": "bob"})).live_code_id
        self.all_stores = livecodes.create(
            definition({"staff_id": "ann"}, kind="nearest_store", stores={})
        ).live_code_id

    def calling(self, role: str, scope: Scope | None = None) -> Callable[..., tuple[int, Any]]:
        key = auth.create_key(role, role, scope)

        def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            data = b"" if body is None else json.dumps(body).encode()
            answer = self.client.http.request(
                method, path, headers={"Authorization": f"Bearer {key}"}, body=data
            )
            is_json = "json" in answer.headers["Content-Type"]
            return answer.status_code, json.loads(answer.body) if is_json else answer.body

        return call


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What the poster function is asked for."""
    requests: list[Mapping[str, Any]] = []

    def ask(request: Mapping[str, Any]) -> dict[str, Any]:
        requests.append(request)
        return {"png_base64": base64.b64encode(b"picture").decode()}

    monkeypatch.setattr(service, "_ask", ask)
    return requests


@pytest.fixture
def brand(
    tables: None,
    keys: None,
    bucket: str,
    at: Callable[[datetime], None],
    sent: list[Any],
    asked: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Brand]:
    new_process()
    at(NOON)
    monkeypatch.setattr("chalicelib.wecom.client.default_client", FakeWeCom)
    with Client(app) as client:
        yield Brand(client)
    new_process()


@pytest.mark.parametrize("form", FORMS)
def test_a_poster_outside_of_the_scope_is_not_there(
    brand: Brand, asked: list[Mapping[str, Any]], form: str
) -> None:
    api = brand.calling("store_manager", Scope(("s1",)))
    assert api("GET", POSTER.format(brand.bobs, form))[0] == 404
    assert api("GET", POSTER.format(brand.boths, form) + "?staff_id=bob")[0] == 404
    assert asked == []
    assert api("GET", POSTER.format(brand.boths, form) + "?staff_id=ann") == (200, b"picture")
    assert asked[0]["staff_name"] == "安然"
    status, wrong = brand.calling("operator")("GET", POSTER.format(brand.bobs, form) + "?staff_id=ann")
    assert (status, wrong["errors"][0]["code"]) == (422, "not_in_live_code")


def test_a_batch_takes_what_is_in_the_scope_alone(brand: Brand) -> None:
    api = brand.calling("store_manager", Scope(("s1",)))

    def start(**wanted: Any) -> list[str]:
        status, job = api("POST", "/api/poster-batches", wanted)
        assert status == 202, job
        return list(batch_state.read_request(job["job_id"])["ids"])

    def fields(**wanted: Any) -> list[str]:
        status, wrong = api("POST", "/api/poster-batches", wanted)
        assert status == 422, wrong
        return [error["field"] for error in wrong["errors"]]

    assert start(live_code_id=brand.boths, staff_ids="all") == ["ann"]
    assert start(live_code_id=brand.all_stores, store_ids="all") == ["s1"]
    assert fields(live_code_id=brand.boths, staff_ids=["ann", "bob"]) == ["staff_ids[1]"]
    assert fields(live_code_id=brand.all_stores, store_ids=["s2"]) == ["store_ids[0]"]
    assert fields(live_code_ids=[brand.boths, brand.bobs]) == ["live_code_ids[1]"]
    whole = {"live_code_id": brand.bobs, "staff_ids": "all"}
    assert api("POST", "/api/poster-batches", whole)[0] == 404
    assert fields(live_code_ids=[brand.bobs], template="nope", avatars={"ann": "https://a.cn"}) == [
        "template",
        "avatars",
        "live_code_ids[0]",
    ]


def test_templates_are_counted_sorted_and_found_with_the_built_in_ones_beside(
    brand: Brand, at: Callable[[datetime], None]
) -> None:
    api = brand.calling("operator")
    for minute, name in enumerate(("开业海报", "Spring", "会员日")):
        at(NOON + timedelta(minutes=minute))
        assert api("POST", "/api/poster-templates", {**TEMPLATE, "name": name})[0] == 201

    def names(query: str) -> list[str]:
        return [row["name"] for row in api("GET", f"/api/poster-templates?{query}")[1]["items"]]

    calls = requests()
    _, page = api("GET", "/api/poster-templates?limit=2")
    assert calls.count("Query") == 1 and "Scan" not in calls
    assert (page["total"], page["total_is"], page["built_in"]) == (
        3,
        "exact",
        ["classic", "parcel", "minimal"],
    )
    assert [row["name"] for row in page["items"]] == ["会员日", "Spring"]
    assert names(f"limit=2&cursor={page['next_cursor']}") == ["开业海报"]
    assert names("q=kyhb") == ["开业海报"] and names("sort=name")[0] == "Spring"


def test_a_template_is_changed_by_those_whose_scope_holds_its_makers(
    brand: Brand, poster_function: None
) -> None:
    operator, mine = brand.calling("operator"), brand.calling("store_manager", Scope(("s1",)))
    theirs = brand.calling("store_manager", Scope(("s2",)))
    of_all = operator("POST", "/api/poster-templates", TEMPLATE)[1]["template_id"]
    made = mine("POST", "/api/poster-templates", TEMPLATE)[1]
    assert made["can_change"]
    for path, callers in (
        (f"/api/poster-templates/{of_all}", (mine, theirs)),
        (f"/api/poster-templates/{made['template_id']}", (theirs,)),
    ):
        for caller in callers:
            assert caller("PATCH", path, {"name": "y"})[0] == caller("DELETE", path)[0] == 403
            assert caller("GET", path)[1]["can_change"] is False
        assert operator("GET", path)[1]["name"] == "x"
    rows = mine("GET", "/api/poster-templates")[1]["items"]
    assert {row["template_id"]: row["can_change"] for row in rows} == {
        of_all: False,
        made["template_id"]: True,
    }
    assert mine("PATCH", f"/api/poster-templates/{made['template_id']}", {"name": "y"})[1]["name"] == "y"
    assert operator("DELETE", f"/api/poster-templates/{made['template_id']}")[0] == 200
