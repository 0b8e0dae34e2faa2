"""Doors of the sidebar: its page, what WeCom's JS-SDK is set up with, a customer in one answer."""

from chalicelib.platform import auth, http
from chalicelib.platform.http import Answer, Call
from chalicelib.sidebar.types import ConfigQuery, SidebarConfig, SidebarCustomer
from chalicelib.staffauth import rules as sign_in
from chalicelib.staffauth import service as staffauth
from chalicelib.web import frame
from chalicelib.web.sidebar import page

door = http.Door(__name__, tag="Sidebar")

_PAGE = "/sidebar"


@door.route(
    "GET",
    _PAGE,
    summary="The sidebar of a chat in WeCom; signs in by WeCom first. Elsewhere it says what it is",
    others={302: "To WeCom's sign-in"},
    gives="text/html",
    page=frame.problem,
)
def show(call: Call) -> Answer:
    if not _is_in_client(call):
        return page.outside().answer()
    session = staffauth.current(call.cookies)
    if session is None:
        where, cookie = staffauth.begin(_PAGE)
        return Answer(b"", 302, {"Location": where, "Set-Cookie": cookie, "Cache-Control": "no-store"})
    return page.sidebar(staffauth.folder()).answer()


@door.route(
    "GET",
    "/api/sidebar/config",
    permission="customers.read",
    query=ConfigQuery,
    answer=SidebarConfig,
    summary="What WeCom's JS-SDK is set up with on a page of ours",
)
def config(call: Call) -> SidebarConfig:
    from chalicelib.sidebar import service

    session = auth.find_session(call.cookies) if call.principal.kind == "session" else None
    return service.config(call.query.url, call.principal, session.csrf_token if session else None)


@door.route(
    "GET",
    "/api/sidebar/customers/{external_userid}",
    permission="customers.read",
    answer=SidebarCustomer,
    summary="All that the sidebar shows of a customer",
)
def customer(call: Call, external_userid: str) -> SidebarCustomer:
    from chalicelib.sidebar import service

    return service.customer(external_userid, call.principal)


def _is_in_client(call: Call) -> bool:
    """WeCom's own browser, or a page that frames this one: the policy says which may."""
    is_framed = call.headers.get("sec-fetch-dest") == "iframe"
    return is_framed or sign_in.is_in_wecom(call.headers.get("user-agent") or "")
