"""A member of staff who leaves the corp: their sessions end, whether they had a role or not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.callbacks import service as callbacks
from chalicelib.people import leaving, service
from chalicelib.people.types import NewUser, UsersQuery
from chalicelib.platform import audit, auth, timeline
from chalicelib.platform.errors import Conflict
from chalicelib.platform.timeline_line import Line
from chalicelib.platform.versions import IfMatch
from chalicelib.wecom import events
from infra.sandbox.events import event_xml
from tests.support.wecom import FakeWeCom

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CORP = "ww1a2b3c4d5e6f7081"
At = Callable[[datetime], None]


@pytest.fixture(autouse=True)
def corp(tables: None, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    monkeypatch.setattr("chalicelib.wecom.client.default_client", FakeWeCom)
    at(NOW)


def happens(change: str, userid: str, minute: int = 0, **more: Any) -> None:
    """An event of WeCom's, and all lines of the timeline to the listener, the newest first."""
    seconds = int((NOW + timedelta(minutes=minute)).timestamp())
    xml = event_xml(CORP, seconds, "change_contact", ChangeType=change, UserID=userid, **more)
    callbacks.handle(events.parse(xml.encode()).to_message())
    rows, _ = timeline.read("change_contact")
    assert rows
    for number, row in enumerate(rows):
        leaving.on_recorded(Line("change_contact", row["type"], NOW, str(number), row["data"]))


def signs_in(staff_id: str) -> Callable[[], str | None]:
    """The role of a session that begins now, as its next request finds it."""
    cookies = {auth.SESSION_COOKIE: auth.begin_session("user", staff_id)}

    def role() -> str | None:
        session = auth.find_session(cookies)
        return session.principal.role if session else None

    return role


def users(**query: Any) -> list[tuple[str, str, bool]]:
    return [(row.staff_id, row.status, row.gone) for row in service.users(UsersQuery(**query)).items]


@pytest.mark.parametrize("change", [("delete_user", {}), ("update_user", {"Status": 2})])
def test_a_guides_sessions_end_until_they_are_back(change: tuple[str, dict[str, Any]]) -> None:
    role = signs_in("LiHua")
    happens("update_user", "LiHua", Status=1)
    assert role() == "guide"
    happens(change[0], "LiHua", 1, **change[1])
    happens(change[0], "LiHua", 1, **change[1])
    assert role() is None and auth.find_person("lihua") is None and users() == []
    happens("update_user", "LiHua", 2, Status=1)
    assert role() == "guide" and auth.UserItem.find("lihua") is None


def test_who_is_disabled_has_their_role_again_and_who_left_has_not() -> None:
    service.create_user(NewUser(staff_id="boss", role="operator"))
    role = signs_in("boss")
    happens("update_user", "boss", 1, Status=2)
    assert role() is None and users() == [("boss", "active", True)]
    happens("update_user", "boss", 2, Status=1)
    assert role() == "operator" and users() == [("boss", "active", False)]
    happens("delete_user", "boss", 3)
    happens("create_user", "boss", 4, Status=1)
    assert role() is None and users(status="revoked") == [("boss", "revoked", False)]
    entries = sorted(row.action for row in audit.AuditItem.by_object.query("boss"))
    assert entries == ["users.create", *["users.leave"] * 2, *["users.return"] * 2]


def test_who_is_gone_can_be_given_a_role_and_stays_out() -> None:
    happens("update_user", "li", 1, Status=2)
    assert service.create_user(NewUser(staff_id="li", role="operator")).gone
    with pytest.raises(Conflict):
        service.create_user(NewUser(staff_id="li", role="admin"))
    assert auth.find_person("li") is None
    happens("update_user", "li", 2, Status=1)
    found = auth.find_person("li")
    assert found is not None and found.role == "operator"


def test_an_admin_who_is_gone_is_not_the_one_that_must_stay() -> None:
    for staff_id in ("an", "bo"):
        service.create_user(NewUser(staff_id=staff_id, role="admin"))
    happens("update_user", "bo", 1, Status=2)
    with pytest.raises(Conflict):
        service.change_user("an", {"role": "operator"}, IfMatch(""))
