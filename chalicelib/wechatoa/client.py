"""Web sign-in by the official account (网页授权): to WeChat with a state, back with a code, then the openid.

The openid is under WECHAT_OA_APP_ID, which must be WECHATPAY_APP_ID for a transfer to reach the person.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from msgspec import Struct
from urllib3.exceptions import HTTPError

from chalicelib.platform import connections, settings
from chalicelib.platform.errors import Unauthorized, Upstream

AUTHORIZE_HOST = "https://open.weixin.qq.com"
API_HOST = "https://api.weixin.qq.com"
_CONNECT, _READ = 2.0, 4.0  # seconds; a person waits
_SPENT = {40029, 40163, 41008, 42003}  # a code that is wrong, used, missing, too old
_pool = urllib3.PoolManager(maxsize=2)

# At DEBUG urllib3 writes whole URLs, and the secret stands in one.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Person(Struct, frozen=True):
    openid: str


class Refused(Upstream):
    """WeChat gave an `errcode` that is no fault of the person's."""

    def __init__(self, errcode: object):
        self.errcode = errcode
        super().__init__(code="wechat_refused", errcode=errcode)


def is_set_up() -> bool:
    return bool(settings.env("WECHAT_OA_APP_ID", ""))


def is_sandbox() -> bool:
    """Whether sign-in is elsewhere than at WeChat, where a browser needs not be WeChat's own."""
    return settings.env("WECOM_OAUTH_BASE", AUTHORIZE_HOST) != AUTHORIZE_HOST


def authorize_url(redirect_uri: str, state: str) -> str:
    """Where the browser is sent. It answers silently: nothing but the openid is asked for."""
    query = {
        "appid": settings.env("WECHAT_OA_APP_ID"),
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": state,
    }
    base = settings.env("WECOM_OAUTH_BASE", AUTHORIZE_HOST)
    return f"{base}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"


def person_of(code: str) -> Person:
    """Whom WeChat's code is of. Unauthorized: begin again; Upstream."""
    query = {
        "appid": settings.env("WECHAT_OA_APP_ID"),
        "secret": settings.secret("wechatpay_notify", "oa_secret"),
        "code": code,
        "grant_type": "authorization_code",
    }
    answer = ask("GET", "/sns/oauth2/access_token", query)
    if answer.get("errcode") in _SPENT or answer.get("openid"):
        connections.note_success("wechat_oa")
    if answer.get("errcode") in _SPENT:
        raise Unauthorized(code="wechat_sign_in_over")
    if not answer.get("openid"):
        raise Refused(answer.get("errcode"))
    return Person(str(answer["openid"]))


def ask(method: str, path: str, query: Mapping[str, str] | None = None, body: Any = None) -> dict[str, Any]:
    """WeChat's answer, refusals (`errcode`) included. Upstream when there is none."""
    address = settings.env("WECHAT_API_BASE", API_HOST) + path + (f"?{urlencode(query)}" if query else "")
    try:
        response = _pool.request(
            method,
            address,
            json=body,
            timeout=urllib3.Timeout(connect=_CONNECT, read=_READ),
            retries=False,
            redirect=False,
        )
        answer = json.loads(response.data)
    except (HTTPError, ValueError):
        raise Upstream(code="wechat_silent") from None
    if not isinstance(answer, dict):
        raise Upstream(code="wechat_silent")
    return answer
