"""养号: a new account gets fewer customers a day, over all codes; its doors, and what a scan does of it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from chalice.test import Client

from app import app
from chalicelib.assignments import caps, confirmation
from chalicelib.assignments import lapse as lapses
from chalicelib.assignments import service as assignment_service
from chalicelib.assignments import types as assignment_types
from chalicelib.assignments.models import account_key
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.storage import Transaction
from chalicelib.roster import service as roster
from chalicelib.scans import service as scan_service
from chalicelib.staff import ramps
from chalicelib.staff import service as staff
from chalicelib.staff.types import RampStep, StaffLimits
from chalicelib.wecom.errors import WeComError
from tests.support.api import Api
from tests.support.scan_support import DAY, NOON, FakeWeCom, definition, new_process, requests

At = Callable[[datetime], None]
Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


@pytest.fixture
def call(wecom: FakeWeCom) -> Iterator[Call]:
    key = auth.create_key("test", "admin")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    with Client(app) as client:

        def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            raw = b"" if body is None else json.dumps(body).encode()
            answer = getattr(client.http, method.lower())(path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        yield ask


def limit(staff_id: str, started_at: str | None, daily_cap: int | None) -> None:
    roster.limit(staff_id, StaffLimits(started_at=started_at, daily_cap=daily_cap), SYSTEM)


def account(staff_id: str, day: str = DAY) -> int:
    key = account_key(staff_id), day
    return caps.read([key]).get(key, caps.NOTHING).taken


def test_a_new_accounts_cap_is_over_all_codes_and_says_ramp(wecom: FakeWeCom, at: At) -> None:
    roster.set_ramp([RampStep(3, 3), RampStep(7, 5)])
    limit("a", DAY, None)
    one = livecodes.create(definition({"staff_id": "a"}, fallback=("f",)))
    other = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    got = [scan_service.scan(one.code) for _ in range(2)]
    assert [scan_service.scan(other.code).staff_id for _ in range(4)].count("a") == 1
    last = scan_service.scan(one.code)
    assert last.staff_id == "f"
    told = msgspec.to_builtins(assignment_service.get(str(last.assignment_id)))
    assert told["why"]["ramp"] == ["a"] and "新号当天已达上限：a" in told["text"].replace("A女士", "a")
    assert account("a") == 3
    assert lapses.lapse(one.live_code_id, "a", str(got[0].assignment_id))
    assert account("a") == 2
    assert scan_service.scan(one.code).staff_id == "a"
    at(NOON + timedelta(days=3))  # the fourth day
    assert Counter(scan_service.scan(one.code).staff_id for _ in range(7)) == {"a": 5, "f": 2}
    at(NOON + timedelta(days=7))  # grown up
    assert {scan_service.scan(one.code).staff_id for _ in range(7)} == {"a"}
    assert account("a", "2026-11-30") == 0  # and costs nothing


def test_who_is_grown_up_costs_nothing_and_all_others_a_request_a_minute(wecom: FakeWeCom, at: At) -> None:
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}))
    limit("b", DAY, 50)
    for _ in range(2):
        scan_service.scan(code.code)
    at(NOON + timedelta(minutes=11))
    scan_service.scan(code.code)
    asked = requests()
    at(NOON + timedelta(minutes=11, seconds=59))
    scan_service.scan(code.code)
    assert asked == ["UpdateItem", "TransactWriteItems"]
    at(NOON + timedelta(minutes=23))
    asked.clear()
    scan_service.scan(code.code)
    assert asked == ["UpdateItem", "BatchGetItem", "TransactWriteItems"]


def test_an_add_without_a_scan_counts_too(wecom: FakeWeCom) -> None:
    limit("a", None, 2)
    code = livecodes.create(definition({"staff_id": "a"}, fallback=("f",)))
    for person in ("wm1", "wm2"):
        tx = Transaction()
        assert confirmation.confirm(tx, code, "a", person, NOON) is None
        tx.commit()
    assert account("a") == 2
    assert scan_service.scan(code.code).staff_id == "f"


def test_an_account_is_one_however_it_is_spelt(wecom: FakeWeCom) -> None:
    limit("LiHua", None, 1)
    codes = [livecodes.create(definition({"staff_id": one}, fallback=("f",))) for one in ("LiHua", "lihua")]
    assert [scan_service.scan(code.code).staff_id for code in codes] == ["lihua", "f"]
    limit("lihua", None, None)
    ramps.forget()
    assert scan_service.scan(codes[1].code).staff_id == "lihua"


def test_a_cap_of_nought_and_nobody_else_is_closed(wecom: FakeWeCom) -> None:
    limit("a", None, 0)
    code = livecodes.create(definition({"staff_id": "a"}))
    assert scan_service.scan(code.code) == assignment_types.CLOSED
    told = msgspec.to_builtins(assignment_service.would_get(code.live_code_id))
    assert (told["kind"], told["why"]["ramp"]) == ("closed", ["a"])


@pytest.mark.slow
def test_many_scans_of_two_codes_at_once_never_overshoot_the_account(
    engine: str, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    limit("a", DAY, 17)
    codes = [livecodes.create(definition({"staff_id": "a"}, fallback=("f",))) for _ in range(2)]
    with ThreadPoolExecutor(12) as threads:
        got = list(threads.map(lambda n: scan_service.scan(codes[n % 2].code).staff_id, range(60)))
    assert Counter(got) == {"a": 17, "f": 43}
    assert account("a") == 17
    new_process()


def test_who_limits_an_account_that_another_has_limited_sees_it_first(wecom: FakeWeCom, at: At) -> None:
    at(NOON)
    staff.learn("lihua")
    with Client(app) as client:
        api = Api(client)
        seen = api.raw("GET", "/api/staff/lihua").headers["ETag"]
        limited = api.raw("PUT", "/api/staff/lihua", {"started_at": "2026-11-22"}, If_Match=seen)
        assert (limited.status_code, limited.headers["ETag"] != seen) == (200, True)
        status, stale = api.put("/api/staff/lihua", {"daily_cap": 0}, If_Match=seen)
        assert (status, stale["present"]["started_at"]) == (409, "2026-11-22")
        staff.learn("lihua")  # what WeCom says of them is no change of what is set here
        assert api.put("/api/staff/lihua", {"daily_cap": 0}, If_Match=limited.headers["ETag"])[0] == 200
        assert api.put("/api/staff/lihua", {"daily_cap": 9})[1]["daily_cap"] == 9  # asked for no version


def test_the_doors_of_staff(call: Call, wecom: FakeWeCom, at: At) -> None:
    status, table = call("GET", "/api/staff/ramp")
    assert (status, table["steps"][0]) == (200, {"until_day": 3, "daily_cap": 20})
    steps = [{"until_day": 2, "daily_cap": 5}]
    assert call("PUT", "/api/staff/ramp", {"steps": steps}) == (200, {"steps": steps})
    assert call("GET", "/api/staff/ramp")[1] == {"steps": steps}
    status, made = call("PUT", "/api/staff/lihua", {"started_at": "2026-11-22", "daily_cap": None})
    assert (status, made["name"], made["cap_today"]) == (200, "Lihua女士", 5)
    staff.learn("wangwu")
    at(NOON + timedelta(days=2))
    staff.learn("lihua")  # what WeCom tells anew leaves the limits alone
    assert call("GET", "/api/staff/lihua")[1] == {
        "staff_id": "lihua",
        "name": "Lihua女士",
        "status": 1,
        "problem": None,
        "started_at": "2026-11-22",
        "daily_cap": None,
        "cap_today": None,
        "stores": [],
    }
    _, listed = call("GET", "/api/staff?limit=1")
    _, rest = call("GET", f"/api/staff?limit=1&cursor={listed['next_cursor']}")
    assert [row["staff_id"] for row in (*listed["items"], *rest["items"])] == ["lihua", "wangwu"]
    assert call("PUT", "/api/staff/lihua", {})[1]["started_at"] is None
    assert ramps.caps(["lihua"], NOON) == {}


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("/api/staff/ramp", {"steps": [{"until_day": 0, "daily_cap": 1}]}, 422, "steps[0].until_day"),
        ("/api/staff/ramp", {"steps": [{"until_day": 2, "daily_cap": 1}] * 2}, 422, "steps[1].until_day"),
        ("/api/staff/ramp", {}, 422, "steps"),
        ("/api/staff/a", {"started_at": "2026-02-30"}, 422, "started_at"),
        ("/api/staff/a", {"started_at": "yesterday"}, 422, "started_at"),
        ("/api/staff/a", {"daily_cap": -1}, 422, "daily_cap"),
        ("/api/staff/%23ramp", {}, 404, None),
        ("/api/staff/nobody", {}, 404, None),
    ],
)
def test_bad_input_changes_nothing(
    call: Call, wecom: FakeWeCom, path: str, body: Any, status: int, field: str | None
) -> None:
    if path.endswith("nobody"):
        told = WeComError("user/get", 60111)
        wecom.user_get = lambda *_, **__: (_ for _ in ()).throw(told)  # type: ignore[method-assign]
    got, problem = call("PUT", path, body)
    assert got == status
    assert field is None or problem["errors"][0]["field"] == field
    assert call("GET", "/api/staff/ramp")[1]["steps"][0] == {"until_day": 3, "daily_cap": 20}
    assert call("GET", "/api/staff/nobody")[0] == 404
