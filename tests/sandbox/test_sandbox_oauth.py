"""Signing in at the sandbox as at open.weixin.qq.com."""

from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Clock, Corp

from infra.sandbox import oauth, pages

LINK = {
    "redirect_uri": "http://127.0.0.1:8000/h5/login?a=1",
    "response_type": "code",
    "scope": "snsapi_base",
    "state": "abc123",
}


def test_a_code_is_good_once_for_five_minutes(corp: Corp, clock: Clock) -> None:
    query = {**LINK, "appid": corp.sandbox.config.corp_id, "member": "lihua"}

    def code() -> str:
        status, _, _, headers = pages.answer(corp.sandbox, "GET", oauth.PATH, query, b"")  # type: ignore[misc]
        back = urlsplit(headers["Location"])
        given = parse_qs(back.query)
        assert (status, back.path, given["state"], given["a"]) == (302, "/h5/login", ["abc123"], ["1"])
        return given["code"][0]

    first, late = code(), code()
    assert corp("auth/getuserinfo", code=first)["userid"] == "lihua"
    assert corp.code("auth/getuserinfo", code=first) == 42022
    clock.forward(301)
    assert corp.code("auth/getuserinfo", code=late) == 40029


def test_the_page_asks_who_it_is_unless_it_is_set(corp: Corp) -> None:
    query = {**LINK, "appid": corp.sandbox.config.corp_id}
    corp.world.staff("lihua")
    status, body, *_ = oauth.authorize(corp.sandbox, query)
    assert status == 200 and "member=lihua" in body.decode()
    corp.sandbox.config.oauth_member = "wangwu"
    assert oauth.authorize(corp.sandbox, query)[0] == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"appid": "ww0"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": ""},
        {"state": "a-b"},
        {"state": "a" * 129},
        {"agentid": "1"},
        {"member": "!"},
    ],
    ids=str,
)
def test_a_wrong_link_is_told_and_leads_nowhere(corp: Corp, wrong: dict[str, str]) -> None:
    query = {**LINK, "appid": corp.sandbox.config.corp_id, "member": "lihua", **wrong}
    status, _, _, headers = oauth.authorize(corp.sandbox, query)
    assert status == 400 and "Location" not in headers
