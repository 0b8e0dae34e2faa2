"""Who is signed in to the console, where, since when; and ending it: one's own, and as an admin anybody's."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from chalicelib.people import devices
from chalicelib.people.types import SessionsQuery
from chalicelib.platform import audit, clock, lists
from chalicelib.platform.auth import SessionItem
from chalicelib.platform.errors import Forbidden, NotFound
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.userids import fold

_MANAGES = "users.write"  # who may do this sees and ends the sessions of others


class SessionOut(Struct, frozen=True, kw_only=True):
    """way: how it began. current: it is the one that asks."""

    session_id: str
    way: Literal["wecom", "key"]
    browser: devices.Browser
    system: devices.System
    began_at: str
    expires_at: str
    current: bool


class EndedSession(Struct, frozen=True):
    session_id: str


def page(query: SessionsQuery, principal: Principal, current: str | None) -> lists.Page[SessionOut]:
    """The sessions that go on: one's own (a key's: those that it began), or a person's. Forbidden."""
    holder = principal.id
    if query.staff_id is not None and fold(query.staff_id) != principal.id:
        if not principal.may(_MANAGES):
            raise Forbidden(code="needs_permission", permission=_MANAGES)
        holder = fold(query.staff_id)
    now = clock.now().timestamp()
    rows = [_shown(row, current) for row in SessionItem.by_holder.query(holder) if row.expires_at > now]
    return lists.whole(
        rows,
        query,
        key=lambda row: row.session_id,
        sorts={"began_at": lambda row: row.began_at},
        sort="-began_at",
    )


def end(session_id: str, principal: Principal) -> None:
    """End a session. NotFound, also for another's, unless one may manage people."""
    item: SessionItem | None = SessionItem.find(session_id)
    if item is None or item.expires_at <= clock.now().timestamp():
        raise NotFound(code="unknown_session")
    if item.holder != principal.id and not principal.may(_MANAGES):
        raise NotFound(code="unknown_session")
    tx = Transaction()
    tx.delete("session", SessionItem(session_id), SessionItem.session.exists())
    audit.add(tx, "sessions.end", item.holder, {"began_at": item.began_at}, None)
    tx.commit()


def _shown(item: SessionItem, current: str | None) -> SessionOut:
    browser, system = devices.parts(item.device)
    return SessionOut(
        session_id=str(item.session),
        way="key" if item.holder_kind == "key" else "wecom",
        browser=browser,
        system=system,
        began_at=str(item.began_at),
        expires_at=clock.iso(datetime.fromtimestamp(float(item.expires_at), UTC)),
        current=str(item.session) == current,
    )
