"""The first import and the repair, against the sandbox: what is stored, what is counted, what is not begun."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.facts import service as facts
from chalicelib.groups.models import MemberItem
from chalicelib.imports import models, part_customers, service
from chalicelib.platform import jobs, timeline
from chalicelib.platform.jobs import JobItem
from chalicelib.platform.timeline import TimelineItem
from chalicelib.staff import service as staff
from chalicelib.tags import models as tags
from chalicelib.wecom import client as wecom_client
from chalicelib.wecom.errors import WeComError
from infra.sandbox.config import new_private_key
from tests.support.api import Api
from tests.support.group_world import Sent, lines
from tests.support.import_world import ImportWorld, customer, shown, types_of

GET = "get_by_user"
SAME = {"seen": 0, "new": 0, "changed": 0}


def refused(code: int) -> WeComError:
    return WeComError(f"externalcontact/batch/{GET}", code)


@pytest.fixture(scope="module")
def pay_keys() -> dict[str, str]:
    return {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}


@pytest.fixture
def world(
    tables: None,
    pay_keys: dict[str, str],
    sent: Sent,
    at: Callable[[datetime], None],
    monkeypatch: pytest.MonkeyPatch,
) -> ImportWorld:
    monkeypatch.setenv("WECOM_CORP_ID", "ww5a6d0b0x0sandbox1")
    made = ImportWorld(sent, at, pay_keys)
    monkeypatch.setattr(wecom_client, "default_client", lambda: made.corp)
    return made


def populate(world: ImportWorld) -> None:
    """Two guides, three customers, one of them with both; a tag; a group of two."""
    for who, guide in (("wm1", "lihua"), ("wm2", "lihua"), ("wm3", "wangwu"), ("wm2", "wangwu")):
        world.add(guide, who, add_way={"wm3": 10}.get(who, 1))
    world.actions.edit("lihua", "wm1", remark="王女士")
    group = world.corp.add_corp_tag("等级", ["VIP", "银卡"])
    world.corp.mark_tag("lihua", "wm1", [group["tag"][0]["id"]])
    world.corp.mark_tag("wangwu", "wm2", [group["tag"][1]["id"]])
    world.actions.add_group("lihua", "福利群", ["wm1", "wm9"])
    world.at(world.now + timedelta(days=1))


def test_all_that_the_corp_has_is_there_afterwards(world: ImportWorld) -> None:
    populate(world)
    assert world.run_import() == {
        "staff": {"seen": 2, "new": 2, "changed": 0},
        "tags": {"seen": 2, "new": 2, "changed": 0},
        "customers": {"seen": 3, "new": 3, "changed": 0},
        "groups": {"seen": 1, "new": 1, "changed": 0},
    }
    one, two, three = (customer(f"wm{n}") for n in (1, 2, 3))
    assert (one.name, one.unionid) != ("", None)
    assert (one.follows["lihua"].remark, one.tags, one.channel) == ("王女士", ("等级/VIP",), None)
    assert set(two.follows) == {"lihua", "wangwu"} and two.tags == ("等级/银卡",)
    assert three.channel == "video" and three.follows["wangwu"].stands
    assert staff.find_name("lihua") == world.sandbox.world.staff("lihua").name
    assert tags.known(["等级/VIP"])
    assert {row.member_id for row in MemberItem.query(shown_group(world))} == {"lihua", "wm1", "wm9"}


def shown_group(world: ImportWorld) -> str:
    return next(iter(world.sandbox.world.state.groups))


def test_nobody_imported_is_new(world: ImportWorld) -> None:
    populate(world)
    world.run_import()
    assert sorted(types_of("wm1")) == ["customer_imported", "group_member_imported"]
    assert types_of("wm2") == ["customer_imported"] * 2
    assert {queue for queue, _, _ in world.sent} == set()  # no welcome, no tag, no notice
    found = [timeline._line(item) for item in TimelineItem.scan() if item.type.endswith("_imported")]
    for line in found:
        facts.on_line(line)
    known = facts.get("wm1")
    assert known is not None and known.added_at == customer("wm1").follows["lihua"].added_at
    assert (known.tags, known.groups) == (("等级/VIP",), (shown_group(world),))


def test_again_it_finds_nothing_and_writes_no_customer(world: ImportWorld) -> None:
    populate(world)
    world.run_import()
    before = {who: customer(who) for who in ("wm1", "wm2", "wm3")}
    again = world.run_import()
    assert again["customers"] == {**SAME, "seen": 3} and again["staff"] == {**SAME, "seen": 2}
    assert again["groups"] == {**SAME, "seen": 1} and again["tags"] == {**SAME, "seen": 2}
    assert {who: customer(who) for who in before} == before


def test_a_repair_finds_what_no_callback_told(world: ImportWorld) -> None:
    populate(world)
    world.run_import()
    world.at(world.now + timedelta(days=1))
    ids = {tag.name: tag.id for tag in world.sandbox.world.state.tags.values()}
    world.actions.edit("lihua", "wm1", remark="王姐")
    world.corp.mark_tag("lihua", "wm1", [ids["银卡"]], [ids["VIP"]])
    world.add("lihua", "wm4", add_way=16)
    world.add("wangwu", "wm1")
    world.actions.delete_by_staff("wangwu", "wm3")
    world.at(world.now + timedelta(days=1))
    assert world.run_import()["customers"] == {"seen": 3, "new": 1, "changed": 2}
    one = customer("wm1")
    assert (one.follows["lihua"].remark, one.tags) == ("王姐", ("等级/银卡",))
    assert one.follows["wangwu"].stands and customer("wm4").channel == "acquisition_link"
    assert customer("wm3").follows["wangwu"].status == "lost"
    lost = lines("wm3", "customer_lost")[0]
    assert (lost["by"], lost["ends"], lost["last"]) == ("staff", True, True)
    assert world.run_import()["customers"] == {**SAME, "seen": 3}


def test_a_tag_that_one_of_two_guides_took_off_stays_while_the_other_has_it(world: ImportWorld) -> None:
    populate(world)
    world.run_import()
    ids = {tag.name: tag.id for tag in world.sandbox.world.state.tags.values()}
    world.corp.mark_tag("lihua", "wm2", [ids["VIP"]])
    assert world.run_import()["customers"] == {**SAME, "seen": 3, "changed": 1}
    assert customer("wm2").tags == ("等级/VIP", "等级/银卡")
    world.corp.mark_tag("wangwu", "wm2", [], [ids["银卡"]])
    assert world.run_import()["customers"]["changed"] == 1
    assert customer("wm2").tags == ("等级/VIP",)


def test_who_has_deleted_us_is_still_in_the_book_and_not_lost(world: ImportWorld) -> None:
    """WeCom goes on to list whoever deleted a guide; the loss that was heard stands."""
    populate(world)
    world.hear(world.actions.delete_by_customer("lihua", "wm1"))
    world.run_import()
    assert customer("wm1").follows["lihua"].status == "lost"
    assert customer("wm1").follows["lihua"].added_at is not None


def test_a_half_friend_is_not_listed_and_not_lost(world: ImportWorld) -> None:
    world.add("lihua", "wm1", heard=True, half=True)
    world.at(world.now + timedelta(days=1))
    world.run_import()
    assert customer("wm1").follows["lihua"].status == "half"


def test_each_customer_counts_once_however_the_pages_fall(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wecom_client, "_LIST_PAGE", 1)
    monkeypatch.setattr(part_customers, "_GUIDES", 2)
    for guide in ("ann", "bob", "cat"):
        world.actions.add_staff(guide)
        for who in ("wm1", "wm2"):
            world.add(guide, who)
    assert world.run_import()["customers"] == {"seen": 2, "new": 2, "changed": 0}
    assert world.corp.calls[GET] == 6
    world.actions.edit("cat", "wm1", remark="x")
    world.actions.edit("bob", "wm1", remark="y")
    assert world.run_import()["customers"] == {"seen": 2, "new": 0, "changed": 1}
    assert {s: f.remark for s, f in customer("wm1").follows.items()}["bob"] == "y"


# A callback meanwhile


def during(world: ImportWorld, act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something happen between WeCom's page and the work on it."""
    real, once = world.corp.customers_of, [act]

    def customers_of(*given: Any, **named: Any) -> Any:
        page = real(*given, **named)
        if once:
            once.pop()()
        return page

    monkeypatch.setattr(world.corp, "customers_of", customers_of)


def test_a_remark_that_changed_behind_the_page_stays(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add("lihua", "wm1", heard=True)
    world.actions.edit("lihua", "wm1", remark="old")  # not heard
    during(world, lambda: world.hear(world.actions.edit("lihua", "wm1", remark="new")), monkeypatch)
    world.run_import()
    assert customer("wm1").follows["lihua"].remark == "new"


def test_who_left_behind_the_page_stays_lost(world: ImportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for who in ("wm1", "wm2"):
        world.add("lihua", who)

    def leave() -> None:
        world.hear(world.actions.delete_by_staff("lihua", "wm1"))
        world.hear(world.actions.delete_by_customer("lihua", "wm2"))

    during(world, leave, monkeypatch)
    world.run_import()
    assert [customer(who).follows["lihua"].status for who in ("wm1", "wm2")] == ["lost", "lost"]


def test_who_came_behind_the_page_is_not_lost(world: ImportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("lihua", "wm1")
    during(world, lambda: world.add("lihua", "wm2", heard=True), monkeypatch)
    assert world.run_import()["customers"] == {"seen": 1, "new": 1, "changed": 0}
    assert customer("wm2").follows["lihua"].stands and types_of("wm2") == ["customer_added"]


@pytest.mark.parametrize("imported_first", [True, False])
def test_an_add_and_an_import_in_either_order_are_the_same(world: ImportWorld, imported_first: bool) -> None:
    """An import may be faster than the event: the add still begins the bond, and counts."""
    done = world.actions.add("lihua", external_userid="wm1", state="x", welcome=False)
    if imported_first:
        world.run_import()
    world.hear(done)
    if not imported_first:
        world.run_import()
    added = lines("wm1", "customer_added")[0]
    assert (added["begins"], added["first"], added["ends"]) == (True, True, False)
    follow = customer("wm1").follows["lihua"]
    assert (follow.status, follow.imported) == ("active", False)
    assert world.run_import()["customers"] == {**SAME, "seen": 1}


# WeCom's limits


def test_it_waits_for_wecom_as_later_work(world: ImportWorld) -> None:
    populate(world)
    for code in (45009, 45033):
        world.corp.wire.fail[GET] = [refused(code)]
        service.start()
        for _ in range(2):
            for message in world.steps():
                assert world.work(message) == []
        now = shown()
        assert now.status == "running" and now.resumes_at == (world.now + timedelta(minutes=1)).isoformat(
            timespec="microseconds"
        )
        assert not world.steps()
        assert world.finish()["customers"]["seen"] == 3
        assert shown().resumes_at is None


def test_what_only_an_operator_can_mend_fails_the_job_and_is_resumed(world: ImportWorld, api: Api) -> None:
    populate(world)
    world.corp.wire.fail[GET] = [refused(60020)]
    job_id = api.post("/api/imports", {})[1]["job_id"]
    for message in world.steps():
        world.work(message)
    job = jobs.get(job_id)
    assert (job.status, job.can_resume) == ("failed", True) and shown().can_resume
    assert shown().error == "企业微信拒绝了 externalcontact/batch/get_by_user，错误码 60020"
    assert api.post(f"/api/jobs/{job_id}/resume")[0] in (200, 202)
    assert world.finish()["customers"] == {"seen": 3, "new": 3, "changed": 0}


def test_a_guide_who_cannot_be_asked_for_holds_up_nobody(world: ImportWorld) -> None:
    populate(world)
    world.corp.wire.fail[GET] = [refused(60111), refused(60111)]
    assert world.run_import()["customers"]["seen"] == 2  # those of wangwu
    assert [one.staff_id for one in shown().unread] == ["lihua"]


def test_a_cursor_that_lapsed_begins_the_batch_anew_and_counts_nobody_twice(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wecom_client, "_LIST_PAGE", 1)
    populate(world)
    world.corp.wire.fail[GET] = [None, None, refused(50100)]
    assert world.run_import()["customers"] == {"seen": 3, "new": 3, "changed": 0}
    newest = models.current()
    assert newest is not None and newest.progress("customers").done == 4


# One at a time


def test_two_at_once_are_one_job(world: ImportWorld, api: Api) -> None:
    first, second = (api.post("/api/imports", {}) for _ in range(2))
    assert first[0] == second[0] == 202 and first[1]["job_id"] == second[1]["job_id"]
    assert len(world.steps()) == 1
    assert api.post("/api/imports", {})[1]["job_id"] == first[1]["job_id"]


def test_two_that_are_started_at_the_same_instant_are_one(engine: str, sent: Sent) -> None:
    with ThreadPoolExecutor(8) as pool:
        begun = {job.job_id for job in pool.map(lambda _: service.start(), range(8))}
    assert len(begun) == 1
    assert len(list(JobItem.scan())) == 1
    assert {message["turn"] for _, message, _ in sent} == {0}


def test_one_that_was_killed_before_its_job_was_there_goes_on(world: ImportWorld) -> None:
    run = service._current_or_new()
    assert service.start().job_id == run.job_id
    assert world.finish()["customers"] == SAME
    assert service.start().job_id != run.job_id


def test_a_message_that_comes_twice_makes_no_second_chain(world: ImportWorld) -> None:
    populate(world)
    service.start()
    (message,) = world.steps()
    models.take(message["import_id"], 0, world.now + timedelta(seconds=150))
    world.work(message)
    assert not world.steps()  # another has it
    world.at(world.now + timedelta(seconds=151))
    assert models.find(message["import_id"]).part == "staff"  # type: ignore[union-attr]
    world.work(message)
    assert shown().status == "finished"
    world.work(message)
    assert not world.steps()


def test_it_is_said_how_far_it_is_and_when_it_ends(
    world: ImportWorld, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wecom_client, "_LIST_PAGE", 1)
    populate(world)
    api.post("/api/imports", {})
    real, pages = world.corp.customers_of, []

    def slow(*given: Any, **named: Any) -> Any:
        world.at(world.now + timedelta(seconds=31))
        pages.append(api.get("/api/imports")[1]["items"][0])
        return real(*given, **named)

    monkeypatch.setattr(world.corp, "customers_of", slow)
    world.finish()
    third = pages[2]  # two of four bonds read, in 93 seconds of it
    assert third["parts"][2] | {"began_at": None} == {
        "part": "customers", "status": "running", "seen": 2, "new": 2, "changed": 0, "done": 2, "total": 4,
        "began_at": None, "ended_at": None,
    }  # fmt: skip
    left = datetime.fromisoformat(third["ends_at"]) - (datetime.fromisoformat(third["parts"][2]["began_at"]))
    assert timedelta(seconds=150) <= left <= timedelta(seconds=240)
    answer = api.get(f"/api/imports/{third['import_id']}")[1]
    assert answer["status"] == "finished" and answer["ends_at"] is None and answer["ended_at"]
    assert api.get("/api/imports/imp_none")[0] == 404
    assert api.get("/api/imports/%23current")[0] == 404


def test_who_may(world: ImportWorld, api: Api) -> None:
    assert api.acting_as("auditor").post("/api/imports", {})[0] == 403
    assert api.acting_as("auditor").get("/api/imports")[0] == 200
    assert api.post("/api/imports", {"x": 1})[0] == 422


def test_a_crowd_of_the_sandbox_is_imported_with_real_pages(world: ImportWorld) -> None:
    world.sandbox.gather(600, guides=4, groups=2)
    assert world.run_import() == {
        "staff": {"seen": 4, "new": 4, "changed": 0},
        "tags": {"seen": 8, "new": 8, "changed": 0},
        "customers": {"seen": 600, "new": 600, "changed": 0},
        "groups": {"seen": 2, "new": 2, "changed": 0},
    }
    assert world.corp.calls[GET] == 7  # 660 bonds
    world.actions.delete_by_staff("crowd00003", "wmcrowd0000000000000000000000003")
    world.actions.edit("crowd00000", f"wmcrowd{0:025d}", remark="neu")
    world.at(world.now + timedelta(days=1))
    assert world.run_import()["customers"]["changed"] >= 1


@pytest.fixture
def api(world: ImportWorld) -> Any:
    with Client(app) as client:
        yield Api(client)
