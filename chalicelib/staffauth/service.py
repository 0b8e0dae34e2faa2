"""Sign-in by WeCom (documents 91022, 98152): to WeCom with a state, back with a code, then a session.

The state is bound to the browser by a signed cookie, so that nobody can be signed in by a foreign link. A
phone's page goes through OAuth; the console through the QR code that WeCom shows on a page of its own, or,
inside of WeCom, through OAuth too.
"""

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from chalicelib.people import devices, signin
from chalicelib.platform import auth, clock, ids, keys, settings, signed
from chalicelib.platform.auth import Session
from chalicelib.platform.errors import Forbidden, Unauthorized
from chalicelib.staff import service as staff
from chalicelib.staffauth import rules
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

HOST = "https://open.weixin.qq.com"
QR_HOST = "https://login.work.weixin.qq.com"
LOGIN = "mr_login"  # the cookie of a sign-in that has begun
CONSOLE_LOGIN = "mr_console_login"
_NAMED = 3  # admins whom somebody without a role is told of


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
    cookie = signed.signed(_key(), "login", _begun(state, rules.page_or_first(page)))
    return _oauth("/h5/login", state), _cookie(LOGIN, cookie, "/h5")


def begin_console(page: str, user_agent: str) -> tuple[str, str]:
    """The same for the console. settings.Missing while WeCom is not connected."""
    state = ids.short(32)
    cookie = signed.signed(_key(), "console", _begun(state, rules.console_page(page)))
    address = _oauth("/console/login", state) if rules.is_in_wecom(user_agent) else _qr(state)
    return address, _cookie(CONSOLE_LOGIN, cookie, "/console")


def finish(
    code: str, state: str, cookies: Mapping[str, str], address: str, user_agent: str
) -> tuple[str, str]:
    """(the page to go to, the cookie to set). Unauthorized: begin again; Forbidden; Exhausted."""
    page = rules.login_of(_key(), cookies.get(LOGIN), state, clock.now())
    if page is None or not code:
        raise Unauthorized(code="sign_in_over")
    return page, _sign_in(code, address, user_agent, needs_role=False)


def finish_console(
    code: str, state: str, cookies: Mapping[str, str], address: str, user_agent: str
) -> tuple[str, str]:
    """The same for the console, to which an admin must have given the person a role (Forbidden `no_role`)."""
    page = rules.console_login_of(_key(), cookies.get(CONSOLE_LOGIN), state, clock.now())
    if page is None or not code:
        raise Unauthorized(code="sign_in_over")
    return page, _sign_in(code, address, user_agent, needs_role=True)


def whom_to_ask() -> list[str]:
    """The names of some admins, who can give a role."""
    admins = auth.admins()[:_NAMED]
    known = staff.names(admins)
    return [known[one] for one in admins if one in known]


def folder() -> str:
    """The path that our pages' addresses begin with: API Gateway's own has the stage in it."""
    return urlsplit(settings.env("PUBLIC_BASE_URL")).path.rstrip("/")


def _sign_in(code: str, address: str, user_agent: str, needs_role: bool) -> str:
    """A session of whoever WeCom's code is of: its cookie."""
    try:
        # Of codes alone: a known person is counted by themselves, or one guide shuts out their office.
        with signin.counted(f"codes#{address}"):
            staff_id = _staff_id(code)
        with signin.counted(f"person#{staff_id}"):
            if auth.find_person(staff_id) is None:
                raise Forbidden(code="access_revoked")
            if needs_role and not auth.has_role(staff_id):
                raise Forbidden(code="no_role")
    except AnswerLost as error:  # nobody's failure
        raise Unauthorized(code="sign_in_over") from error
    staff.ask_names([staff_id])
    return auth.session_cookie(auth.begin_session("user", staff_id, devices.device(user_agent)))


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


def _begun(state: str, page: str) -> dict[str, str | int]:
    return {"state": state, "next": page, "at": int(clock.now().timestamp())}


def _oauth(back: str, state: str) -> str:
    query = {
        "appid": settings.env("WECOM_CORP_ID"),
        "redirect_uri": settings.env("PUBLIC_BASE_URL") + back,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": state,
        "agentid": settings.env("WECOM_AGENT_ID"),
    }
    base = settings.env("WECOM_OAUTH_BASE", HOST)
    return f"{base}/connect/oauth2/authorize?{urlencode(query)}#wechat_redirect"


def _qr(state: str) -> str:
    """WeCom's page with a code that a member scans. A sandbox has both pages at one address."""
    query = {
        "login_type": "CorpApp",
        "appid": settings.env("WECOM_CORP_ID"),
        "agentid": settings.env("WECOM_AGENT_ID"),
        "redirect_uri": settings.env("PUBLIC_BASE_URL") + "/console/login",
        "state": state,
    }
    base = settings.env("WECOM_OAUTH_BASE", HOST)
    return f"{QR_HOST if base == HOST else base}/wwlogin/sso/login?{urlencode(query)}"


def _cookie(name: str, value: str, path: str) -> str:
    secure = "; Secure" if settings.env("PUBLIC_BASE_URL").startswith("https:") else ""
    seconds = signed.LOGIN_TIME.seconds
    return f"{name}={value}; Path={folder()}{path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _key() -> bytes:
    return keys.key("session")
