"""Tests that the function `payout` makes, which alone has the merchant's private key: work of its queue."""

from collections.abc import Callable

from chalicelib.platform import connections, ids, settings
from chalicelib.platform.errors import Unauthorized, Upstream
from chalicelib.wechatoa import client as wechatoa
from chalicelib.wechatpay import client as wechatpay

_SECRETS = {
    "wechatpay": (
        ("wechatpay", "private_key"),
        ("wechatpay_notify", "public_key"),
        ("wechatpay_notify", "apiv3_key"),
    ),
    "wechat_oa": (("wechatpay_notify", "oa_secret"),),
}


def test(connection: str) -> None:
    """Make the test, and note what came of it."""
    known = {name: _is_set(group, name) for group, name in _SECRETS[connection]}
    code = _PROBES[connection]() if all(known.values()) else "not_set"
    connections.note_test(connection, code, known)


def _wechatpay() -> str | None:
    """What became of a transfer that there never was: WeChat says, signed, that it has none."""
    try:
        wechatpay.default_client().query(f"TEST{ids.short(20)}")
    except wechatpay.TransferRejected as error:
        return _pay_code(error.code)
    except wechatpay.Unknown as error:
        return _pay_code(error.code) if error.code else "pay_untrusted"
    except (settings.Missing, ValueError):  # a key that is none
        return "not_set"
    return None


def _pay_code(code: str) -> str:
    return f"pay_{code}" if code in ("NO_AUTH", "SIGN_ERROR", "INVALID_REQUEST") else "pay_refused"


def _wechat_oa() -> str | None:
    """Whom a code is of that WeChat never gave out: it says so, to an account that it knows."""
    try:
        wechatoa.person_of("connection-test")
    except Unauthorized:
        return None
    except wechatoa.Refused as error:
        return f"oa_{error.errcode}" if error.errcode in (40013, 40125, 40164) else "oa_refused"
    except Upstream:
        return "silent"
    return None


_PROBES: dict[str, Callable[[], str | None]] = {"wechatpay": _wechatpay, "wechat_oa": _wechat_oa}


def _is_set(group: str, name: str) -> bool:
    try:
        return bool(settings.secret(group, name, ""))
    except settings.Missing:
        return False
