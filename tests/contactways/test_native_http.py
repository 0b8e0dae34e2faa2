"""The doors of a native code: what is shown of it, its poster, a scan of its link; ways in use."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.assignments import native_list
from chalicelib.platform import auth
from chalicelib.posters import service as posters
from chalicelib.wecom import pictures
from chalicelib.wecom.errors import WeComError
from tests.support.scan_support import NOON, FakeWeCom, new_process

NATIVE = {"name": "Counter", "printing": "native", "assignment": {"members": [{"staff_id": "lihua"}]}}
PNG = b"\x89PNG\r\n\x1a\nqr"


class Api:
    def __init__(self, client: Client):
        self.client, self.key = client, auth.create_key("test", "operator")

    def raw(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        known = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.http.request(method, path, headers=known, body=data)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = self.raw(method, path, body)
        return answer.status_code, json.loads(answer.body)


@pytest.fixture
def wecom(
    tables: None, at: Callable[[datetime], None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


@pytest.fixture
def api(wecom: FakeWeCom) -> Iterator[Api]:
    with Client(app) as client:
        yield Api(client)


def test_a_native_code_shows_whom_wecom_was_told(api: Api, wecom: FakeWeCom, sent: list[Any]) -> None:
    status, made = api("POST", "/api/live-codes", NATIVE)
    assert (status, made["printing"]) == (201, "native")
    kinds = [message["kind"] for queue, message, _ in sent if queue == "assign"]
    assert kinds == ["contact_way", "native"]
    path = f"/api/live-codes/{made['live_code_id']}"
    assert api("GET", path)[1]["native"] is None
    native_list.keep_in_step(made["live_code_id"])
    assert api("GET", path)[1]["native"] == {
        "qr_url": wecom.ways["cfg0"]["qr_code"],
        "listed_staff_ids": ["lihua"],
        "told_at": "2026-11-23T04:00:00.000000+00:00",
        "left_out": [],
    }
    assert "native" not in api("PATCH", path, {"printing": "dynamic"})[1]
    assert "native" not in api("GET", path)[1]
    assert api("GET", "/api/contact-ways/usage") == (
        200,
        {"in_use": 1, "limit": 500_000, "left": 499_999, "by_kind": {"staff": 0, "native": 1, "group": 0}},
    )


def test_its_link_shows_wecoms_code_and_no_guide(api: Api, wecom: FakeWeCom) -> None:
    _, made = api("POST", "/api/live-codes", NATIVE)
    answer = api.raw("GET", f"/s/{made['code']}", Accept="application/json")
    told = json.loads(answer.body)
    assert {name for name, value in told.items() if value is not None} == {"kind", "qr_url"}
    assert (told["kind"], told["qr_url"]) == ("staff", wecom.ways["cfg0"]["qr_code"])
    assert "Set-Cookie" not in answer.headers
    page = api.raw("GET", f"/s/{made['code']}", Accept="text/html")
    assert page.status_code == 200
    assert told["qr_url"].encode() in page.body
    assert "None" not in page.body.decode()


def test_its_poster_holds_wecoms_own_picture(
    api: Api, wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []

    def ask(request: Mapping[str, Any]) -> dict[str, Any]:
        drawn.append(base64.b64decode(request.get("qr_image_base64", "")))
        return {"png_base64": base64.b64encode(PNG).decode()}

    asked: list[str] = []
    monkeypatch.setattr(posters, "_ask", ask)
    monkeypatch.setattr(pictures, "fetch", lambda url, base: asked.append(url) or PNG)
    _, made = api("POST", "/api/live-codes", NATIVE)
    path = f"/api/live-codes/{made['live_code_id']}"
    assert api.raw("GET", f"{path}/poster.png").status_code == 200
    assert asked == [wecom.ways["cfg0"]["qr_code"]]
    api("PATCH", path, {"printing": "dynamic"})
    assert api.raw("GET", f"{path}/poster.png").status_code == 200
    assert drawn == [PNG, b""]


def test_a_refused_way_is_told_as_it_is(api: Api, wecom: FakeWeCom) -> None:
    _, made = api("POST", "/api/live-codes", NATIVE)
    wecom.fail["add_contact_way"] = [WeComError("externalcontact/add_contact_way", 41045)]
    status, told = api("GET", f"/api/live-codes/{made['live_code_id']}/poster.png")
    assert (status, told["title"]) == (429, "次数或数量已用完")
    assert "500,000" in told["detail"]


def test_only_a_code_of_staff_is_native(api: Api) -> None:
    status, told = api("POST", "/api/live-codes", {**NATIVE, "kind": "nearest_store"})
    assert status == 422
    assert "printing" in [error["field"] for error in told["errors"]]
