"""People, keys and sessions: who is let in, as what, until when; and what the audit says of it."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.people import signin
from chalicelib.platform import auth, permissions, storage
from chalicelib.platform.errors import Exhausted, Unauthorized
from tests.support.wecom import FakeWeCom

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
BASE = "https://m.example/api"


class Api:
    """An admin's calls, unless another key or a cookie is given."""

    def __init__(self, client: Client):
        self.client, self.key = client, auth.create_key("root", "admin")

    def __call__(
        self, method: str, path: str, body: Any = None, key: str | None = "", **headers: str
    ) -> tuple[int, Any]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            given["Authorization"] = f"Bearer {key or self.key}"
        data = b"" if body is None else json.dumps(body).encode()
        self.answer = self.client.http.request(method, path, headers=given, body=data)
        return self.answer.status_code, json.loads(self.answer.body or b"null")

    def make(self, role: str, **more: Any) -> tuple[str, str]:
        status, made = self("POST", "/api/api-keys", {"name": role, "role": role, **more})
        assert status == 201, made
        return made["key"], made["api_key_id"]

    def sign_in(self, key: str) -> str:
        assert self("POST", "/console/session", {"key": key}, key=None)[0] == 204
        return str(self.answer.headers["Set-Cookie"]).split(";")[0]


@pytest.fixture
def api(tables: None, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    at(NOW)
    monkeypatch.setenv("PUBLIC_BASE_URL", BASE)
    corp = FakeWeCom()
    corp.gone.add("ghost")
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: corp)
    with Client(app) as client:
        yield Api(client)


def test_a_key_is_shown_once_listed_without_it_and_useless_from_its_revocation_on(api: Api) -> None:
    key, key_id = api.make("operator", scope={"store_ids": ["s1"]}, expires_at="2026-12-01T00:00:00+08:00")
    status, me = api("GET", "/api/me", key=key)
    assert (status, me) == (
        200,
        {
            "user": "operator",
            "name": "operator",
            "staff_id": None,
            "kind": "key",
            "role": "operator",
            "scope": {"store_ids": ["s1"], "department_ids": None},
            "scope_names": {"stores": [{"id": "s1", "name": "s1"}], "departments": None},
            "permissions": sorted(permissions.ROLES["operator"] - permissions.CORP_WIDE),
            "console": True,
            "csrf_token": None,
        },
    )
    _, listed = api("GET", "/api/api-keys?role=operator")
    (row,) = listed["items"]
    assert row["api_key_id"] == key_id and row["status"] == "active" and listed["total"] == 1
    assert key not in json.dumps(listed)
    assert api("DELETE", f"/api/api-keys/{key_id}")[0] == 200
    assert api("GET", "/api/me", key=key)[0] == 401
    assert api("DELETE", f"/api/api-keys/{key_id}")[0] == 200  # twice is once
    assert api("DELETE", "/api/api-keys/none")[0] == 404


def test_a_key_ends_when_it_expires(api: Api, at: Callable[[datetime], None]) -> None:
    key, _ = api.make("finance", expires_at=(NOW + timedelta(hours=1)).isoformat())
    assert api("GET", "/api/me", key=key)[0] == 200
    at(NOW + timedelta(hours=1))
    assert api("GET", "/api/me", key=key)[0] == 401
    assert [row["status"] for row in api("GET", "/api/api-keys?role=finance")[1]["items"]] == ["expired"]
    status, wrong = api(
        "POST", "/api/api-keys", {"name": "x", "role": "finance", "expires_at": NOW.isoformat()}
    )
    assert status == 422 and wrong["errors"][0]["field"] == "expires_at"


def test_the_last_admin_can_not_be_revoked(api: Api) -> None:
    (root,) = api("GET", "/api/api-keys")[1]["items"]
    api.make("admin", expires_at=(NOW + timedelta(days=1)).isoformat())  # will be gone tomorrow
    assert api("DELETE", f"/api/api-keys/{root['api_key_id']}")[0] == 409
    assert api("POST", "/api/users", {"staff_id": "boss", "role": "admin"})[0] == 201
    other, _ = api.make("admin")
    assert api("DELETE", f"/api/api-keys/{root['api_key_id']}")[0] == 200
    api.key = other
    assert api("PATCH", "/api/users/boss", {"role": "operator"})[0] == 200
    mine = next(row for row in api("GET", "/api/api-keys?status=active")[1]["items"] if not row["expires_at"])
    assert api("DELETE", f"/api/api-keys/{mine['api_key_id']}")[0] == 409
    assert api("GET", "/api/me")[0] == 200


def test_nobody_who_is_not_of_the_corp_becomes_an_admin(api: Api) -> None:
    status, wrong = api("POST", "/api/users", {"staff_id": "ghost", "role": "admin"})
    assert status == 422 and wrong["errors"][0]["field"] == "staff_id"
    assert api("POST", "/api/users", {"staff_id": "ghost", "role": "operator"})[0] == 201
    assert api("PATCH", "/api/users/ghost", {"role": "admin"})[0] == 422


def test_of_two_admins_who_revoke_each_other_one_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    (root,) = api("GET", "/api/api-keys")[1]["items"]
    _, second = api.make("admin")
    commit = storage.Transaction.commit

    def meanwhile(tx: storage.Transaction) -> None:
        monkeypatch.setattr(storage.Transaction, "commit", commit)
        assert api("DELETE", f"/api/api-keys/{root['api_key_id']}")[0] == 200
        commit(tx)

    monkeypatch.setattr(storage.Transaction, "commit", meanwhile)
    assert api("DELETE", f"/api/api-keys/{second}")[0] == 409
    assert [row.role for row in auth.ApiKeyItem.by_status.query("active")] == ["admin"]


def test_a_session_is_its_keys_with_a_token_for_writes(api: Api) -> None:
    key, key_id = api.make("admin")
    cookie = api.sign_in(key)
    text = api.answer.headers["Set-Cookie"]
    assert "Path=/api;" in text and "Max-Age=43200; HttpOnly; SameSite=Lax; Secure" in text
    status, me = api("GET", "/api/me", key=None, Cookie=cookie)
    assert (status, me["kind"], me["user"]) == (200, "session", "admin")
    body = {"staff_id": "lihua", "role": "guide"}
    for token in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": me["csrf_token"] + "x"}, {"X-CSRF-Token": "é"}):
        assert api("POST", "/api/users", body, key=None, Cookie=cookie, **token)[0] == 403
    assert api("POST", "/api/users", body, key=None, Cookie=cookie, X_CSRF_Token=me["csrf_token"])[0] == 201
    # Both: the key counts, also a wrong one.
    assert api("GET", "/api/me", Cookie=cookie)[1]["kind"] == "key"
    assert api("GET", "/api/me", key="wrong", Cookie=cookie)[0] == 401
    assert api("DELETE", f"/api/api-keys/{key_id}")[0] == 200
    assert api("GET", "/api/me", key=None, Cookie=cookie)[0] == 401


def test_a_session_ends_by_its_owner_and_after_twelve_hours(api: Api, at: Callable[[datetime], None]) -> None:
    mine, other = api.sign_in(api.key), api.sign_in(api.key)
    assert api("DELETE", "/console/session", key=None, Cookie=mine)[0] == 204
    assert "Max-Age=0" in api.answer.headers["Set-Cookie"]
    assert api("GET", "/api/me", key=None, Cookie=mine)[0] == 401
    at(NOW + timedelta(hours=12, seconds=-1))
    assert api("GET", "/api/me", key=None, Cookie=other)[0] == 200
    at(NOW + timedelta(hours=12))
    assert api("GET", "/api/me", key=None, Cookie=other)[0] == 401


def test_a_persons_session_has_their_role_as_it_is_now(api: Api) -> None:
    cookie = f"{auth.SESSION_COOKIE}={auth.begin_session('user', 'LiHua')}"
    _, me = api("GET", "/api/me", key=None, Cookie=cookie)
    assert (me["user"], me["role"]) == ("lihua", "guide")
    made = {"staff_id": "LiHua", "role": "store_manager", "scope": {"store_ids": ["s1"]}}
    assert api("POST", "/api/users", made)[0] == 201
    assert api("POST", "/api/users", {**made, "staff_id": "lihua"})[0] == 409  # the same userid to WeCom
    _, me = api("GET", "/api/me", key=None, Cookie=cookie)
    assert (me["role"], me["scope"]["store_ids"]) == ("store_manager", ["s1"])
    status, wrong = api("PATCH", "/api/users/lihua", {"role": "admin"})
    assert (status, wrong["errors"][0]["field"]) == (422, "scope")
    assert api("PATCH", "/api/users/lihua", {"status": "revoked"})[1]["status"] == "revoked"
    assert api("GET", "/api/me", key=None, Cookie=cookie)[0] == 401
    assert [row["staff_id"] for row in api("GET", "/api/users?status=revoked&q=lih")[1]["items"]] == ["LiHua"]
    assert api("PATCH", "/api/users/nobody", {"role": "guide"})[0] == 404


def test_guessing_meets_a_wait(api: Api, at: Callable[[datetime], None]) -> None:
    for guess in range(10):
        assert api("POST", "/console/session", {"key": f"mr_{guess}"}, key=None)[0] == 401
    at(NOW + timedelta(minutes=4))
    status, _ = api("POST", "/console/session", {"key": api.key}, key=None, X_Forwarded_For="203.0.113.9")
    assert (status, api.answer.headers["Retry-After"]) == (429, "361")
    at(NOW + timedelta(minutes=10, seconds=1))
    api.sign_in(api.key)


def test_a_revoked_key_is_guessed_at_no_more_from_many_addresses(api: Api) -> None:
    for n in range(10):
        with pytest.raises(Unauthorized):
            signin.by_key("mr_once", f"192.0.2.{n}")
    with pytest.raises(Exhausted):
        signin.by_key("mr_once", "192.0.2.99")
    for n in range(30):  # signing in rightly is no failure
        assert signin.by_key(api.key, "198.51.100.1"), n


def test_no_number_of_guesses_at_once_gets_past_the_limit(
    engine: None, at: Callable[[datetime], None]
) -> None:
    at(NOW)

    def guess(n: int) -> bool:
        try:
            signin.by_key(f"mr_{n}", "192.0.2.1")
        except Unauthorized:
            return True
        except Exhausted:
            return False
        raise AssertionError

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(guess, range(48))) <= signin.LIMIT


def test_another_site_signs_nobody_in(api: Api) -> None:
    status, _ = api("POST", "/console/session", {"key": api.key}, key=None, Sec_Fetch_Site="cross-site")
    assert status == 403 and "Set-Cookie" not in api.answer.headers


def test_the_audit_says_who_changed_what_from_what_to_what(api: Api, at: Callable[[datetime], None]) -> None:
    me = auth.hashed(api.key)
    api("POST", "/api/users", {"staff_id": "lihua", "role": "guide"})
    at(NOW + timedelta(minutes=1))
    api("PATCH", "/api/users/lihua", {"role": "store_manager", "scope": {"store_ids": ["s1"]}})
    api("PATCH", "/api/users/lihua", {"role": "store_manager"})  # nothing new
    at(NOW + timedelta(days=40))
    key, key_id = api.make("auditor")
    assert api("GET", "/api/audit", key=key)[0] == 200
    _, found = api("GET", "/api/audit")
    assert [(row["action"], row["object"]) for row in found["items"]] == [
        ("keys.create", key_id),
        ("users.change", "lihua"),
        ("users.create", "lihua"),
    ]
    assert key not in json.dumps(found)
    changed = found["items"][1]
    assert changed["at"] == "2026-11-23T02:01:00.000000+00:00" and changed["actor"] == {
        "kind": "key",
        "id": me,
        "name": "root",
    }
    assert [row["object_name"] for row in found["items"]] == ["auditor", "lihua", "lihua"]
    assert changed["changes"] == [
        {"field": "role", "from": "guide", "to": "store_manager"},
        {"field": "scope.store_ids", "from": None, "to": ["s1"]},
    ]
    for query, count in [
        ("object=lihua", 2),
        (f"actor={me}", 3),
        (f"actor={me}&object=lihua", 2),
        ("actor=nobody&object=lihua", 0),
        ("to=2026-11-23T02:00:30Z", 1),
        ("action=users", 2),
        ("action=users.change", 1),
        (f"action=keys&actor={me}", 1),
        ("action=user", 0),
        ("from=2026-11-23T02:00:30Z&to=2026-12-01T00:00:00Z&object=lihua", 1),
        ("from=2026-12-01T00:00:00Z", 1),
    ]:
        assert len(api("GET", f"/api/audit?{query}")[1]["items"]) == count, query
    for query in (
        "to=2019-01-01T00:00:00Z",
        "from=2000-01-01T00:00:00Z",
        "from=2027-02-01T00:00:00Z",
        "from=x",
    ):
        assert api("GET", f"/api/audit?{query}")[0] == 422, query
    first = api("GET", "/api/audit?limit=2")[1]
    rest = api("GET", f"/api/audit?limit=2&cursor={first['next_cursor']}")[1]
    assert [row["action"] for row in rest["items"]] == ["users.create"] and rest["next_cursor"] is None


def test_a_change_that_fails_leaves_no_entry(api: Api) -> None:
    assert api("POST", "/api/users", {"staff_id": "lihua", "role": "guide"})[0] == 201
    assert api("POST", "/api/users", {"staff_id": "lihua", "role": "admin"})[0] == 409
    assert len(api("GET", "/api/audit?object=lihua")[1]["items"]) == 1


def test_of_two_who_change_a_person_the_second_is_told(api: Api) -> None:
    assert api("POST", "/api/users", {"staff_id": "lihua", "role": "guide"})[0] == 201
    assert api("GET", "/api/users/LIHUA")[1]["role"] == "guide"
    read = api.answer.headers["ETag"]
    assert api("PATCH", "/api/users/lihua", {"role": "operator"}, If_Match=read)[0] == 200
    status, clash = api("PATCH", "/api/users/lihua", {"role": "finance"}, If_Match=read)
    assert (status, clash["present"]["role"]) == (409, "operator")
    assert api("PATCH", "/api/users/lihua", {"role": "finance"})[0] == 200
    assert api("GET", "/api/users/nobody")[0] == 404
