"""Groups, their members and their owners' tasks, as lists: searched, filtered, paged, at a known price."""

from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.groups.models import ChatItem, MemberItem, TaskItem
from tests.support.api import Api
from tests.support.scan_support import requests

AT = "2026-11-2{}T02:00:00.000000+00:00"
FIGURES = {"reserved": 2, "taken": 3, "member_version": "1", "passed": []}
GROUPS = [
    ("wr1", "重庆福利群", "ann", "normal"),
    ("wr2", "福利群", "bob", "dismissed"),
    ("wr3", None, None, "normal"),
]


@pytest.fixture
def api(tables: None, keys: None) -> Iterator[Api]:
    for day, (chat_id, name, owner, status) in enumerate(GROUPS):
        at = AT.format(day)
        kind = {"name": name, "owner": owner, "status": status, "created_at": at, "seen_at": at}
        ChatItem(chat_id, listing="chat", people=1, staff=1, **kind, **FIGURES).save()
    with Client(app) as client:
        yield Api(client)


def ids(api: Api, path: str, name: str) -> list[str]:
    """Of all pages, one row each; the total is exact."""
    found: list[str] = []
    cursor = ""
    while True:
        status, page = api.get(f"{path}{'&' if '?' in path else '?'}limit=1&cursor={cursor}")
        assert status == 200, page
        found += [row[name] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_groups_by_name_status_and_owner(api: Api) -> None:
    def groups(query: str = "") -> list[str]:
        return ids(api, f"/api/groups?{query}", "chat_id")

    assert groups() == ["wr1", "wr2", "wr3"] and groups("sort=-created_at") == ["wr3", "wr2", "wr1"]
    assert groups("q=flq") == ["wr1", "wr2"] and groups("q=zqfl") == groups("q=cqfl") == ["wr1"]
    assert groups("status=normal") == ["wr1", "wr3"] and groups("owner=bob") == ["wr2"]
    assert api.get("/api/groups?sort=people")[0] == api.get("/api/groups?status=full")[0] == 422
    assert api.get("/api/groups")[1]["total"] == 3
    row = api.get("/api/groups?q=wr1")[1]["items"][0]
    assert (row["name"], row["people"], row["reserved"]) == ("重庆福利群", 1, 2)


def test_a_page_of_groups_is_the_index_of_their_names_and_its_rows(api: Api) -> None:
    api.get("/api/groups")
    asked = requests()
    api.get("/api/groups")
    assert asked == ["GetItem", "Query", "BatchGetItem"]  # the first: whose key it is


def test_the_index_of_names_has_nothing_that_a_scan_changes() -> None:
    projected = set(ChatItem.by_name.Meta.projection.non_key_attributes)
    assert projected.isdisjoint(
        {"people", "staff", "reserved", "taken", "codes", "member_version", "changed_at"}
    )


def test_members_by_when_they_came_and_whether_they_are_there(api: Api) -> None:
    for day, (member_id, left_at) in enumerate((("wm1", None), ("wm2", AT.format(9)), ("ann", None))):
        row = {"staff": member_id == "ann", "scene": "qr", "version": "1", "left_at": left_at}
        MemberItem("wr1", member_id, joined_at=AT.format(day), **row).save()

    def members(query: str = "") -> list[str]:
        return ids(api, f"/api/groups/wr1/members?{query}", "member_id")

    assert members() == ["ann", "wm2", "wm1"] and members("sort=joined_at") == ["wm1", "wm2", "ann"]
    assert members("present=false") == ["wm2"] and members("present=true&staff=false") == ["wm1"]
    assert ids(api.acting_as("auditor"), "/api/groups/wr1/members", "member_id") == ["ann", "***", "***"]
    assert api.get("/api/groups/none/members")[0] == 404


def test_tasks_newest_first_of_all_and_of_an_owner(api: Api) -> None:
    def task(number: int, owner: str, status: str) -> None:
        waits_for = owner if status == "open" else None
        rest: dict[str, Any] = {"kind": "remove_member", "how": "owner", "chat_id": "wr1", "asked": 1}
        at = AT.format(number)
        TaskItem(
            f"gt_{number}", owner=owner, status=status, created_at=at, waits_for=waits_for, **rest
        ).save()

    for number, (owner, status) in enumerate(
        [("ann", "open"), ("bob", "open"), ("ann", "done"), ("ann", "done"), ("ann", "open")]
    ):
        task(number, owner, status)

    def tasks(query: str) -> list[str]:
        return ids(api, f"/api/group-tasks?{query}", "task_id")

    assert tasks("status=open") == ["gt_4", "gt_1", "gt_0"] and tasks("status=done") == ["gt_3", "gt_2"]
    assert tasks("owner=ann") == ["gt_4", "gt_0"] and tasks("owner=ann&status=done") == ["gt_3", "gt_2"]
    assert tasks("owner=nobody") == []
