"""A distributor signs in by WeChat on their own page, and sees and collects what is theirs.

Who they are is proved by the openid that they are paid under, as the official account's OAuth gives it. The
state of a sign-in is bound to the browser by a signed cookie; the session is a cookie that only we can open,
bound to the one distributor, and good while that openid is the distributor's.
"""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from chalicelib.collect.types import Earnings
from chalicelib.distribution import service as distribution
from chalicelib.distribution.types import Distributor
from chalicelib.ledger import service as ledger
from chalicelib.ledger.rules import Balance
from chalicelib.payouts import collecting
from chalicelib.platform import clock, ids, keys, log, queues, settings, signed, vault
from chalicelib.platform.errors import Forbidden, Unauthorized, Upstream
from chalicelib.wechatoa import client as wechatoa
from chalicelib.wechatoa import jssdk
from chalicelib.wechatoa.jssdk import PageConfig

LOGIN, SESSION = "mr_collect_login", "mr_collect"  # cookies: of a sign-in that has begun, of one that is done
_PURPOSE = "collect"
_SESSION_TIME = timedelta(hours=12)


class Session(Struct, frozen=True):
    """csrf_token: what a form of this session carries."""

    csrf_token: str

    def has_csrf_token(self, token: str) -> bool:
        return hmac.compare_digest(self.csrf_token.encode(), token.encode("utf-8", "replace"))


def begin(who: Distributor) -> tuple[str, str]:
    """(where to send the browser, the cookie to set) to sign in and come back."""
    state = ids.short(32)
    values = {"state": state, "d": who.distributor_id, "at": int(clock.now().timestamp())}
    back = f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/h5/d/{who.share_code}/signed-in"
    cookie = signed.signed(keys.key(_PURPOSE), "login", values)
    return wechatoa.authorize_url(back, state), _cookie(who, LOGIN, cookie, signed.LOGIN_TIME)


def finish(who: Distributor, code: str, state: str, cookies: Mapping[str, str]) -> str:
    """The session's cookie. Unauthorized: begin again; Forbidden: somebody else; Upstream."""
    begun = signed.login_of(keys.key(_PURPOSE), "login", cookies.get(LOGIN), state, clock.now())
    if begun is None or begun.get("d") != who.distributor_id or not code:
        raise Unauthorized(code="wechat_sign_in_over")
    person = wechatoa.person_of(code)
    if not distribution.is_paid_under(who, person.openid):
        raise Forbidden(code="another_person", openid=person.openid)
    until = int((clock.now() + _SESSION_TIME).timestamp())
    value = vault.seal(_PURPOSE, f"{until} {person.openid}", who.distributor_id)
    return _cookie(who, SESSION, value, _SESSION_TIME)


def find_session(who: Distributor, cookies: Mapping[str, str]) -> Session | None:
    """The distributor's own session; None for anybody else's, and for one that is over."""
    cookie = cookies.get(SESSION)
    if not cookie:
        return None
    try:
        until, _, openid = vault.unseal(_PURPOSE, cookie, who.distributor_id).partition(" ")
    except vault.Broken:
        return None
    if int(until) <= clock.now().timestamp() or not distribution.is_paid_under(who, openid):
        return None
    return Session(csrf_token=keys.tag("collect-csrf", cookie).hex())


def earnings(who: Distributor) -> Earnings:
    balance = ledger.balance(who.distributor_id)
    return Earnings(
        earned_fen=_earned(balance),
        pending_fen=balance.pending_fen,
        available_fen=balance.available_fen,
        in_payout_fen=balance.in_payout_fen,
        paid_fen=balance.paid_fen,
        tax_fen=balance.tax_withheld_fen,
        debt_fen=balance.debt_fen,
        payouts=collecting.latest(balance),
    )


def _earned(balance: Balance) -> int:
    owed = balance.pending_fen + balance.available_fen + balance.in_payout_fen
    return owed + balance.paid_fen + balance.tax_withheld_fen - balance.debt_fen


def ask_offer(who: Distributor, payout_id: str) -> None:
    """Have one of their payouts that lapsed offered again. Forbidden for any other; Upstream."""
    lapsed = {row.payout_id for row in earnings(who).payouts if row.stage == "lapsed"}
    if payout_id not in lapsed:
        raise Forbidden(code="another_person")
    queues.send("payout", {"kind": "payout_offer", "payout_id": payout_id}, group=payout_id)


def page_config(who: Distributor, query: Mapping[str, str]) -> PageConfig | None:
    """What the JS-SDK wants on their page; None when WeChat does not give it: it is shown all the same."""
    asked = f"?{urlencode(query)}" if query else ""
    try:
        return jssdk.config_of(f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/h5/d/{who.share_code}{asked}")
    except Upstream as error:
        log.failure("no JS-SDK ticket", error)
        return None


def folder() -> str:
    """The path that our pages' addresses begin with: API Gateway's own has the stage in it."""
    return urlsplit(settings.env("PUBLIC_BASE_URL")).path.rstrip("/")


def _cookie(who: Distributor, name: str, value: str, time: timedelta) -> str:
    secure = "; Secure" if settings.env("PUBLIC_BASE_URL").startswith("https:") else ""
    path = f"{folder()}/h5/d/{who.share_code}"
    seconds = int(time.total_seconds())
    return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
