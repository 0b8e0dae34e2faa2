"""Doors of people and keys, of signing in to the console, and of the audit."""

from chalicelib.people import devices, history, scopes, service, sessions, signin
from chalicelib.people.types import (
    ApiKey,
    AuditQuery,
    KeysQuery,
    MadeApiKey,
    Me,
    NewApiKey,
    NewUser,
    RevokedKey,
    SessionsQuery,
    SignIn,
    User,
    UserPatch,
    UsersQuery,
)
from chalicelib.platform import auth, http
from chalicelib.platform.errors import Forbidden
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.staff import service as staff

door = http.Door(__name__, tag="People")


@door.route("GET", "/api/me", permission="me.read", answer=Me, summary="Who is calling, and what for")
def me(call: Call) -> Me:
    principal = call.principal
    session = auth.find_session(call.cookies) if principal.kind == "session" else None
    return Me(
        user=principal.name,
        name=staff.name(principal.person) if principal.person else principal.name,
        staff_id=principal.person,
        kind="session" if session else "key",
        role=principal.role,
        scope=scopes.scope_out(principal.scope),
        scope_names=scopes.names([principal.scope])(principal.scope),
        permissions=principal.permissions(),
        console=principal.person is None or auth.has_role(principal.person),
        csrf_token=session.csrf_token if session else None,
    )


@door.route(
    "GET",
    "/api/sessions",
    permission="sessions.read",
    query=SessionsQuery,
    answer=Page[sessions.SessionOut],
    summary="Where one is signed in to the console, the newest first; an admin sees anybody's",
)
def list_sessions(call: Call) -> Page[sessions.SessionOut]:
    current = auth.session_id(call.cookies) if call.principal.kind == "session" else None
    return sessions.page(call.query, call.principal, current)


@door.route(
    "DELETE",
    "/api/sessions/{session_id}",
    permission="sessions.end",
    answer=sessions.EndedSession,
    summary="End a session: one's own, and as an admin anybody's",
)
def end_session(call: Call, session_id: str) -> sessions.EndedSession:
    sessions.end(session_id, call.principal)
    return sessions.EndedSession(session_id)


@door.route(
    "GET",
    "/api/users",
    permission="users.read",
    query=UsersQuery,
    answer=Page[User],
    summary="People and roles",
)
def users(call: Call) -> Page[User]:
    return service.users(call.query)


@door.route(
    "POST",
    "/api/users",
    body=NewUser,
    status=201,
    permission="users.write",
    answer=User,
    summary="Give a member of staff a role",
)
def create_user(call: Call) -> User:
    return service.create_user(call.body)


@door.route(
    "GET",
    "/api/users/{staff_id}",
    permission="users.read",
    answer=User,
    summary="A person who has a role",
)
def user(call: Call, staff_id: str) -> Answer:
    return http.versioned(*service.user(staff_id))


@door.route(
    "PATCH",
    "/api/users/{staff_id}",
    body=UserPatch,
    headers=IfMatchHeader,
    permission="users.write",
    answer=User,
    summary="Change a person's role, scope or status; revoked: their sessions end at once",
)
def change_user(call: Call, staff_id: str) -> Answer:
    return http.versioned(*service.change_user(staff_id, call.json(), call.if_match))


@door.route(
    "GET",
    "/api/api-keys",
    permission="keys.read",
    query=KeysQuery,
    answer=Page[ApiKey],
    summary="API keys, without the keys",
)
def keys(call: Call) -> Page[ApiKey]:
    return service.keys(call.query)


@door.route(
    "POST",
    "/api/api-keys",
    body=NewApiKey,
    status=201,
    permission="keys.write",
    answer=MadeApiKey,
    summary="Make an API key; it is shown this once",
    secret=True,
)
def create_key(call: Call) -> MadeApiKey:
    return service.create_key(call.body)


@door.route(
    "DELETE",
    "/api/api-keys/{api_key_id}",
    permission="keys.write",
    answer=RevokedKey,
    summary="Revoke an API key, and end the sessions that it began",
)
def revoke_key(call: Call, api_key_id: str) -> RevokedKey:
    service.revoke_key(api_key_id)
    return RevokedKey(api_key_id=api_key_id)


@door.route(
    "GET",
    "/api/audit",
    permission="audit.read",
    query=AuditQuery,
    answer=Page[history.Entry],
    summary="Who changed what from what to what, the newest first",
)
def read_audit(call: Call) -> Page[history.Entry]:
    return history.page(call.query)


@door.route(
    "POST",
    "/console/session",
    body=SignIn,
    status=204,
    others={
        401: "There is no such key",
        403: "Asked for by another site",
        429: "Too many failures from one address: `Retry-After`",
    },
    summary="Sign in to the console with an API key: a cookie, for twelve hours",
)
def sign_in(call: Call) -> Answer:
    if call.headers.get("sec-fetch-site") == "cross-site":
        raise Forbidden(code="other_site")
    device = devices.device(call.headers.get("user-agent") or "")
    token = signin.by_key(call.body.key, call.source_ip, device)
    return Answer(b"", 204, {"Set-Cookie": auth.session_cookie(token), "Cache-Control": "no-store"})


@door.route("DELETE", "/console/session", status=204, summary="Sign out")
def sign_out(call: Call) -> Answer:
    auth.end_session(call.cookies)
    return Answer(b"", 204, {"Set-Cookie": auth.session_cookie(""), "Cache-Control": "no-store"})
