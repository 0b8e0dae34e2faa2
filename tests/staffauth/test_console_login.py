"""Signing in to the console by WeCom: where the browser is sent, what it comes back with, and who is let in."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from chalice.test import Client

from app import app
from chalicelib.people import signin
from chalicelib.platform import auth
from chalicelib.platform.errors import Unauthorized, Upstream
from chalicelib.staffauth import rules
from chalicelib.wecom.errors import WeComError

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
BASE = "https://m.example/api"
IN_WECOM = "Mozilla/5.0 Chrome/107 wxwork/4.1.20 MicroMessenger/7.0.1"


class SignsIn:
    """WeCom, whose code is `member:USERID`, `customer`, `spent` or `down`."""

    def getuserinfo(self, code: str) -> dict[str, Any]:
        kind, _, who = code.partition(":")
        if kind == "spent":
            raise WeComError("auth/getuserinfo", 40029)
        if kind == "down":
            raise Upstream(code="wecom_silent", path="auth/getuserinfo")
        return {"userid": who} if kind == "member" else {"openid": "o1"}

    def user_get(self, userid: str, **_: Any) -> dict[str, Any]:
        return {
            "userid": userid,
            "name": {"boss": "王总", "ann": "安妮"}[userid],
            "status": 1,
            "department": [],
        }


class Browser:
    def __init__(self, client: Client, user_agent: str = "Mozilla/5.0 Chrome/107"):
        self.client, self.cookies, self.user_agent = client, dict[str, str](), user_agent

    def get(self, path: str) -> Any:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "User-Agent": self.user_agent}
        self.answer = self.client.http.request("GET", path, headers=headers, body=b"")
        if cookie := self.answer.headers.get("Set-Cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
            path = "/api/console" if name == "mr_console_login" else "/api"
            wanted = ["HttpOnly", "Max-Age", f"Path={path}", "SameSite=Lax", "Secure"]
            assert sorted(part.strip().split("=")[0] if "Max-Age" in part else part.strip()
                          for part in cookie.split(";")[1:]) == wanted  # fmt: skip
        return self.answer

    def begin(self, path: str = "/console/login") -> dict[str, list[str]]:
        answer = self.get(path)
        assert answer.status_code == 302, answer.body
        self.address = urlsplit(answer.headers["Location"])
        return parse_qs(self.address.query)

    def sign_in(self, code: str, path: str = "/console/login") -> int:
        state = self.begin(path)["state"][0]
        return int(self.get(f"/console/login?code={code}&state={state}").status_code)

    @property
    def words(self) -> str:
        return str(self.answer.body.decode())


@pytest.fixture
def client(
    tables: None, keys: None, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    at(NOW)
    for name, value in {
        "PUBLIC_BASE_URL": BASE,
        "WECOM_CORP_ID": "ww1",
        "WECOM_AGENT_ID": "1000002",
    }.items():
        monkeypatch.setenv(name, value)
    wecom = SignsIn()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    auth.UserItem("boss", staff_id="boss", role="admin", version=1, created_at="2026").save()
    with Client(app) as client:
        yield client


def test_the_whole_page_goes_to_wecoms_qr_code_and_comes_back_signed_in(client: Client) -> None:
    browser = Browser(client)
    query = browser.begin("/console/login?next=/console/live-codes%3Fstatus%3Doff")
    assert f"{browser.address.scheme}://{browser.address.netloc}{browser.address.path}" == (
        "https://login.work.weixin.qq.com/wwlogin/sso/login"
    )
    assert query | {"state": []} == {
        "login_type": ["CorpApp"],
        "appid": ["ww1"],
        "agentid": ["1000002"],
        "redirect_uri": [f"{BASE}/console/login"],
        "state": [],
    }
    answer = browser.get(f"/console/login?code=member:boss&state={query['state'][0]}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/api/console/live-codes?status=off")
    me = browser.get("/api/me").json_body
    assert (me["name"], me["staff_id"], me["role"], me["kind"]) == ("王总", "boss", "admin", "session")
    assert me["csrf_token"] and "users.write" in me["permissions"]


def test_inside_of_wecom_it_is_its_oauth(client: Client) -> None:
    browser = Browser(client, IN_WECOM)
    query = browser.begin()
    assert (browser.address.netloc, browser.address.path) == (
        "open.weixin.qq.com",
        "/connect/oauth2/authorize",
    )
    assert (
        query["redirect_uri"] == [f"{BASE}/console/login"] and browser.address.fragment == "wechat_redirect"
    )
    assert Browser(client, IN_WECOM).sign_in("member:boss") == 303


def test_a_sandbox_has_the_qr_page_where_it_has_oauth(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECOM_OAUTH_BASE", "http://127.0.0.1:9000")
    browser = Browser(client)
    browser.begin()
    assert (browser.address.netloc, browser.address.path) == ("127.0.0.1:9000", "/wwlogin/sso/login")


def test_who_has_no_role_is_told_so_and_whom_to_ask(client: Client) -> None:
    assert Browser(client).sign_in("member:boss") == 303  # whose name is known from here on
    browser = Browser(client)
    assert browser.sign_in("member:ann") == 403
    assert "您还没有后台权限" in browser.words and "请联系 王总" in browser.words
    assert auth.SESSION_COOKIE not in browser.cookies
    auth.UserItem("ann", staff_id="ann", role="guide", version=1, created_at="2026").save()
    assert Browser(client).sign_in("member:ann") == 303


def test_the_revoked_the_gone_and_strangers_are_refused_in_words(client: Client) -> None:
    row = {"staff_id": "ann", "role": "operator", "version": 1, "created_at": "2026"}
    for change in ({"status": "revoked"}, {"gone": True}):
        auth.UserItem("ann", **row, **change).save()
        browser = Browser(client)
        assert browser.sign_in("member:ann") == 403 and "您的后台权限已被收回" in browser.words
    browser = Browser(client)
    assert browser.sign_in("customer") == 403 and "仅限企业成员登录" in browser.words
    assert browser.sign_in("spent") == 401 and "请重新登录" in browser.words
    assert browser.sign_in("down") == 503 and "企业微信暂时没有应答" in browser.words


def test_a_sign_in_that_was_begun_elsewhere_or_long_ago_is_refused(
    client: Client, at: Callable[[datetime], None]
) -> None:
    mine, other = Browser(client), Browser(client)
    state = mine.begin()["state"][0]
    assert other.get(f"/console/login?code=member:boss&state={state}").status_code == 401
    other.begin()
    assert other.get(f"/console/login?code=member:boss&state={state}").status_code == 401
    assert mine.get(f"/console/login?state={state}").status_code == 401  # the person said no
    at(NOW + timedelta(minutes=10))
    assert mine.get(f"/console/login?code=member:boss&state={state}").status_code == 401
    assert auth.SESSION_COOKIE not in mine.cookies | other.cookies


def test_a_phones_sign_in_does_not_open_the_console(client: Client) -> None:
    """Its cookie is another kind: the state of one can't be used for the other."""
    browser = Browser(client)
    began = browser.client.http.request("GET", "/h5/tasks", headers={}, body=b"")
    name, _, value = began.headers["Set-Cookie"].split(";")[0].partition("=")
    state = parse_qs(urlsplit(began.headers["Location"]).query)["state"][0]
    browser.cookies["mr_console_login"] = value
    assert name == "mr_login"
    assert browser.get(f"/console/login?code=member:boss&state={state}").status_code == 401


def test_after_ten_failures_a_person_waits_and_nobody_else_at_their_address(client: Client) -> None:
    for number in range(10):
        assert Browser(client).sign_in("member:ann") == 403
        with pytest.raises(Unauthorized):
            signin.by_key(f"mr_{number}", "127.0.0.1")
    browser = Browser(client)
    assert browser.sign_in("member:ann") == 429
    assert 600 <= int(browser.answer.headers["Retry-After"]) <= 601 and "请稍后再试" in browser.words
    assert Browser(client).sign_in("member:boss") == 303


def test_after_ten_codes_that_are_nobodys_their_address_waits(client: Client) -> None:
    for _ in range(10):
        assert Browser(client).sign_in("spent") == 401
    assert Browser(client).sign_in("member:boss") == 429


def test_without_wecom_it_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECOM_CORP_ID")
    browser = Browser(client)
    assert browser.get("/console/login").status_code == 503 and "还没有接入企业微信" in browser.words


@pytest.mark.parametrize(
    "page",
    ["/console", "/console/live-codes", "/console/live-codes/lc_a.b?status=on&q=%E6%B4%BB", "/console/a/"],
)
def test_a_sign_in_leads_back_to_where_one_was(page: str) -> None:
    assert rules.console_page(page) == page


@pytest.mark.parametrize(
    "page",
    [
        *("", "/", "//evil.example", "https://evil.example/console", "/consoles", "/console\\@evil.example"),
        *("/console/../api/me", "/console/./x", "/console//evil.example", "/console/x\r\nSet-Cookie: a=b"),
        *(
            "/console/login?next=/console",
            "/console/session",
            "/console?next=//evil",
            "/console#x",
            "/h5/tasks",
        ),
        "/console/" + "x" * 1_000,
    ],
)
def test_a_sign_in_leads_nowhere_else(page: str) -> None:
    assert rules.console_page(page) == "/console"
