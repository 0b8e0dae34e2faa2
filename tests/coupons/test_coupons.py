"""Pools of coupon codes, and the gift in the welcome."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.contactways import service as contactways
from chalicelib.coupons import rules, service
from chalicelib.coupons.types import Upload
from chalicelib.livecodes import service as livecodes
from chalicelib.messaging import gifts
from chalicelib.messaging import service as messaging
from chalicelib.messaging.types import Add
from chalicelib.platform import storage, timeline
from chalicelib.platform.errors import Invalid, NotFound, Upstream
from chalicelib.wecom.errors import WeComError
from tests.support import notices_world
from tests.support.api import Api
from tests.support.scan_support import NOON, FakeWeCom, definition, requests


def pool_of(*codes: str, expires_at: str | None = None) -> str:
    pool_id = service.create("till", expires_at).pool_id
    if codes:
        service.load(pool_id, "\n".join(codes).encode())
    return pool_id


def test_a_pool_by_its_doors(api: Api) -> None:
    status, pool = api("POST", "/api/coupon-pools", {"name": "新人礼"})
    assert (status, pool["loaded"], pool["left"], pool["low"]) == (201, 0, 0, False)
    path = f"/api/coupon-pools/{pool['pool_id']}"
    status, told = api("POST", f"{path}/codes", "券码\nA-1\nA-2\nA-1\n".encode())
    assert (status, told["received"], told["added"], told["known"], told["loaded"]) == (200, 2, 2, 0, 2)
    assert api("POST", f"{path}/codes", b"A-2\nA-3\n")[1]["added"] == 1
    code = service.claim(pool["pool_id"], "wm1", NOON).code
    assert api("GET", path)[1] | {"loaded": 3, "given": 1, "left": 2, "low": True} == api("GET", path)[1]
    _, listed = api("GET", "/api/coupon-pools")
    assert [one["pool_id"] for one in listed["items"]] == [pool["pool_id"]]
    _, claims = api("GET", f"{path}/claims")
    assert [row["external_userid"] for row in claims["items"]] == ["wm1"]
    assert code not in json.dumps(claims)


def test_a_pool_is_changed_and_nobody_s_change_is_lost(api: Api, at: Callable[[datetime], None]) -> None:
    at(NOON)
    pool_id = pool_of("A-1", "A-2")
    path = f"/api/coupon-pools/{pool_id}"
    first = api.raw("GET", path)
    assert first.headers["ETag"] == '"1"'
    until = {"expires_at": "2027-01-31T23:59:00+08:00"}
    changed = api.raw("PATCH", path, until, If_Match='"1"')
    assert (changed.status_code, changed.headers["ETag"], changed.json_body["version"]) == (200, '"2"', 2)
    assert changed.json_body["expires_at"] == "2027-01-31T15:59:00.000000+00:00"
    status, stale = api.patch(path, {"name": "mine"}, If_Match='"1"')
    assert (status, stale["present"]) == (409, changed.json_body)
    assert api.patch(path, {"name": "last"})[1]["name"] == "last"  # nobody asked for a version
    assert api.get(path)[1]["expires_at"] == changed.json_body["expires_at"]
    at(NOON + timedelta(days=400))
    assert service.claim(pool_id, "wm1", NOON).code is None
    assert api.patch(path, {"name": "of then"})[0] == 200  # its end is past, and stays
    assert api.patch(path, {"expires_at": None})[1]["expires_at"] is None
    assert service.claim(pool_id, "wm1", NOON).code is not None


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"left": 3}, "left"),
    ],
)
def test_what_a_pool_can_not_become(api: Api, patch: dict[str, Any], field: str) -> None:
    path = f"/api/coupon-pools/{pool_of('A-1')}"
    before = api.get(path)
    status, refused = api.patch(path, patch)
    assert (status, [one["field"] for one in refused["errors"]]) == (422, [field])
    assert api.get(path) == before
    assert api.patch("/api/coupon-pools/cp_none", {"name": "x"})[0] == 404


def test_two_change_a_pool_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """| A: name | B: end |
    |---|---|
    | reads the pool | |
    | | reads and writes it |
    | writes: refused, reads again, writes | |
    """
    pool_id = pool_of("A-1")
    read, others = (
        service._read_state,
        [lambda: service.change(pool_id, {"expires_at": "2099-01-01T00:00:00Z"})],
    )

    def read_then_lose(*given: Any) -> Any:
        state = read(*given)
        while others:
            others.pop()()
        return state

    monkeypatch.setattr(service, "_read_state", read_then_lose)
    service.change(pool_id, {"name": "A's"})
    pool = service.get(pool_id)
    assert (pool.name, pool.expires_at) == ("A's", "2099-01-01T00:00:00.000000+00:00")


def test_pools_are_counted_sorted_and_found_and_their_claims_are_newest_first(
    api: Api, at: Callable[[datetime], None]
) -> None:
    for minute, name in enumerate(("会员日礼券", "新人礼券", "Spring")):
        at(NOON + timedelta(minutes=minute))
        pool_of(f"{name[-1]}-{minute}" if name.isascii() else f"C{minute}")
        api("POST", "/api/coupon-pools", {"name": name})

    def names(query: str) -> list[str]:
        return [row["name"] for row in api("GET", f"/api/coupon-pools?{query}")[1]["items"]]

    asked = requests()
    _, listed = api("GET", "/api/coupon-pools?limit=2")
    assert (listed["total"], listed["total_is"]) == (6, "exact") and asked.count("Query") == 1
    assert asked.count("BatchGetItem") == 1
    assert names("sort=created_at&q=xrl") == ["新人礼券"] and names("q=LQ") == ["新人礼券", "会员日礼券"]
    assert names("sort=name") == ["Spring", "till", "till", "till", "会员日礼券", "新人礼券"]
    pool_id = pool_of(*(f"Z{n}" for n in range(9)))
    for minute, person in enumerate(("wm3", "wm1", "wm2")):
        service.claim(pool_id, person, NOON + timedelta(minutes=minute))
    _, first = api("GET", f"/api/coupon-pools/{pool_id}/claims?limit=2")
    assert [row["external_userid"] for row in first["items"]] == ["wm2", "wm1"]
    assert (first["total"], first["total_is"]) == (2, "at_least")
    _, last = api("GET", f"/api/coupon-pools/{pool_id}/claims?limit=2&cursor={first['next_cursor']}")
    assert [row["external_userid"] for row in last["items"]] == ["wm3"]
    assert (last["total"], last["total_is"], last["next_cursor"]) == (3, "exact", None)


def test_bad_uploads_add_nothing(api: Api) -> None:
    pool_id = pool_of()
    path = f"/api/coupon-pools/{pool_id}/codes"
    for body, field in ((b"A\nb c\n", "line 2"), (b"", "codes"), (b"\xff\xfe", "codes")):
        status, problem = api("POST", path, body)
        assert (status, problem["errors"][0]["field"]) == (422, field)
        assert problem["errors"][0]["params"].get("line") == (2 if field == "line 2" else None)
    assert api("POST", path, "\n".join(f"{n:06}" for n in range(100_001)).encode())[0] == 422
    assert service.get(pool_id).loaded == 0
    assert api("POST", "/api/coupon-pools/cp_none/codes", b"A")[0] == 404
    assert api("GET", "/api/coupon-pools/cp_none")[0] == 404
    assert api("GET", "/api/coupon-pools/cp_none/claims")[0] == 404
    assert api("POST", "/api/coupon-pools", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"})[0] == 422


def test_a_load_cut_in_half_is_finished_by_its_repeat(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pool that has no room for half as many again."""
    monkeypatch.setattr(rules, "MAX_POOL", 100)
    pool_id, upload = pool_of(), "\n".join(f"C{n:03}" for n in range(100))
    real, left = storage.Transaction.commit, [3]

    def dying(self: storage.Transaction) -> None:
        if not left[0]:
            raise ConnectionError("killed")
        left[0] -= 1
        real(self)

    with monkeypatch.context() as patch:
        patch.setattr(storage.Transaction, "commit", dying)
        with pytest.raises(ConnectionError):
            service.load(pool_id, upload.encode())
    half = service.get(pool_id).loaded
    assert 0 < half < 100
    assert service.load(pool_id, upload.encode()) == Upload(received=100, added=100 - half, known=half)
    with pytest.raises(Invalid):
        service.load(pool_id, f"{upload}\nC100".encode())
    got = {service.claim(pool_id, f"wm{n}", NOON).code for n in range(100)}
    assert got == set(upload.split("\n"))


def test_a_claim_is_three_requests_and_asking_again_is_one(wecom: FakeWeCom) -> None:
    pool_id = pool_of(*(f"C{n}" for n in range(300)))
    asked = requests()
    first = service.claim(pool_id, "wm1", NOON)
    assert first.new and asked == ["BatchGetItem", "Query", "TransactWriteItems"]
    asked.clear()
    assert service.claim(pool_id, "wm1", NOON + timedelta(days=1)) == service.Claim(first.code)
    assert asked == ["BatchGetItem"]
    (line,), _ = timeline.read("wm1")
    assert (line["type"], line["data"]) == ("coupon_given", {"pool_id": pool_id})


def test_killed_before_the_claim_no_code_is_lost(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    pool_id = pool_of("ONLY")

    def dies(self: storage.Transaction) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(storage.Transaction, "commit", dies)
        with pytest.raises(ConnectionError):
            service.claim(pool_id, "wm1", NOON)
    assert service.claim(pool_id, "wm1", NOON).code == "ONLY"
    assert service.claim(pool_id, "wm2", NOON).code is None


def test_an_empty_an_expired_and_no_pool_have_no_code(
    wecom: FakeWeCom, at: Callable[[datetime], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert service.claim(pool_of(), "wm1", NOON).code is None
    assert "CouponPoolEmpty" in capsys.readouterr().out
    assert service.claim("cp_none", "wm1", NOON).code is None
    pool_id = pool_of("A", "B", expires_at="2026-12-01T00:00:00+08:00")
    assert service.claim(pool_id, "wm1", NOON).code
    assert "CouponPoolLow" in capsys.readouterr().out
    at(datetime.fromisoformat("2026-12-01T00:00:00+08:00"))
    assert service.claim(pool_id, "wm2", NOON).code is None
    assert service.claim(pool_id, "wm1", NOON).code  # what was given stays given


# The gift in the welcome.

TEXT = "您好 {customer_name}，新人礼券 {coupon_code}"


def code_with_gift(pool_id: str) -> str:
    given = definition(
        {"staff_id": "lihua"},
        welcome={"text": TEXT, "attachments": []},
        gift={"pool_id": pool_id, "empty_text": "（已领完）"},
    )
    return livecodes.create(given).live_code_id


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The state of a code's contact way, without making one."""

    def of(live_code_id: str) -> str:
        way = contactways.Way("mrst1", live_code_id, "lihua", "https://qr")
        monkeypatch.setattr(contactways, "find_way", lambda state: way if state == "mrst1" else None)
        return "mrst1"

    return of


def message(n: int = 1, state: str = "mrst1") -> dict[str, Any]:
    at = NOON.isoformat()
    return {
        "code": f"W{n}",
        "external_userid": "wm1",
        "staff_id": "lihua",
        "state": state,
        "at": at,
        "received_at": at,
    }


def test_the_welcome_carries_the_persons_code_and_a_second_add_the_same(
    wecom: FakeWeCom, state: Callable[[str], str], sent: list[Any], logged: io.StringIO
) -> None:
    pool_id = pool_of("SECRET-1", "SECRET-2")
    state(code_with_gift(pool_id))
    sent.clear()
    messaging.welcome(message(1))
    messaging.welcome(message(2))
    code = service.claim(pool_id, "wm1", NOON).code
    assert wecom.welcomes == [f"您好 赵敏，新人礼券 {code}"] * 2
    assert sent == [] and service.get(pool_id).given == 1
    lines, _ = timeline.read("wm1")
    assert sorted(line["type"] for line in lines) == ["coupon_given", "welcome_sent", "welcome_sent"]
    assert "SECRET" not in json.dumps(lines) + logged.getvalue()


def test_an_empty_pool_has_its_text(wecom: FakeWeCom, state: Callable[[str], str], sent: list[Any]) -> None:
    state(code_with_gift(pool_of()))
    sent.clear()
    messaging.welcome(message())
    assert wecom.welcomes == ["您好 赵敏，新人礼券 （已领完）"] and sent == []


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_a_pool_that_does_not_answer_costs_no_welcome_and_the_guide_brings_the_code(
    how: str, wecom: FakeWeCom, state: Callable[[str], str], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    pool_id = pool_of("SECRET-1")
    state(code_with_gift(pool_id))
    sent.clear()
    over = threading.Event()

    def claim(*_: Any) -> Any:
        if how == "hangs":
            over.wait(20)
        raise Upstream("down")

    with monkeypatch.context() as patch:
        patch.setattr(gifts, "_SECONDS", 0.2)
        patch.setattr(service, "claim", claim)
        messaging.welcome(message())
    over.set()
    assert wecom.welcomes == ["您好 赵敏，新人礼券 （已领完）"]
    ((queue, work, _),) = sent
    assert queue == "push" and work["kind"] == "gift"
    from chalicelib.platform.works import do as pushed

    pushed(work)
    pushed(work)  # the queue may hand it out twice
    notices_world.work(sent)
    assert len(wecom.messages) == 1
    assert {task["touser"] for task in wecom.messages} == {"lihua"}
    assert all(
        "SECRET-1" in task["text"]["content"] and task["enable_duplicate_check"] for task in wecom.messages
    )
    assert service.get(pool_id).given == 1


@pytest.mark.parametrize(("errcode", "owed"), [(41051, True), (41050, True), (41053, False)])
def test_a_code_in_a_welcome_that_may_not_have_arrived_is_brought(
    errcode: int, owed: bool, wecom: FakeWeCom, state: Callable[[str], str], sent: list[Any]
) -> None:
    state(code_with_gift(pool_of("SECRET-1")))
    sent.clear()
    wecom.fail["send_welcome_msg"] = [WeComError("send_welcome_msg", errcode)]
    messaging.welcome(message())
    assert [work["kind"] for queue, work, _ in sent if queue == "push"] == (["gift"] if owed else [])


def test_a_gift_needs_its_pool_and_its_place(wecom: FakeWeCom) -> None:
    pool_id = pool_of()
    gift = {"pool_id": pool_id, "empty_text": ""}
    for given, field in (
        ({"gift": {**gift, "pool_id": "cp_none"}, "welcome": {"text": TEXT}}, "gift.pool_id"),
        ({"gift": gift, "welcome": {"text": "您好"}}, "welcome.text"),
        ({"gift": gift}, "welcome.text"),
        ({"welcome": {"text": TEXT}}, "gift"),
    ):
        with pytest.raises(Invalid) as error:
            livecodes.create(definition({"staff_id": "a"}, **given))
        assert [name for name, _ in error.value.errors] == [field]


def test_nothing_is_asked_of_pools_where_there_is_no_gift(wecom: FakeWeCom) -> None:
    with pytest.raises(NotFound):
        service.get("cp_none")
    asked = requests()
    assert gifts.find(msgspec.convert(message(), Add), "lc_22222222", "您好") == gifts.Gift()
    assert asked == []
