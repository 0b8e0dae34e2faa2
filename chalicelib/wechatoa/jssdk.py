"""What a page needs for the JS-SDK (wx.config): a signature over its own address, with the account's ticket.

The token is the stable one (稳定版接口调用凭据): it leaves the tokens alone that other programs of the same
account use, and asking again gives the same one, so each process keeps its own copy.
"""

import hashlib
import time
from threading import Lock
from typing import Any

from msgspec import Struct

from chalicelib.platform import clock, ids, settings
from chalicelib.platform.errors import Upstream
from chalicelib.wechatoa import client

SCRIPT = "https://res.wx.qq.com/open/js/jweixin-1.6.0.js"
_EARLIER = 300  # seconds: a ticket is let go of so long before it ends
_lock = Lock()
_kept: dict[str, tuple[float, str]] = {}  # AppID → until when, the ticket


class PageConfig(Struct, frozen=True):
    app_id: str
    timestamp: int
    nonce: str
    signature: str


def config_of(url: str) -> PageConfig:
    """For the page at that address, without its fragment. Upstream."""
    timestamp, nonce = int(clock.now().timestamp()), ids.short(16)
    app_id = settings.env("WECHAT_OA_APP_ID")
    return PageConfig(app_id, timestamp, nonce, sign(_ticket(app_id), nonce, timestamp, url))


def sign(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()  # as WeChat has it


def _ticket(app_id: str) -> str:
    with _lock:
        until, ticket = _kept.get(app_id, (0.0, ""))
        if time.monotonic() < until:
            return ticket
        answer = client.ask(
            "GET", "/cgi-bin/ticket/getticket", {"access_token": _token(app_id), "type": "jsapi"}
        )
        ticket = _text(answer, "ticket")
        _kept[app_id] = (time.monotonic() + int(answer.get("expires_in", 0)) - _EARLIER, ticket)
        return ticket


def _token(app_id: str) -> str:
    secret = settings.secret("wechatpay_notify", "oa_secret")
    asked = {"grant_type": "client_credential", "appid": app_id, "secret": secret}
    return _text(client.ask("POST", "/cgi-bin/stable_token", body=asked), "access_token")


def _text(answer: dict[str, Any], name: str) -> str:
    if not answer.get(name):
        raise Upstream(code="wechat_refused", errcode=answer.get("errcode"))
    return str(answer[name])
