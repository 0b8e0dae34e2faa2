"""The doors of prospects and the guide's page, through Chalice: who may see what, and what is refused."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from chalice.test import Client

from app import app
from chalicelib.platform import settings, timeline
from chalicelib.prospects import brand_settings, handover, imports, models, rules
from tests.support.api import Api
from tests.support.prospects_world import CONSENT, World, number, prospects, rows_of, settings_of, world

__all__ = ["world"]


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with Client(app) as found:
        yield found


@pytest.fixture
def api(client: Client) -> Api:
    return Api(client)


ROWS = {"rows": [{"phone": number(1), "name": "张三"}], "staff": {"staff_ids": ["lihua"]}, "consent": CONSENT}


def test_rows_in_masked_lists_out_and_the_number_for_admins_alone(api: Api, client: Client) -> None:
    status, made = api("POST", "/api/prospect-imports/rows", ROWS)
    assert status == 201 and (made["new"], made["errors"]) == (1, [])
    _, found = api("GET", f"/api/prospects?import_id={made['import_id']}")
    (row,) = found["items"]
    assert (row["phone"], row["name"], row["status"]) == ("138****0001", "张三", "to_add")
    assert "13800000001" not in json.dumps(found)
    path = f"/api/prospects/{row['prospect_id']}"
    assert api("GET", f"{path}/phone")[0] == 403
    assert Api(client, "admin")("GET", f"{path}/phone")[1]["phone"] == "+8613800000001"
    _, history = api("GET", f"{path}/timeline")
    assert history["items"][0]["type"] == "prospect_revealed" and history["items"][0]["data"] == {
        "by": "test"
    }
    assert api("POST", f"{path}/status", {"status": "asked"})[1]["status"] == "asked"
    assert api("POST", f"{path}/status", {"status": "added"})[0] == 422
    assert api("GET", f"/api/prospect-imports/{made['import_id']}")[1]["statuses"]["asked"] == 1
    assert api("DELETE", path)[1]["status"] == "erased"
    assert api("GET", path)[0] == 404 and api("POST", f"{path}/status", {"status": "asked"})[0] == 404


def test_an_import_is_made_uploaded_and_started(api: Api, world: World) -> None:
    body = {"name": "a", "format": "csv", "staff": {"staff_ids": ["lihua"]}, "consent": CONSENT}
    status, made = api("POST", "/api/prospect-imports", body)
    assert status == 201 and made["upload_headers"] == {"Content-Type": "text/csv"}
    path = f"/api/prospect-imports/{made['import_id']}"
    assert api("POST", f"{path}/start")[0] == 409  # no file yet
    key = f"uploads/prospects/{made['import_id']}.csv"
    assert key in made["upload_url"]
    settings.client("s3").put_object(Bucket="test-files", Key=key, Body=b"phone\n13800000001\n")
    status, job = api("POST", f"{path}/start")
    assert status == 202 and api("POST", f"{path}/start")[1]["job_id"] == job["job_id"]
    world.queues.work()
    assert api("GET", f"/api/jobs/{job['job_id']}")[1]["status"] == "finished"
    assert api("GET", path)[1]["new"] == 1
    assert [i["import_id"] for i in api("GET", "/api/prospect-imports")[1]["items"]] == [made["import_id"]]
    assert api("POST", f"{path}/start")[0] == 202  # finished: told again


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/prospect-imports", {"name": "a"}, "staff"),
        ("POST", "/api/prospect-imports/rows", ROWS | {"consent": ""}, "consent"),
        ("POST", "/api/prospect-imports/rows", ROWS | {"rows": []}, "rows"),
        ("POST", "/api/prospect-imports/rows", ROWS | {"staff": {"rule": "weighted"}}, "staff.weights"),
        ("POST", "/api/prospect-imports/rows", ROWS | {"daily_pace": 0}, "daily_pace"),
        ("PUT", "/api/prospects/settings", {"lists_at": "25:00"}, "lists_at"),
        ("PUT", "/api/prospects/settings", {"from_orders": {"staff": {"rule": "by_store"}, "consent": CONSENT}}, "from_orders.staff.rule"),
        ("GET", "/api/prospects?status=x", None, "status"),
        ("GET", "/api/prospects?cursor=x", None, "cursor"),
        ("POST", "/api/prospects/erase", {"phone": "123"}, "phone"),
        ("POST", "/api/prospects/match", {"external_userid": "wm1"}, "phone"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_by_its_field_and_changes_nothing(
    api: Api, method: str, path: str, body: Any, field: str
) -> None:
    status, told = api(method, path, body)
    assert (status, told["errors"][0]["field"]) == (422, field)
    assert not prospects() and not brand_settings.read().in_use


def test_unknown_ids_are_404(api: Api) -> None:
    for method, path, body in (
        ("GET", "/api/prospects/zzzz", None),
        ("DELETE", "/api/prospects/zzzz", None),
        ("GET", "/api/prospect-imports/zzzz", None),
        ("POST", "/api/prospect-imports/zzzz/start", None),
        ("GET", "/api/prospects?import_id=zzzz", None),
        ("POST", "/api/prospects/exports", {"import_id": "zzzz"}),
        ("POST", "/api/prospects/respread", {"from_staff_id": "zzzz"}),
        ("POST", "/api/prospects/match", {"external_userid": "zzzz", "phone": number(1)}),
    ):
        assert api(method, path, body)[0] == 404, path


def test_a_mall_order_brings_a_buyer_and_its_messages_hold_no_number(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings._secrets, "mall", (10**12, {"generic_secret": "s"}))
    brand_settings.save(settings_of(from_orders={"staff": {"staff_ids": ["lihua"]}, "consent": CONSENT}))
    item = {"line_id": "1", "sku": "A", "quantity": 1, "price_fen": 100}
    order = {"order_id": "M1", "status": "paid", "occurred_at": world.now.isoformat(), "items": [item]}
    raw = json.dumps({**order, "buyer": {"unionid": "o1", "phone": "138 0000 4100"}}).encode()
    stamp = str(int(world.now.timestamp()))
    signature = hmac.new(b"s", stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    for _ in range(2):
        answer = client.http.post(
            "/mall/orders/generic", headers={"X-Timestamp": stamp, "X-Signature": signature}, body=raw
        )
        assert answer.status_code == 200
    assert [q for q, _ in world.queues.sent] == ["orders", "prospect"] * 2
    said = json.dumps(world.queues.sent)
    assert "0000 4100" not in said and "00004100" not in said  # ids of chance hold any four digits
    world.queues.work()
    (row,) = prospects()
    assert models.person(row)["phone"] == "+8613800004100"
    assert [link.prospect_id for link in models.ProspectItem.query("unionid#o1")] == [row.prospect_id]


# The page


class Browser:
    """A guide's phone: keeps cookies, follows nothing by itself."""

    def __init__(self, client: Client):
        self.client, self.cookies = client, {}  # type: ignore[var-annotated]

    def ask(self, method: str, path: str, body: str = "") -> Any:
        headers = {"cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        answer = self.client.http.request(method, path, headers=headers, body=body.encode())
        if cookie := answer.headers.get("Set-Cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            path = "Path=/;" if name == "mr_session" else "Path=/h5;"
            assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and path in cookie
        return answer

    def sign_in(self, code: str) -> Any:
        began = self.ask("GET", "/h5/tasks")
        assert began.status_code == 302
        query = parse_qs(urlsplit(began.headers["Location"]).query)
        assert re.fullmatch("[A-Za-z0-9]{32}", query["state"][0])
        assert query["redirect_uri"] == ["http://127.0.0.1:8000/h5/login"]
        return self.ask("GET", f"/h5/login?code={code}&state={query['state'][0]}")

    def html(self) -> str:
        answer = self.ask("GET", "/h5/tasks")
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        return str(answer.body.decode())


def csrf_of(html: str) -> str:
    found = re.search('name="csrf" value="([^"]+)"', html)
    assert found
    return found[1]


@pytest.fixture
def lihua(client: Client, world: World) -> Browser:
    imports.take(rows_of([number(1), number(2), number(3)]))
    world.morning()
    browser = Browser(client)
    signed = browser.sign_in("member:lihua")
    assert (signed.status_code, signed.headers["Location"]) == (303, "/h5/tasks")
    return browser


def test_a_guide_sees_their_own_numbers_and_it_is_written_down(lihua: Browser) -> None:
    html = lihua.html()
    assert ">13800000001<" in html and ">13800000003<" in html and "13800000002" not in html
    assert "请逐个添加：①复制手机号 ②企业微信「通讯录 → 添加客户」搜索并发送申请" in html
    lines, _ = timeline.read("guide#lihua")
    assert lines[0]["type"] == "prospects_shown" and len(lines[0]["data"]["prospect_ids"]) == 2


def test_a_guide_says_what_became_of_a_task(lihua: Browser) -> None:
    mine = next(row for row in prospects() if row.staff_id == "lihua")
    path = f"/h5/tasks/{mine.prospect_id}"
    token = csrf_of(lihua.html())
    for _ in range(2):  # pressed twice
        answer = lihua.ask("POST", path, f"csrf={token}&status=asked")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/h5/tasks#t-{mine.code}")
    assert models.find(mine.prospect_id).status == rules.ASKED
    assert lihua.ask("POST", path, f"csrf={token}&status=added").status_code == 422
    assert lihua.ask("POST", path, f"csrf={token}&status=unreachable").status_code == 303
    assert lihua.ask("POST", path, f"csrf={token}&status=refused").status_code == 409


@pytest.mark.parametrize("token", ["", "x", "other"])
def test_a_form_of_somebody_else_changes_nothing(lihua: Browser, client: Client, token: str) -> None:
    mine = next(row for row in prospects() if row.staff_id == "lihua")
    other = Browser(client)
    other.sign_in("member:wangwu")
    given = csrf_of(other.html()) if token == "other" else token
    answer = lihua.ask("POST", f"/h5/tasks/{mine.prospect_id}", f"csrf={given}&status=asked")
    assert answer.status_code == 403
    # With a token of their own, it is still not their task.
    answer = other.ask("POST", f"/h5/tasks/{mine.prospect_id}", f"csrf={csrf_of(other.html())}&status=asked")
    assert answer.status_code == 404
    assert Browser(client).ask("POST", f"/h5/tasks/{mine.prospect_id}", "status=asked").status_code == 401
    assert models.find(mine.prospect_id).status == rules.TO_ADD


@pytest.mark.parametrize(("code", "status"), [("customer:wm1", 403), ("bad", 401), ("", 401)])
def test_only_staff_come_in(client: Client, world: World, code: str, status: int) -> None:
    browser = Browser(client)
    assert browser.sign_in(code).status_code == status
    assert "mr_session" not in browser.cookies
    assert browser.ask("GET", "/h5/tasks").status_code == 302


def test_who_fails_too_often_waits(client: Client, world: World) -> None:
    for _ in range(10):
        assert Browser(client).sign_in("customer:wm1").status_code == 403
    answer = Browser(client).sign_in("member:lihua")
    assert answer.status_code == 429 and 600 <= int(answer.headers["Retry-After"]) <= 601
    world.now += timedelta(minutes=10, seconds=1)
    assert Browser(client).sign_in("member:lihua").status_code == 303


def test_whose_access_is_revoked_is_out_at_once(lihua: Browser, client: Client, world: World) -> None:
    Api(client, "admin")("POST", "/api/users", {"staff_id": "lihua", "role": "guide", "status": "revoked"})
    assert lihua.ask("GET", "/h5/tasks").status_code == 302
    assert Browser(client).sign_in("member:lihua").status_code == 403


def test_a_sign_in_begun_elsewhere_is_refused(client: Client, world: World) -> None:
    mine, other = Browser(client), Browser(client)
    state = parse_qs(urlsplit(mine.ask("GET", "/h5/tasks").headers["Location"]).query)["state"][0]
    assert other.ask("GET", f"/h5/login?code=member:lihua&state={state}").status_code == 401
    other.ask("GET", "/h5/tasks")
    assert other.ask("GET", f"/h5/login?code=member:lihua&state={state}").status_code == 401
    world.now += timedelta(minutes=11)
    assert mine.ask("GET", f"/h5/login?code=member:lihua&state={state}").status_code == 401


def test_a_session_ends_after_twelve_hours(lihua: Browser, world: World) -> None:
    world.now += timedelta(hours=12, minutes=1)
    assert lihua.ask("GET", "/h5/tasks").status_code == 302


def test_what_comes_from_outside_is_escaped(client: Client, world: World) -> None:
    evil = '"><script>alert(1)</script>'
    row = {"phone": number(1), "name": evil, "note": evil}
    imports.take(rows_of([], rows=[row], staff={"staff_ids": ["lihua"]}))
    world.morning()
    browser = Browser(client)
    browser.sign_in("member:lihua")
    html = browser.html()
    assert "<script>alert" not in html and html.count("<script>") == 1
    policy = browser.ask("GET", "/h5/tasks").headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "script-src 'sha256-" in policy and "default-src 'none'" in policy


def test_an_erased_or_moved_task_is_off_the_page(lihua: Browser, world: World) -> None:
    handover.hand_over("lihua", ["wangwu"], "", 0)
    assert "今天没有任务" in lihua.html()
