"""Tokens and limits as wecom-api.md §3 and §5.1 have them."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.sandbox.faults import Fault, Faults

USER = ("user/get", {"userid": "lihua"})


def get(corp: Any, token: str | None) -> int:
    query = {"userid": "lihua"} | ({"access_token": token} if token is not None else {})
    return int(corp.raw("GET", "user/get", query)[1]["errcode"])


def test_a_token_lives_two_hours_and_is_the_same_all_that_time(corp: Any) -> None:
    first = corp.raw(
        "GET", "gettoken", {"corpid": corp.sandbox.config.corp_id, "corpsecret": "sandbox-app-secret"}
    )
    token = first[1]["access_token"]
    assert first[1]["expires_in"] == 7200
    corp.clock.forward(7199)
    assert corp.token() == token
    assert get(corp, token) == 0
    corp.clock.forward(1)
    assert get(corp, token) == 42001
    assert corp.token() != token
    assert get(corp, corp.token()) == 0


@pytest.mark.parametrize(("how", "code"), [("expired", 42001), ("invalid", 40014)])
def test_the_platform_may_kill_tokens_early(corp: Any, how: str, code: int) -> None:
    token = corp.token()
    assert corp.sandbox.kill_tokens(how) == 1
    assert get(corp, token) == code
    assert corp.token() != token


def test_no_token_and_a_made_up_one(corp: Any) -> None:
    assert get(corp, None) == 41001
    assert get(corp, "") == 41001
    assert get(corp, "made-up") == 40014


def test_a_token_in_the_body_does_not_count(corp: Any) -> None:
    body = b'{"config_id": "x", "access_token": "%s"}' % corp.token().encode()
    assert corp.raw("POST", "externalcontact/get_contact_way", {}, body)[1]["errcode"] == 41001


def test_wrong_secrets_and_the_ban(make: Callable[..., Any]) -> None:
    corp = make(wrong_secret_ban_after=3)
    corp_id = corp.sandbox.config.corp_id
    assert corp.raw("GET", "gettoken", {"corpid": "wwother", "corpsecret": "x"})[1]["errcode"] == 40013
    wrong = {"corpid": corp_id, "corpsecret": "wrong"}
    assert [corp.raw("GET", "gettoken", wrong)[1]["errcode"] for _ in range(4)] == [40001] * 3 + [45009]
    right = {"corpid": corp_id, "corpsecret": corp.sandbox.config.secret}
    assert corp.raw("GET", "gettoken", right)[1]["errcode"] == 45009
    corp.clock.forward(3600)
    assert corp.raw("GET", "gettoken", right)[1]["errcode"] == 0


def test_the_contact_secret_has_its_own_token_and_no_app_messages(make: Callable[..., Any]) -> None:
    corp = make(contact_secret="contact")
    token = corp.token("contact")
    assert token != corp.token()
    assert get(corp, token) == 0
    body = b'{"touser": "lihua", "msgtype": "text", "agentid": 1000002, "text": {"content": "x"}}'
    assert corp.raw("POST", "message/send", {"access_token": token}, body)[1]["errcode"] == 301002
    assert corp.raw("POST", "message/send", {"access_token": corp.token()}, body)[1]["errcode"] == 0


def test_wrong_method_and_unknown_endpoint(corp: Any) -> None:
    assert corp.raw("POST", "user/get", {"access_token": corp.token()})[1]["errcode"] == 43001
    assert corp.raw("GET", "message/send", {"access_token": corp.token()})[1]["errcode"] == 43002
    status, answer = corp.raw("GET", "no/such", {"access_token": corp.token()})
    assert (status, answer["errcode"]) == (200, 48002)  # as WeCom has it: never an HTTP error


def test_an_error_is_worded_as_wecom_does(corp: Any) -> None:
    answer = corp.raw("GET", "user/get", {"access_token": corp.token()})[1]
    assert answer["errcode"] == 40063
    assert answer["errmsg"].startswith("some parameters are empty, userid, hint: [")
    assert "from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com" in answer["errmsg"]
    wrong = corp.raw("POST", "message/send", {"access_token": corp.token()}, b"{")[1]
    assert wrong["errcode"] == 40058 and "Warning: wrong json format." in wrong["errmsg"]


def around(corp: Any, path: str, ip: str = "1.1.1.1") -> int:
    return int(corp.sandbox.wecom.limits.around(path, ip, lambda: (200, {"errcode": 0}))[1]["errcode"])


def test_the_rate_is_per_endpoint_and_blocks_for_the_window(make: Callable[..., Any]) -> None:
    corp = make(rate_per_minute=2)
    assert [around(corp, "/a") for _ in range(3)] == [0, 0, 45009]
    assert around(corp, "/b") == 0
    corp.clock.forward(59)
    assert around(corp, "/a") == 45009
    corp.clock.forward(2)
    assert around(corp, "/a") == 0


def test_concurrency(make: Callable[..., Any]) -> None:
    corp = make(concurrency=1)
    inside: list[int] = []
    limits = corp.sandbox.wecom.limits
    assert (
        limits.around("/a", "", lambda: (inside.append(around(corp, "/a")), (200, {"errcode": 0}))[1])[0]
        == 200
    )
    assert inside == [45033]
    assert around(corp, "/a") == 0


def test_untrusted_address(make: Callable[..., Any]) -> None:
    corp = make(allowed_ips=["2.2.2.2"])
    assert around(corp, "/a") == 60020
    assert around(corp, "/a", "2.2.2.2") == 0


def test_a_fault_hits_as_often_as_it_says_where_it_says() -> None:
    faults = Faults(1)
    faults.add(Fault("mark_tag", "errcode", -1, times=2))
    faults.add(Fault("", "latency", 1, times=None))
    hit = [[f.kind for f in faults.take(path)] for path in ("/mark_tag", "/get", "/mark_tag", "/mark_tag")]
    assert hit == [["errcode", "latency"], ["latency"], ["errcode", "latency"], ["latency"]]
    assert faults.clear() == 1
    assert faults.take("/get") == []


def test_a_fault_by_chance_is_the_same_for_the_same_seed() -> None:
    def run(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault("", "drop", times=None, probability=0.5))
        return [bool(faults.take("/x")) for _ in range(50)]

    assert run(1) == run(1)
    assert 10 < sum(run(1)) < 40
    assert run(1) != run(2)


@pytest.mark.parametrize("bad", [{"kind": "odd"}, {"kind": "errcode"}, {"kind": "drop", "probability": 2}])
def test_a_fault_that_makes_no_sense(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Faults(1).add(Fault("x", **bad))
