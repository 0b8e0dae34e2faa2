"""Sessions as rows: seen and ended by their owner, and by an admin; and what a device is called."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.people import devices
from chalicelib.platform import auth

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/107.0.0.0 Safari/537.36"


@pytest.fixture
def client(tables: None, keys: None, at: Callable[[datetime], None]) -> Iterator[Client]:
    at(NOW)
    for staff_id, role in (("ann", "store_manager"), ("bob", "operator"), ("boss", "admin")):
        auth.UserItem(staff_id, staff_id=staff_id, role=role, version=1, created_at="2026").save()
    with Client(app) as client:
        yield client


class Browser:
    """Somebody who is signed in."""

    def __init__(self, client: Client, staff_id: str, device: str = "chrome/windows"):
        self.client = client
        token = auth.begin_session("user", staff_id, device)
        self.cookie = f"{auth.SESSION_COOKIE}={token}"
        self.csrf = self("GET", "/api/me")[1].get("csrf_token")

    def __call__(self, method: str, path: str, csrf: bool = True) -> tuple[int, Any]:
        headers = {"Cookie": self.cookie}
        if method != "GET" and csrf:
            headers["X-CSRF-Token"] = self.csrf
        answer = self.client.http.request(method, path, headers=headers, body=b"")
        return answer.status_code, answer.json_body

    def sessions(self, query: str = "") -> list[dict[str, Any]]:
        status, found = self("GET", f"/api/sessions{query}")
        assert status == 200, found
        return list(found["items"])


def test_one_sees_and_ends_ones_own_sessions_and_no_others(
    client: Client, at: Callable[[datetime], None]
) -> None:
    phone = Browser(client, "ann", "wecom/ios")
    at(NOW + timedelta(minutes=5))
    desk, other = Browser(client, "ann"), Browser(client, "bob")
    rows = desk.sessions()
    assert [(row["browser"], row["system"], row["way"], row["current"]) for row in rows] == [
        ("chrome", "windows", "wecom", True),
        ("wecom", "ios", "wecom", False),
    ]
    assert rows[1]["expires_at"] == "2026-11-23T14:00:00.000000+00:00"
    assert desk("GET", "/api/sessions?staff_id=bob")[0] == 403
    assert desk("GET", "/api/sessions?staff_id=ANN")[0] == 200
    stranger = other.sessions()[0]["session_id"]
    assert desk("DELETE", f"/api/sessions/{stranger}")[0] == 404 and other("GET", "/api/me")[0] == 200
    old = rows[1]["session_id"]
    assert desk("DELETE", f"/api/sessions/{old}", csrf=False)[0] == 403
    assert phone("GET", "/api/me")[0] == 200
    assert desk("DELETE", f"/api/sessions/{old}") == (200, {"session_id": old})
    assert phone("GET", "/api/me")[0] == 401 and len(desk.sessions()) == 1
    assert desk("DELETE", f"/api/sessions/{old}")[0] == 404


def test_an_admin_ends_anybodys(client: Client) -> None:
    ann, boss = Browser(client, "ann"), Browser(client, "boss")
    (row,) = boss.sessions("?staff_id=ann")
    assert not row["current"]
    assert boss("DELETE", f"/api/sessions/{row['session_id']}")[0] == 200
    assert ann("GET", "/api/me")[0] == 401
    (entry,) = boss("GET", "/api/audit?object=ann")[1]["items"]
    assert (entry["action"], entry["actor"]["id"]) == ("sessions.end", "boss")


def test_the_id_of_a_session_is_no_way_in(client: Client) -> None:
    ann = Browser(client, "ann")
    (row,) = ann.sessions()
    forged = client.http.request(
        "GET", "/api/me", headers={"Cookie": f"{auth.SESSION_COOKIE}={row['session_id']}"}
    )
    assert forged.status_code == 401


def test_one_that_is_over_is_in_no_list(client: Client, at: Callable[[datetime], None]) -> None:
    Browser(client, "ann")
    at(NOW + timedelta(hours=12))
    assert len(Browser(client, "ann").sessions()) == 1


def test_a_key_sees_the_sessions_that_it_began(client: Client) -> None:
    key = auth.create_key("root", "admin")
    sign_in = client.http.request(
        "POST", "/console/session", headers={"User-Agent": CHROME}, body=b'{"key": "%s"}' % key.encode()
    )
    assert sign_in.status_code == 204
    answer = client.http.request("GET", "/api/sessions", headers={"Authorization": f"Bearer {key}"})
    (row,) = answer.json_body["items"]
    assert (row["way"], row["browser"], row["system"], row["current"]) == ("key", "chrome", "windows", False)


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (CHROME, "chrome/windows"),
        (f"{CHROME} Edg/107.0", "edge/windows"),
        (f"{CHROME} wxwork/4.1.20 MicroMessenger/7.0.1", "wecom/windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) MicroMessenger/8.0", "wechat/ios"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/17 Safari/605", "safari/macos"),
        ("Mozilla/5.0 (Linux; Android 13; Pixel) Chrome/120 Mobile Safari/537.36", "chrome/android"),
        ("curl/8", "other/other"),
        ("", "other/other"),
    ],
)
def test_a_device_is_known_by_its_user_agent(user_agent: str, device: str) -> None:
    assert devices.device(user_agent) == device
    assert "/".join(devices.parts(device)) == device
    assert devices.parts("nonsense") == devices.parts(None) == ("other", "other")
