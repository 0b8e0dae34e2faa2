"""What is set, what was last heard, and a test by a button. No value of a setting leaves this module."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast, get_args

from chalicelib.connections import messages as words
from chalicelib.connections import probes, rules
from chalicelib.connections.rules import Heard
from chalicelib.connections.types import Connection, Name, Problem, Refused, Setting
from chalicelib.platform import clock, connections, messages, queues, settings
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.messages import Language

NAMES: tuple[Name, ...] = get_args(Name)
_WEEK = timedelta(days=6)
_PLAIN = {  # of the environment
    "wecom_contact": ("WECOM_CORP_ID",),
    "wecom_app": ("WECOM_CORP_ID", "WECOM_AGENT_ID"),
    "wecom_callback": ("WECOM_CORP_ID",),
    "wechatpay": (
        *("WECHATPAY_MCH_ID", "WECHATPAY_APP_ID", "WECHATPAY_CERT_SERIAL"),
        "WECHATPAY_PUBLIC_KEY_ID",
    ),
    "wechat_oa": ("WECHAT_OA_APP_ID",),
    "mall_generic": (),
}
_OWN_SECRETS: Mapping[
    str, Mapping[str, tuple[str, ...]]
] = {  # that this function may read: setting → names in the group, any of which will do
    "wecom_contact": {"WECOM_CONTACT_SECRET": ("contact_secret", "secret")},
    "wecom_app": {"WECOM_SECRET": ("secret",)},
    "wecom_callback": {
        "WECOM_CALLBACK_TOKEN": ("callback_token",),
        "WECOM_CALLBACK_AES_KEY": ("callback_aes_key",),
    },
}
_OTHERS_SECRETS: Mapping[
    str, Mapping[str, str]
] = {  # that another function tells of: setting → name in its note
    "wechatpay": {
        "WECHATPAY_PRIVATE_KEY": "private_key",
        "WECHATPAY_PUBLIC_KEY": "public_key",
        "WECHATPAY_APIV3_KEY": "apiv3_key",
    },
    "wechat_oa": {"WECHAT_OA_SECRET": "oa_secret"},  # nosec B105 (a name)
    "mall_generic": {"MALL_GENERIC_SECRET": "generic_secret"},  # nosec B105 (a name)
}
_PROVEN = ("private_key", "public_key", "oa_secret", "generic_secret")  # by whatever has gone well
_ADDRESSES = {
    "wecom_callback": "/wecom/callback",
    "wechatpay": "/pay/wechat/notify",
    "mall_generic": "/mall/orders/generic",
}
_DOORS = ("wecom_callback", "mall_generic")  # where others knock
_CALLED = "wecom_callback"  # of no use until WeCom has called once
_ELSEWHERE = ("wechatpay", "wechat_oa")  # tested by the function that has their keys


def listing(language: Language) -> list[Connection]:
    return [_shown(name, language) for name in NAMES]


def get(name: str, language: Language) -> Connection:
    """NotFound."""
    return _shown(_name(name), language)


def test(name: str, language: Language) -> Connection:
    """Make a real call that changes nothing, or have it made (`testing`). NotFound, Conflict, Upstream."""
    known = _name(name)
    if any(
        each.is_set is False for each in _settings(known, None)
    ):  # what another function tells, may be old
        raise Conflict(code="not_testable")
    if known in _ELSEWHERE:
        connections.ask_test(known)
        queues.send("payout", {"kind": "connection_test", "connection": known}, group=known)
    else:
        code = _probe(probes.PROBES[known])
        secrets = {"generic_secret": code != "mall_unsigned"} if known == "mall_generic" else None
        connections.note_test(known, code, secrets)
    return _shown(known, language)


def _probe(probe: Callable[[], str | None]) -> str | None:
    try:
        return probe()
    except settings.Missing:
        return "not_set"


def _name(name: str) -> Name:
    if name not in NAMES:
        raise NotFound(code="no_connection", connection=name)
    return name


def _shown(name: Name, language: Language) -> Connection:
    row = connections.find(name)
    heard = _heard(row)
    are_set = _settings(name, row)
    is_set_up = all(each.is_set is not False for each in are_set)
    status = rules.status_of(heard, is_set_up, is_called=name == _CALLED)
    address = _ADDRESSES.get(name)
    return Connection(
        connection=name,
        status=cast(Any, status),
        settings=are_set,
        address=settings.env("PUBLIC_BASE_URL").rstrip("/") + address if address else None,
        last_success_at=heard.success_at if name in _DOORS else rules.last_success_of(heard),
        last_failure_at=heard.failure_at,
        tested_at=heard.tested_at,
        testing=rules.is_testing(heard, clock.now()),
        problem=_problem(name, heard, language),
        refused=_refused(name, language) if name in _DOORS else None,
    )


def _heard(row: connections.ConnectionItem | None) -> Heard:
    if row is None:
        return Heard()
    return Heard(
        success_at=row.last_success_at,
        failure_at=row.last_failure_at,
        failure=row.failure,
        tested_at=row.tested_at,
        test_failure=row.test_failure,
        asked_at=row.asked_at,
    )


def _settings(name: Name, row: connections.ConnectionItem | None) -> list[Setting]:
    noted = dict(row.secrets or {}) if row else {}
    plain = [Setting(name=each, is_set=bool(settings.env(each, ""))) for each in _PLAIN[name]]
    own = [Setting(name=each, is_set=_has(of)) for each, of in _OWN_SECRETS.get(name, {}).items()]
    worked = row is not None and row.last_success_at is not None
    others = [
        Setting(name=each, is_set=noted.get(of, True if worked and of in _PROVEN else None))
        for each, of in _OTHERS_SECRETS.get(name, {}).items()
    ]
    return [*plain, *own, *others]


def _has(names: tuple[str, ...]) -> bool:
    try:
        return any(settings.secret("wecom", each, "") for each in names)
    except settings.Missing:
        return False


def _problem(name: Name, heard: Heard, language: Language) -> Problem | None:
    problem = rules.problem_of(heard)
    if problem is None and name == _CALLED and heard.tested_at and not heard.success_at:
        problem = ("callback_never", heard.tested_at)
    if problem is None:
        return None
    code, at = problem
    errcode = rules.errcode_of(code)
    text, params = _text_of(name, code), {"errcode": errcode or code}
    return Problem(
        code=code,
        errcode=errcode,
        at=at,
        message=messages.text(f"connection_{text}", language, params),
        cure=messages.text(f"cure_{text}", language, params),
    )


def _refused(name: Name, language: Language) -> list[Refused]:
    counts: Mapping[str, int] = connections.refused(name, clock.now() - _WEEK)
    return [
        Refused(
            reason=cast(Any, reason),
            count=count,
            message=messages.text(f"connection_{_text_of(name, reason)}", language, {}),
        )
        for reason, count in sorted(counts.items())
    ]


def _text_of(name: Name, code: str) -> str:
    """Under which words a code stands: a mall's differ from WeCom's."""
    own = f"mall_{code}"
    if name == "mall_generic" and messages.known(f"connection_{own}"):
        return own
    return code if messages.known(f"connection_{code}") else words.OTHER
