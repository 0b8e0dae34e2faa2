"""A member of staff whose userid WeCom changes: what is kept under the old one is the new one's."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.assignments import caps, confirmation
from chalicelib.assignments.models import TOTAL, account_key, member_key
from chalicelib.callbacks import service as callbacks
from chalicelib.customers import models as customers
from chalicelib.groups.models import ChatItem, TaskItem
from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth, declared
from chalicelib.platform.auth import UserItem
from chalicelib.platform.due import DueItem
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.storage import Transaction
from chalicelib.prospects import brand_settings
from chalicelib.prospects.models import ProspectItem
from chalicelib.prospects.models import TaskItem as DayItem
from chalicelib.renames import service as renames
from chalicelib.roster import service as roster
from chalicelib.scans import service as scans
from chalicelib.segments.models import SegmentItem
from chalicelib.sops.models import EnrolmentItem
from chalicelib.staff import ramps
from chalicelib.staff import service as staff
from chalicelib.staff.types import StaffLimits
from chalicelib.stores import service as stores
from chalicelib.stores.types import NewStore
from chalicelib.views.models import ViewItem
from chalicelib.wecom import events
from infra.sandbox.events import event_xml
from tests.support.scan_support import DAY, NOON, FakeWeCom, definition

CORP = "ww1a2b3c4d5e6f7081"
At = Callable[[datetime], None]
SHARED_VIEW = "q=ann&staff_id={}"
PROSPECT = "abcdefgh234567abcdefgh2345"


def told(
    change: str, userid: str, kind: str = "change_contact", moment: datetime = NOON, **more: Any
) -> None:
    xml = event_xml(CORP, int(moment.timestamp()), kind, ChangeType=change, UserID=userid, **more)
    callbacks.handle(events.parse(xml.encode()).to_message())
    ramps.forget()


@pytest.fixture
def world(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> Iterator[livecodes.LiveCode]:
    """Ann is in a code and a store, has customers, enrolled ones, prospects, a group, a role, a limit."""
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    staff.learn("ann")
    roster.limit("ann", StaffLimits(started_at=None, daily_cap=7), SYSTEM)
    code = livecodes.create(definition({"staff_id": "ann", "daily_cap": 5}, {"staff_id": "bo"}))
    stores.create(
        NewStore(store_id="s1", name="One", latitude=22.5, longitude=113.9, staff_ids=["ann"]), SYSTEM
    )
    for number in range(3):
        told("add_external_contact", "ann", "change_external_contact", ExternalUserID=f"wm{number}")
    EnrolmentItem("wm0", "sop_1", status="active", anchor_at="2026", staff_id="ann", placed="2026#wm0").save()
    brand_settings.enlist(["ann"])
    own = {
        "listing": "segment",
        "created_at": "2026",
        "updated_at": "2026",
        "version": 1,
        "name": "x",
        "kind": "live",
    }
    rule = {"not": {"any": [{"staff_id": {"in": ["ann", "bo"]}}, {"tag": {"any": ["ann"]}}]}}
    SegmentItem("seg_1", rule=rule, **own).save()
    for shelf, view_id, asked in (("own#ann", "v1", ""), ("shared", "v2", SHARED_VIEW.format("ann"))):
        its = {
            "list": "customers",
            "permission": "me.read",
            "name": "x",
            "owner_name": "Ann",
            "created_at": "2026",
        }
        ViewItem(
            shelf, view_id, query_string=asked, owner="ann" if shelf != "shared" else "bo", scope={}, **its
        ).save()
    item = ProspectItem(
        "abcdefgh", PROSPECT, version=1, import_id="im_1", line=1, created_at="2026-11-23T00:00:00+00:00"
    )
    from chalicelib.prospects.models import placed

    placed(item, "ann", "to_add", "2026-11-23T00:00:00+00:00")
    item.save()
    DayItem("ann", DAY, tasks=[[PROSPECT, "im_1"]], version=1).save()
    chat = ChatItem("wr1", listing="chat", name="g", owner="ann", status="normal")
    for name, value in (
        ("people", 1),
        ("staff", 1),
        ("reserved", 0),
        ("taken", 1),
        ("member_version", ""),
        ("passed", []),
    ):
        setattr(chat, name, value)
    chat.save()
    task = TaskItem("t1", kind="open_group", status="open", how="owner", created_at="2026", chat_id="wr1")
    task.owner = task.waits_for = "ann"
    task.asked = 0
    task.save()
    UserItem("ann", staff_id="ann", role="operator", status="active", version=1, created_at="2026").save()
    yield livecodes.get(code.live_code_id)


def rename_all(old: str = "ann", new: str = "annie") -> None:
    renames.run(old, new, milliseconds_left=lambda: 60_000)
    ramps.forget()


def is_moved(code: livecodes.LiveCode, old: str = "ann", new: str = "annie") -> None:
    assert livecodes.get(code.live_code_id).rule.staff_ids == [new, "bo"]
    assert stores.get("s1", SYSTEM).staff_ids == [new]
    assert list(customers.places_of_guide(old, None, 9)) == []
    assert len(list(customers.places_of_guide(new, None, 9))) == 3
    assert customers.load("wm1").staff_ids == [new]
    assert EnrolmentItem.find("wm0", "sop_1").staff_id == new
    prospect = ProspectItem.find("abcdefgh", PROSPECT)
    assert (prospect.staff_id, prospect.lane, prospect.status) == (new, f"{new}#to_add", "to_add")
    assert DayItem.find(old, DAY) is None and DayItem.find(new, DAY).tasks == [[PROSPECT, "im_1"]]
    assert brand_settings.guides() == {old: "left", new: "active"}
    assert ChatItem.find("wr1").owner == new
    assert (TaskItem.find("t1").owner, TaskItem.find("t1").waits_for) == (new, new)
    assert UserItem.find(new).role == "operator"
    assert roster.get(new, SYSTEM).daily_cap == 7
    assert SegmentItem.find("seg_1").rule == {
        "not": {"any": [{"staff_id": {"in": [new, "bo"]}}, {"tag": {"any": [old]}}]}
    }
    assert (
        not list(ViewItem.query("own#" + old))
        and SHARED_VIEW.format(new) == ViewItem.find("shared", "v2").query_string
    )
    (mine,) = ViewItem.query("own#" + new)
    assert (mine.view_id, mine.owner) == ("v1", new)


def taken(code: livecodes.LiveCode, staff_id: str) -> list[int]:
    key = member_key(code.live_code_id, staff_id)
    keys = [(key, DAY), (key, TOTAL), (account_key(staff_id), DAY)]
    return [caps.read([one]).get(one, caps.NOTHING).taken for one in keys]


def test_all_that_is_kept_under_the_old_id_is_the_new_ones(
    world: livecodes.LiveCode, wecom: FakeWeCom
) -> None:
    scans.scan(world.code)
    before = taken(world, "ann")
    assert before == [1, 1, 1]
    told("update_user", "Ann", NewUserID="Annie", Status=1)
    assert {scans.scan(world.code).staff_id for _ in range(3)} == {"bo"}  # at once
    told("update_user", "Ann", NewUserID="Annie", Status=1)  # told twice
    rename_all()
    is_moved(world)
    assert (taken(world, "annie"), taken(world, "ann")) == ([1, 1, 1], [0, 0, 0])
    assert {scans.scan(world.code).staff_id for _ in range(4)} == {"annie", "bo"}
    assert staff.name("ann") == "Ann女士"  # history has the name
    assert [row.staff_id for row in staff.members(None)] == ["annie"]
    rename_all()
    is_moved(world)
    assert len({(row.bucket, row.sort) for row in DueItem.scan() if "staff_rename" in row.sort}) == 3


def test_a_session_goes_on(world: livecodes.LiveCode) -> None:
    assert auth.find_person("ann").role == "operator"  # type: ignore[union-attr]
    told("update_user", "ann", NewUserID="annie")
    rename_all()
    person = auth.find_person("ann")
    assert person is not None and (person.id, person.role) == ("annie", "operator")


def test_what_still_names_the_old_id_is_the_new_ones(world: livecodes.LiveCode) -> None:
    told("update_user", "ann", NewUserID="annie")
    rename_all()
    told("add_external_contact", "ann", "change_external_contact", ExternalUserID="wm9")
    told("del_follow_user", "ann", "change_external_contact", NOON + timedelta(1), ExternalUserID="wm1")
    assert customers.load("wm9").staff_ids == ["annie"]
    assert customers.load("wm1").staff_ids == []


def test_what_is_printed_for_the_old_id_and_who_was_given_to_it_stay_with_the_guide(
    world: livecodes.LiveCode, wecom: FakeWeCom
) -> None:
    poster = poster_links.sign(world.live_code_id, "guide", "ann")
    seen = [scans.scan(world.code, poster=poster) for _ in range(2)]
    tx = Transaction()
    confirmed = confirmation.confirm(tx, world, "ann", "wm9", NOON)
    tx.commit()
    assert confirmed is not None
    open_, added = sorted(seen, key=lambda got: got.assignment_id == confirmed.assignment_id)
    told("update_user", "ann", NewUserID="annie")
    rename_all()
    assert [scans.scan(world.code, poster=poster).staff_id for _ in range(2)] == ["annie"] * 2
    assert scans.scan(world.code, poster=poster, reserves=False).staff_id == "annie"
    again = scans.scan(world.code, added.cookie)
    assert (again.staff_id, again.assignment_id, again.expires_at) == ("annie", added.assignment_id, None)
    assert again.qr_url == scans.scan(world.code, added.cookie).qr_url
    anew = scans.scan(world.code, open_.cookie)  # the old reservation lapses: its way is the old id's
    assert anew.staff_id == "annie" and anew.assignment_id != open_.assignment_id
    assert scans.scan(world.code, anew.cookie) == anew


def test_a_rename_that_is_undone_leaves_the_old_work_void(world: livecodes.LiveCode) -> None:
    told("update_user", "ann", NewUserID="annie")
    rename_all()
    told("update_user", "annie", moment=NOON + timedelta(minutes=1), NewUserID="ann")
    rename_all("annie", "ann")
    rename_all()  # the first one's late round
    assert livecodes.get(world.live_code_id).rule.staff_ids == ["ann", "bo"]
    assert customers.load("wm1").staff_ids == ["ann"]
    assert auth.find_person("annie").id == "ann"  # type: ignore[union-attr]
    assert roster.get("ann", SYSTEM).status == 1 and roster.get("ann", SYSTEM).daily_cap == 7
    assert {scans.scan(world.code).staff_id for _ in range(4)} == {"ann", "bo"}


def test_what_comes_late_changes_nothing_and_a_newcomer_may_have_the_old_id(
    world: livecodes.LiveCode,
) -> None:
    told("update_user", "ann", NewUserID="annie", Status=1)
    told("update_user", "ann", moment=NOON + timedelta(minutes=1), Status=1)  # told before, heard after
    assert {scans.scan(world.code).staff_id for _ in range(3)} == {"bo"}
    rename_all()
    told("update_user", "annie", moment=NOON + timedelta(minutes=2), NewUserID="ann")
    told("update_user", "ann", NewUserID="annie", Status=1)  # the first one again
    rename_all("annie", "ann")
    assert livecodes.get(world.live_code_id).rule.staff_ids == ["ann", "bo"]
    told("create_user", "annie", moment=NOON + timedelta(minutes=3), Name="Another")
    assert not staff.has_left("annie") and staff.current_id("annie") == "annie"
    rename_all("annie", "ann")  # a late round is void
    staff.learn("annie")
    assert staff.name("annie") == "Annie女士"


class Killed(BaseException):
    """The process."""


@pytest.mark.parametrize("at_write", range(1, 40, 3))
def test_killed_anywhere_and_begun_again_it_ends_the_same(
    world: livecodes.LiveCode, monkeypatch: pytest.MonkeyPatch, at_write: int
) -> None:
    from botocore.client import BaseClient

    told("update_user", "ann", NewUserID="annie")
    writes, real = 0, BaseClient._make_api_call

    def call(self: Any, name: str, params: Any) -> Any:
        nonlocal writes
        answer = real(self, name, params)
        writes += name in ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
        if writes == at_write:
            writes += 1
            raise Killed
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    try:
        renames.run("ann", "annie", milliseconds_left=lambda: 60_000)
    except Killed:
        renames.run("ann", "annie", milliseconds_left=lambda: 60_000)
    ramps.forget()
    is_moved(world)


def test_every_capability_says_what_it_moves() -> None:
    names = [rename.name for renames_of in declared.find("renames", "RENAMES") for rename in renames_of]
    assert sorted(names) == [
        "ads",
        "follows",
        "groups",
        "live_codes",
        "losses",
        "people",
        "places",
        "prospects",
        "segments",
        "sops",
        "stores",
        "views",
    ]


def test_another_spelling_renames_nothing(world: livecodes.LiveCode) -> None:
    told("update_user", "ann", NewUserID="ANN")
    assert livecodes.get(world.live_code_id).rule.staff_ids == ["ann", "bo"]
    assert not [row for row in DueItem.scan() if "staff_rename" in row.sort]


def test_what_can_be_no_userid_renames_nothing(world: livecodes.LiveCode) -> None:
    for new in (" ", "李 华", "-a", "a/b"):
        told("update_user", "ann", NewUserID=new, Status=1)
    assert livecodes.get(world.live_code_id).rule.staff_ids == ["ann", "bo"]
    assert staff.status("ann") == 1 and not [row for row in DueItem.scan() if "staff_rename" in row.sort]


def test_the_id_of_one_who_left_is_the_renamed_one_s(world: livecodes.LiveCode) -> None:
    staff.learn("annie")
    roster.limit("annie", StaffLimits(started_at=None, daily_cap=3), SYSTEM)
    told("delete_user", "annie")
    told("update_user", "ann", moment=NOON + timedelta(days=1), NewUserID="annie")
    rename_all()
    assert (staff.name("annie"), staff.status("annie"), staff.has_left("annie")) == ("Ann女士", 1, False)
    assert roster.get("annie", SYSTEM).daily_cap == 7


def test_a_disabled_guide_who_is_renamed_is_disabled(world: livecodes.LiveCode) -> None:
    told("update_user", "ann", Status=2)
    told("update_user", "ann", moment=NOON + timedelta(minutes=1), NewUserID="annie")
    rename_all()
    assert staff.status("annie") == 2 and staff.has_left("annie")
    assert {scans.scan(world.code).staff_id for _ in range(3)} == {"bo"}
