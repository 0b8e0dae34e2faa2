"""The doors of live codes, through Chalice with API Gateway's events."""

import base64
import io
import json
from datetime import datetime
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.assignments.types import Scan
from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import settings
from chalicelib.platform.errors import Upstream
from chalicelib.scans.api import _cookie
from tests.support.api import Api
from tests.support.scan_support import BROWSER, CODE, MACHINE, NOON, FakeWeCom

JSON = {"Content-Type": "application/json"}


def test_a_code_answers_with_its_ids_and_all_as_stored(api: Api) -> None:
    status, made = api("POST", "/api/live-codes", CODE)
    assert status == 201
    assert made["live_code_id"] == "lc_" + made["code"]
    assert made["url"] == f"http://127.0.0.1:8000/s/{made['code']}"
    assert made["assignment"]["members"][0] == {**CODE["assignment"]["members"][0], "hours": None}
    assert {k: made[k] for k in CODE if k != "assignment"} == {
        k: v for k, v in CODE.items() if k != "assignment"
    }
    assert made["warnings"] == []
    status, got = api("GET", f"/api/live-codes/{made['live_code_id']}")
    assert (status, got) == (200, made)
    _, listed = api("GET", "/api/live-codes?limit=1")
    assert listed["items"] == [got]


@pytest.mark.parametrize("kind", ["staff", "group"])
def test_the_contracts_sample_is_stored_to_the_letter(api: Api, kind: str) -> None:
    hours = [{"weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00"}]
    member = {"staff_id": "lihua", "weight": 1, "daily_cap": 100, "total_cap": None, "hours": hours}
    sample = {
        "name": "Parcel card, winter",
        "kind": kind,
        "channel": "parcel",
        "tags": ["渠道/包裹卡"],
        "assignment": {
            "strategy": "round_robin",
            "sticky": True,
            "members": [member],
            "fallback_staff_ids": ["wangwu"],
            "reserve_for": "PT10M",
        },
        "groups": {
            "chat_ids": ["wrOgQhDgAA"],
            "limit": 200,
            "auto_create": True,
            "room_base_name": "福利群",
        },
        "welcome": {"text": "您好 {customer_name}，我是 {staff_name}", "attachments": []},
        "skip_verify": True,
        "schedule": {"from": None, "until": None},
    }
    status, made = api("POST", "/api/live-codes", sample)
    assert status == 201
    assert {name: made[name] for name in sample} == sample


def test_what_may_leave_somebody_waiting_is_said(api: Api) -> None:
    _, made = api(
        "POST", "/api/live-codes", CODE | {"assignment": {"members": [{"staff_id": "a", "daily_cap": 1}]}}
    )
    assert [w["field"] for w in made["warnings"]] == ["assignment.fallback_staff_ids"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "group"}, "groups"),
        ({"kind": "other"}, "kind"),
        (
            {"assignment": {"members": [{"staff_id": "a", "daily_cap": -1}]}},
            "assignment.members[0].daily_cap",
        ),
        ({"assignment": {"members": [{"staff_id": "a b"}]}}, "assignment.members[0].staff_id"),
        ({"assignment": {"members": [{}]}}, "assignment.members[0].staff_id"),
        ({"assignment": {"strategy": "best"}}, "assignment.strategy"),
        (
            {
                "assignment": {
                    "members": [
                        {"staff_id": "a", "hours": [{"weekdays": [8], "from": "01:00", "to": "02:00"}]}
                    ]
                }
            },
            "assignment.members[0].hours[0].weekdays[0]",
        ),
        (
            {"assignment": {"members": [{"staff_id": "LiHua"}, {"staff_id": "lihua"}]}},
            "assignment.members[1].staff_id",
        ),
        ({"name": ""}, "name"),
        ({"tags": ["x"]}, "tags[0]"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(api: Api, change: dict[str, Any], field: str) -> None:
    status, problem = api("POST", "/api/live-codes", CODE | change)
    assert status == 422
    assert [e["field"] for e in problem["errors"]] == [field]


def test_a_patch_merges_and_is_judged_whole(api: Api) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    path = f"/api/live-codes/{made['live_code_id']}"
    status, changed = api("PATCH", path, {"assignment": {"strategy": "random"}, "welcome": None})
    assert status == 200
    assert changed["assignment"] == {**made["assignment"], "strategy": "random"}
    assert changed["welcome"] is None
    assert changed["version"] == 2
    assert api("PATCH", path, {"assignment": {"members": [], "fallback_staff_ids": []}})[0] == 422
    assert api("PATCH", path, {"kind": "group"})[0] == 422
    assert api("PATCH", path, {"name": 5})[1]["errors"][0]["field"] == "name"
    assert api("PATCH", path, [1])[0] == 422
    assert api("GET", path)[1]["version"] == 2
    assert api("PATCH", "/api/live-codes/lc_nothere2", {"name": "x"})[0] == 404


def test_an_archived_code_is_shown_but_not_listed(api: Api) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    path = f"/api/live-codes/{made['live_code_id']}"
    assert api("DELETE", path)[0] == 200
    assert api("DELETE", path)[0] == 200
    assert api("GET", path)[1]["archived"] is True
    assert api("GET", "/api/live-codes")[1]["items"] == []
    assert api("PATCH", path, {"name": "x"})[0] == 409
    assert api("DELETE", "/api/live-codes/lc_nothere2")[0] == 404


def test_an_archived_code_is_opened_again_as_it_was(api: Api, client: Client) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    path = f"/api/live-codes/{made['live_code_id']}"
    api("DELETE", path)
    status, again = api("POST", f"{path}/restore")
    assert status == 200
    assert again == {**made, "version": 3, "updated_at": again["updated_at"]}
    assert api("POST", f"{path}/restore")[1] == again
    assert [row["live_code_id"] for row in api("GET", "/api/live-codes")[1]["items"]] == [
        made["live_code_id"]
    ]
    assert client.http.get(f"/s/{made['code']}", headers=MACHINE).json_body["kind"] == "staff"
    assert api("POST", "/api/live-codes/lc_nothere2/restore")[0] == 404


def test_a_machine_gets_the_contracts_json(api: Api, client: Client) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    answer = client.http.get(f"/s/{made['code']}", headers=MACHINE)
    assert answer.status_code == 200
    body = json.loads(answer.body)
    assert list(body) == ["assignment_id", "kind", "staff_id", "chat_id", "store_id", "qr_url", "expires_at"]
    assert (body["kind"], body["staff_id"], body["chat_id"]) == ("staff", "lihua", None)
    assert datetime.fromisoformat(body["expires_at"]) > NOON
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"mr_{made['code']}={body['assignment_id']}.lihua; Path=/s; Max-Age=31536000;")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # PUBLIC_BASE_URL is plain http here
    sent = {"Cookie": cookie.split(";")[0], **MACHINE}
    assert json.loads(client.http.get(f"/s/{made['code']}", headers=sent).body) == body
    other = json.loads(client.http.get(f"/s/{made['code']}", headers=MACHINE).body)
    assert other["staff_id"] == "wangwu"
    _, listed = api("GET", f"/api/assignments?live_code_id={made['live_code_id']}")
    assert {row["assignment_id"] for row in listed["items"]} == {
        body["assignment_id"],
        other["assignment_id"],
    }


def test_the_cookie_is_secure_where_the_site_is(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://brand.example/")
    _, made = api("POST", "/api/live-codes", CODE)
    assert made["url"] == f"https://brand.example/s/{made['code']}"
    answer = client.http.get(f"/s/{made['code']}", headers=MACHINE)
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_a_browser_gets_the_page(api: Api, client: Client, wecom: FakeWeCom) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    answer = client.http.get(f"/s/{made['code']}", headers=BROWSER)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    page = answer.body.decode()
    assert next(iter(wecom.ways.values()))["qr_code"] in page
    assert "长按识别二维码" in page
    assert f"mr_{made['code']}=" in answer.headers["Set-Cookie"]


def test_head_reserves_nothing(api: Api, client: Client) -> None:
    made = api("POST", "/api/live-codes", CODE)[1]
    for headers in (BROWSER, MACHINE):
        assert client.http.request("HEAD", f"/s/{made['code']}", headers=headers).status_code == 200
    assert client.http.request("HEAD", "/s/none", headers=BROWSER).status_code == 404
    listed = api("GET", f"/api/assignments?live_code_id={made['live_code_id']}")[1]
    assert listed["items"] == []


def test_pages_for_the_unknown_the_closed_and_the_busy(api: Api, client: Client, wecom: FakeWeCom) -> None:
    unknown = client.http.get("/s/nothere2", headers=BROWSER)
    assert (unknown.status_code, "二维码无效或已失效" in unknown.body.decode()) == (404, True)
    assert client.http.get("/s/nothere2", headers=MACHINE).status_code == 404
    _, made = api("POST", "/api/live-codes", CODE)
    wecom.fail["add_contact_way"] = [Upstream("down"), Upstream("down")]
    busy = client.http.get(f"/s/{made['code']}", headers=BROWSER)
    assert (busy.status_code, "当前访问人数较多，请稍后再试" in busy.body.decode()) == (503, True)
    assert client.http.get(f"/s/{made['code']}", headers=MACHINE).status_code == 503
    api("DELETE", f"/api/live-codes/{made['live_code_id']}")
    closed = client.http.get(f"/s/{made['code']}", headers=BROWSER)
    assert (closed.status_code, "活动已结束" in closed.body.decode()) == (200, True)
    body = json.loads(client.http.get(f"/s/{made['code']}", headers=MACHINE).body)
    assert body == dict.fromkeys(body) | {"kind": "closed"}


def test_a_place_tells_where_one_is_and_gets_the_same_json(api: Api, client: Client) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    path = f"/s/{made['code']}/location"
    for body in ({"latitude": 22.5, "longitude": 113.9}, {"store_id": "SZ001"}):
        answer = client.http.post(path, headers=JSON, body=json.dumps(body).encode())
        assert json.loads(answer.body)["kind"] == "staff"
    assert client.http.post(path, headers=JSON, body=b'{"latitude": 91}').status_code == 422
    assert client.http.post(path, headers=JSON, body=b"nonsense").status_code == 400


def test_assignments_of_a_code_need_it_to_be_there(api: Api) -> None:
    assert api("GET", "/api/assignments")[1]["items"] == []
    assert api("GET", "/api/assignments?cursor=x")[0] == 422
    assert api("GET", "/api/assignments?live_code_id=lc_nothere2")[0] == 404
    _, made = api("POST", "/api/live-codes", CODE)
    assert api("GET", f"/api/assignments?live_code_id={made['live_code_id']}&cursor=x")[0] == 422


class PosterFunction:
    """Lambda's client: keeps what it was asked, answers what it is told."""

    def __init__(self, answer: dict[str, Any], failed: bool = False):
        self.answer, self.failed, self.asked = answer, failed, {}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.asked = json.loads(Payload)
        told: dict[str, Any] = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return told | ({"FunctionError": "Unhandled"} if self.failed else {})


def test_the_poster_holds_the_codes_address_and_the_guides_name(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTER_FUNCTION", "poster")
    drawn = PosterFunction({"png_base64": base64.b64encode(b"\x89PNG!").decode()})
    monkeypatch.setattr(settings, "client", lambda name: drawn)
    _, made = api("POST", "/api/live-codes", CODE)
    path = f"/api/live-codes/{made['live_code_id']}/poster.png"
    headers = {"Authorization": f"Bearer {api.key}", "Accept": "image/png"}
    answer = client.http.get(path + "?staff_id=lihua&width=600&template=jade", headers=headers)
    assert answer.status_code == 200, answer.body
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.body == b"\x89PNG!"
    url = poster_links.url(livecodes.get(made["live_code_id"]), "guide", "lihua")
    wanted = {"url": url, "width": 600, "template": "jade", "staff_name": "Lihua女士"}
    assert drawn.asked == {**wanted, "format": "png", "code_name": CODE["name"]}
    assert client.http.get(path + "?staff_id=nobody", headers=headers).status_code == 422
    assert client.http.get(path + "?store_id=sz1", headers=headers).status_code == 422
    client.http.get(path, headers=headers)
    assert drawn.asked == {"url": made["url"], "format": "png", "code_name": CODE["name"]}
    native = api("POST", "/api/live-codes", {**CODE, "printing": "native"})[1]["live_code_id"]
    answer = api("GET", f"/api/live-codes/{native}/poster.png?staff_id=lihua")
    assert (answer[0], answer[1]["errors"][0]["code"]) == (422, "native_has_one_poster")


TOO_SMALL = {"field": "width", "code": "minimum", "params": {"minimum": 300}}


@pytest.mark.parametrize(
    ("answer", "failed", "status"),
    [
        ({"error": {"status": 422, "errors": [TOO_SMALL]}}, False, 422),
        ({"error": {"status": 500, "detail": "did not decode"}}, False, 503),
        ({"errorMessage": "boom"}, True, 503),
    ],
)
def test_what_the_poster_function_says_is_said_on(
    api: Api, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], failed: bool, status: int
) -> None:
    monkeypatch.setenv("POSTER_FUNCTION", "poster")
    monkeypatch.setattr(settings, "client", lambda name: PosterFunction(answer, failed))
    _, made = api("POST", "/api/live-codes", CODE)
    got, problem = api("GET", f"/api/live-codes/{made['live_code_id']}/poster.png")
    assert got == status
    assert status != 422 or [(e["field"], e["code"], e["params"]) for e in problem["errors"]] == [
        ("width", "minimum", {"minimum": 300})
    ]


def test_the_cookies_path_has_the_stage_that_the_public_address_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://x.execute-api.cn-north-1.amazonaws.com.cn/prod")
    cookie = _cookie("abcdefgh", Scan("staff", "01M82R9VB2Y09V77RQAE7EFGD4", "lihua", "https://qr"))
    assert "Path=/prod/s;" in cookie["Set-Cookie"] and cookie["Set-Cookie"].endswith("Secure")
