"""Group codes: what is shown without a reservation, and posters of a guide."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chalicelib.assignments import service as assignments
from chalicelib.assignments.models import AssignmentItem
from chalicelib.livecodes import poster_links
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from infra.sandbox.config import new_private_key
from tests.support.group_world import CORP, Sent, World, counts


@pytest.fixture(scope="module")
def pay_keys() -> dict[str, str]:
    return {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}


@pytest.fixture
def world(
    tables: None,
    sent: Sent,
    at: Callable[[datetime], None],
    keys: None,
    pay_keys: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    made = World(sent, at, pay_keys)
    monkeypatch.setattr(wecom, "default_client", lambda: made.corp)
    return made


def why(scan: Any) -> Any:
    return assignments.get(scan.assignment_id).why


def test_a_robot_is_shown_the_group_that_has_room_and_then_the_staff(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=2, staff=["wangwu"])
    before = counts(group)
    for _ in range(3):
        shown = scan_service.scan(code.code, reserves=False)
        assert (shown.kind, shown.chat_id, shown.assignment_id) == ("group", group, None) and shown.qr_url
    assert counts(group) == before and list(AssignmentItem.scan()) == []
    assert scan_service.scan(code.code).chat_id == group  # the last place
    shown = scan_service.scan(code.code, reserves=False)
    assert (shown.kind, shown.staff_id, shown.assignment_id) == ("staff", "wangwu", None)


def test_a_guides_poster_of_a_group_code_gives_the_guide_and_else_a_group(world: World) -> None:
    group = world.group()
    code = world.code(group, limit=10, staff=["wangwu"])
    g = poster_links.sign(code.live_code_id, "guide", "wangwu")
    got = scan_service.scan(code.code, poster=g)
    assert got.staff_id == "wangwu" and why(got)["rule"] == "poster"
    gone = poster_links.sign(code.live_code_id, "guide", "nobody")
    got = scan_service.scan(code.code, poster=gone)
    assert got.chat_id == group
    assert why(got)["poster"] == {"staff_id": "nobody", "reason": "not_in_code"}
    assert "海报上的nobody：不在这个活码里" in assignments.get(str(got.assignment_id)).text
    got = scan_service.scan(code.code, poster="forged")
    assert got.chat_id == group and why(got)["poster"]["reason"] == "foreign"
    assert scan_service.scan(code.code).chat_id == group
