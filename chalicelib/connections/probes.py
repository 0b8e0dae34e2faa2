"""Tests that `api` makes itself: a real call that changes nothing. Each answers a code, or None."""

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta

import urllib3
from urllib3.exceptions import HTTPError

from chalicelib.platform import clock, settings
from chalicelib.platform.errors import DomainError, Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom import crypto
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

_TIME = timedelta(seconds=8)  # a person waits
_HTTP = urllib3.Timeout(connect=3, read=6)
_SPENT = "connection-test"  # no code of WeCom's: it says so, to an app that it knows
_pool = urllib3.PoolManager(maxsize=1)


def wecom_contact() -> str | None:
    """Who may serve customers: what the secret for customers is for."""
    return _asked(lambda: wecom.default_client().get_follow_user_list(deadline=clock.now() + _TIME))


def wecom_app() -> str | None:
    """Who is behind a code that there is not: refused as spent to the app itself."""
    try:
        return _asked(lambda: wecom.default_client().getuserinfo(_SPENT, deadline=clock.now() + _TIME))
    except AnswerLost:
        return "silent"


def wecom_callback() -> str | None:
    """WeCom's own check of the address, signed with what is set here, from outside."""
    corp_id = settings.env("WECOM_CORP_ID")
    token, aes_key = settings.secret("wecom", "callback_token"), settings.secret("wecom", "callback_aes_key")
    word = secrets.token_hex(16)
    try:
        echo = crypto.encrypt(aes_key, word.encode(), corp_id)
    except (DomainError, ValueError):
        return "callback_refused"
    timestamp, nonce = str(int(clock.now().timestamp())), secrets.token_hex(8)
    query = {
        "msg_signature": crypto.sign(token, timestamp, nonce, echo),
        "timestamp": timestamp,
        "nonce": nonce,
        "echostr": echo,
    }
    answer = _get("/wecom/callback", query)
    if answer is None or answer[0] not in (200, 400, 403):
        return "callback_unreachable"
    return None if answer == (200, word) else "callback_refused"


def mall_generic() -> str | None:
    """An order message without a signature: a door that checks them refuses it."""
    answer = _ask("POST", "/mall/orders/generic", body=b"{}")
    if answer is None or answer[0] not in (401, 500):
        return "mall_unreachable"
    return None if answer[0] == 401 else "mall_unsigned"


PROBES: Mapping[str, Callable[[], str | None]] = {
    "wecom_contact": wecom_contact,
    "wecom_app": wecom_app,
    "wecom_callback": wecom_callback,
    "mall_generic": mall_generic,
}


def _asked(call: Callable[[], object]) -> str | None:
    try:
        call()
    except WeComError as error:
        return None if error.treatment is Treatment.RESTART else f"wecom_{error.errcode}"
    except AnswerLost:
        raise
    except Upstream:
        return "silent"
    return None


def _get(path: str, query: Mapping[str, str]) -> tuple[int, str] | None:
    return _ask("GET", path, query)


def _ask(
    method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
) -> tuple[int, str] | None:
    """Status and text of an answer at our own public address; None when there is none."""
    address = settings.env("PUBLIC_BASE_URL").rstrip("/") + path
    try:
        if body is None:
            response = _pool.request(
                method, address, fields=dict(query or {}), timeout=_HTTP, retries=False, redirect=False
            )
        else:
            response = _pool.request(method, address, body=body, timeout=_HTTP, retries=False, redirect=False)
    except HTTPError:
        return None
    return response.status, response.data.decode("utf-8", "replace").strip()
