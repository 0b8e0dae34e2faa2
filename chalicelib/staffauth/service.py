"""Sign-in by WeCom OAuth2 (wecom document 91022): to WeCom with a state, back with a code, then a session.

The state is bound to the browser by a signed cookie, so that nobody can be signed in by a foreign link.
"""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from chalicelib.people import signin
from chalicelib.platform import auth, clock, ids, keys, settings, signed
from chalicelib.platform.auth import Session
from chalicelib.platform.errors import Forbidden, Unauthorized
from chalicelib.staffauth import rules
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

HOST = "https://open.weixin.qq.com"
LOGIN = "mr_login"  # the cookie of a sign-in that has begun


def current(cookies: Mapping[str, str]) -> Session | None:
    """The session of a member of staff, who acts from here on; None when none has signed in by WeCom."""
    session = auth.find_session(cookies)
    if session is None or session.staff_id is None:
        return None
    auth.acting.set(session.principal)
    return session


def begin(page: str) -> tuple[str, str]:
    """(where to send the browser, the cookie to set) to sign in and come back to `page`."""
    state = ids.short(32)
    values = {"state": state, "next": rules.page_or_first(page), "at": int(clock.now().timestamp())}
    query = {
        "appid": settings.env("WECOM_CORP_ID"),
        "redirect_uri": f"{settings.env('PUBLIC_BASE_URL')}/h5/login",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": state,
        "agentid": settings.env("WECOM_AGENT_ID"),
    }
    base = settings.env("WECOM_OAUTH_BASE", HOST)
    address = f"{base}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"
    return address, _cookie(LOGIN, signed.signed(_key(), "login", values), signed.LOGIN_TIME.seconds)


def finish(code: str, state: str, cookies: Mapping[str, str], address: str) -> tuple[str, str]:
    """(the page to go to, the cookie to set). Unauthorized: begin again; Forbidden; Exhausted."""
    now = clock.now()
    page = rules.login_of(_key(), cookies.get(LOGIN), state, now)
    if page is None or not code:
        raise Unauthorized(code="sign_in_over")
    try:
        with signin.counted(f"address#{address}"):
            staff_id = _staff_id(code)
            with signin.counted(f"person#{staff_id}"):
                if auth.find_person(staff_id) is None:
                    raise Forbidden(code="access_revoked")
    except AnswerLost as error:  # nobody's failure
        raise Unauthorized(code="sign_in_over") from error
    return page, auth.session_cookie(auth.begin_session("user", staff_id))


def _staff_id(code: str) -> str:
    """Whom WeCom's code is of. Unauthorized, Forbidden, AnswerLost, WeComError."""
    try:
        who = wecom.default_client().getuserinfo(code)
    except WeComError as error:
        if error.treatment is Treatment.RESTART:
            raise Unauthorized(code="sign_in_over") from error
        raise
    if not who.get("userid"):
        raise Forbidden(code="staff_only")
    return str(who["userid"])


def folder() -> str:
    """The path that our pages' addresses begin with: API Gateway's own has the stage in it."""
    return urlsplit(settings.env("PUBLIC_BASE_URL")).path.rstrip("/")


def _cookie(name: str, value: str, seconds: int) -> str:
    secure = "; Secure" if settings.env("PUBLIC_BASE_URL").startswith("https:") else ""
    return f"{name}={value}; Path={folder()}/h5; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _key() -> bytes:
    return keys.key("session")
