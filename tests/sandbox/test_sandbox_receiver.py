"""The receiver of a transfer: who they are (the official account's OAuth), and that they tap, refuse or do nothing."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Clock, Corp
from test_sandbox_pay import pay, state

from chalicelib.platform import settings
from chalicelib.platform.errors import Unauthorized, Upstream
from chalicelib.wechatoa import client as wechatoa
from infra.sandbox import Config, Sandbox, oauth, official_account, pages

LINK = {
    "redirect_uri": "http://127.0.0.1:8000/h5/d/Ab3dE9xZ/signed-in?a=1",
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc123",
}


def signed_in(corp: Corp, **more: str) -> str:
    query = {**LINK, "appid": corp.sandbox.config.app_id, **more}
    status, _, _, headers = pages.answer(corp.sandbox, "GET", oauth.PATH, query, b"")  # type: ignore[misc]
    back = urlsplit(headers["Location"])
    given = parse_qs(back.query)
    assert (status, back.path, given["state"], given["a"]) == (
        302,
        "/h5/d/Ab3dE9xZ/signed-in",
        ["abc123"],
        ["1"],
    )
    return given["code"][0]


def who(corp: Corp, code: str, **wrong: str) -> dict[str, Any]:
    config = corp.sandbox.config
    query = {"appid": config.app_id, "secret": config.oa_secret, "code": code, **wrong}
    return official_account.answer(corp.sandbox, "/sns/oauth2/access_token", query)


def test_a_persons_code_is_good_once_for_five_minutes(corp: Corp, clock: Clock) -> None:
    code, late = signed_in(corp, openid="oOne"), signed_in(corp, openid="oOne")
    assert who(corp, code, secret="wrong")["errcode"] == 40125
    assert who(corp, code, appid="wx1")["errcode"] == 40013
    assert who(corp, code)["openid"] == "oOne"
    assert who(corp, code)["errcode"] == 40163
    clock.forward(301)
    assert who(corp, late)["errcode"] == who(corp, "x")["errcode"] == 40029
    assert official_account.answer(corp.sandbox, "/sns/other", {})["errcode"] == 40066


def test_the_unionid_comes_with_the_persons_consent_alone(corp: Corp) -> None:
    corp.actions.add(staff_id="lihua", name="小林", unionid="o6_lin")
    openid = official_account.openid_of("o6_lin")
    assert "unionid" not in who(corp, signed_in(corp, openid=openid))
    assert who(corp, signed_in(corp, openid=openid, scope="snsapi_userinfo"))["unionid"] == "o6_lin"


def test_the_page_asks_whose_wechat_it_is(corp: Corp) -> None:
    pay(corp)
    query = {**LINK, "appid": corp.sandbox.config.app_id}
    status, body, *_ = oauth.authorize(corp.sandbox, query)
    assert status == 200 and "openid=oOne" in body.decode() and "待领取" in body.decode()
    corp.sandbox.config.oauth_openid = "oTwo"
    assert who(corp, signed_in(corp))["openid"] == "oTwo"


@pytest.mark.parametrize(
    "spoil", [{"scope": "all"}, {"response_type": "token"}, {"redirect_uri": "javascript:x"}]
)
def test_a_wrong_link_leads_nowhere(corp: Corp, spoil: dict[str, str]) -> None:
    query = {**LINK, "appid": corp.sandbox.config.app_id, "openid": "oOne", **spoil}
    assert oauth.authorize(corp.sandbox, query)[0] == 400


def page(corp: Corp, path: str, method: str = "GET", raw: bytes = b"") -> tuple[int, str]:
    status, body, *_ = pages.answer(corp.sandbox, method, path, {}, raw)
    return status, body.decode()


def test_nobody_confirms_by_themselves_and_a_person_can_tap(corp: Corp, clock: Clock) -> None:
    package = pay(corp)[1]["package_info"]
    clock.forward(23 * 3600)
    assert state(corp) == "WAIT_USER_CONFIRM"
    assert package in page(corp, "/collect")[1]
    status, shown = page(corp, f"/collect/{package}")
    assert status == 200 and "¥8.80" in shown and "五月推广奖励" in shown
    assert "已收款" in page(corp, f"/collect/{package}", "POST", b"action=confirm")[1]
    assert state(corp) == "SUCCESS"
    assert "已收款" in page(corp, f"/collect/{package}", "POST", b"action=refuse")[1]
    assert package not in page(corp, "/collect")[1]


def test_a_person_can_refuse(corp: Corp) -> None:
    package, before = pay(corp)[1]["package_info"], corp.sandbox.config.pay_balance_fen
    assert "已关闭" in page(corp, f"/collect/{package}", "POST", b"action=refuse")[1]
    assert state(corp) == "FAIL"
    assert corp.sandbox.pay.balance() == before
    with pytest.raises(ValueError, match="FAIL"):
        corp.sandbox.refuse_transfer("MR1")


def test_what_is_not_there(corp: Corp) -> None:
    assert page(corp, "/collect/PKGx")[0] == 404
    assert page(corp, "/collect")[0] == 200


def test_the_products_client_asks_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(Config(run_by_itself=False))
    monkeypatch.setenv("WECHAT_API_BASE", sandbox.start())
    monkeypatch.setenv("WECHAT_OA_APP_ID", sandbox.config.app_id)
    secret = {"oa_secret": sandbox.config.oa_secret}
    monkeypatch.setitem(settings._secrets, "wechatpay_notify", (time.monotonic() + 3600, secret))
    try:
        query = {**LINK, "appid": sandbox.config.app_id, "openid": "oOne"}
        status, _, _, headers = oauth.authorize(sandbox, query)
        code = parse_qs(urlsplit(headers["Location"]).query)["code"][0]
        assert (status, wechatoa.person_of(code).openid) == (302, "oOne")
        with pytest.raises(Unauthorized):
            wechatoa.person_of(code)
        secret["oa_secret"] = "wrong"
        with pytest.raises(Upstream, match="40125"):
            wechatoa.person_of(code)
    finally:
        sandbox.stop()
