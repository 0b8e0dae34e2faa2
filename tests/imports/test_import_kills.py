"""An import whose worker is killed at each of its writes finds, stores and counts the same."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.customers.models import CustomerItem, FollowItem
from chalicelib.groups.models import MemberItem
from chalicelib.imports import models, service
from chalicelib.platform import storage
from chalicelib.platform.due import DueItem
from chalicelib.platform.jobs import JobItem
from chalicelib.platform.timeline import TimelineItem
from chalicelib.wecom import client as wecom_client
from infra.sandbox.config import new_private_key
from tests.support.group_world import Sent
from tests.support.import_world import ImportWorld, Killer
from tests.support.sops_world import Killed

KEYS = {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}
DEAD = timedelta(minutes=12)  # until a message that nobody finished is handed out again


class Runs:
    """Makes the same corp again and again, each with an empty store."""

    def __init__(
        self,
        empty_tables: Callable[[], None],
        sent: Sent,
        at: Callable[[datetime], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.empty_tables, self.sent, self.at, self.patch = empty_tables, sent, at, monkeypatch
        self.killer = Killer(storage.connection().client)

    def corp(self) -> ImportWorld:
        self.killer.aim(0, False)
        self.empty_tables()
        self.sent.clear()
        world = ImportWorld(self.sent, self.at, KEYS)
        self.patch.setattr(wecom_client, "default_client", lambda: world.corp)
        for who, guide in (("wm1", "lihua"), ("wm2", "lihua"), ("wm2", "wangwu")):
            world.add(guide, who)
        tag = world.corp.add_corp_tag("等级", ["VIP"])["tag"][0]["id"]
        world.corp.mark_tag("lihua", "wm1", [tag])
        world.actions.add_group("lihua", "福利群", ["wm1"])
        world.at(world.now + timedelta(days=1))
        return world

    def changed(self) -> ImportWorld:
        """One that was imported, and in which much has happened since that nobody heard of."""
        world = self.corp()
        world.run_import()
        tag = next(iter(world.sandbox.world.state.tags))
        world.actions.edit("lihua", "wm1", remark="王姐")
        world.corp.mark_tag("wangwu", "wm2", [tag])
        world.actions.delete_by_staff("lihua", "wm2")
        world.add("wangwu", "wm3")
        world.at(world.now + timedelta(days=1))
        return world


def finish_killed(world: ImportWorld, killer: Killer, at: int, after: bool) -> tuple[dict[str, Any], bool]:
    """The result of an import that is killed at that write; False: there are fewer."""
    service.start()
    killer.aim(at, after)
    (message,) = world.steps()
    is_killed = False
    try:
        world.work(message)
    except Killed:
        is_killed = True
        killer.aim(0, False)
        world.at(world.now + DEAD)
        world.work(message, times=2)
    killer.aim(0, False)
    return world.finish(), is_killed


def stored() -> Any:
    """All that is left, without what differs by when it was."""
    lines = sorted((row.subject, row.type, str(row.data)) for row in TimelineItem.scan())
    follows = sorted((row.staff_id, row.place) for row in FollowItem.scan())
    people = sorted((row.chat_id, row.member_id) for row in MemberItem.scan())
    customers = sorted(
        (row.external_userid, row.name, str(row.follows), str(row.tags)) for row in CustomerItem.scan()
    )
    return lines, follows, people, customers


@pytest.fixture
def runs(
    empty_tables: Callable[[], None],
    sent: Sent,
    at: Callable[[datetime], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Runs:
    monkeypatch.setattr(wecom_client, "_LIST_PAGE", 2)
    return Runs(empty_tables, sent, at, monkeypatch)


@pytest.mark.parametrize("what", ["first", "repair"])
def test_killed_at_each_write(runs: Runs, what: str) -> None:
    make = runs.corp if what == "first" else runs.changed
    make().run_import()
    expected = {
        "first": {"seen": 2, "new": 2, "changed": 0},
        "repair": {"seen": 3, "new": 1, "changed": 2},
    }[what]
    honest, at, is_killed = stored(), 1, True
    while is_killed:
        world = make()
        result, is_killed = finish_killed(world, runs.killer, at, after=at % 2 == 0)
        assert result["customers"] == expected, at
        assert result["groups"]["seen"] == 1 and result["tags"]["seen"] == 1, at
        assert result["staff"] == {"seen": 2, "new": 2 if what == "first" else 0, "changed": 0}, at
        assert stored()[1:3] == honest[1:3], at
        assert [line[:2] for line in stored()[0]] == [line[:2] for line in honest[0]], at
        assert [row[:2] + row[3:] for row in stored()[3]] == [row[:2] + row[3:] for row in honest[3]], at
        assert not [row for row in DueItem.scan() if row.kind == "import_step"]
        assert {job.status for job in JobItem.scan()} == {"finished"}
        assert models.current() is not None
        at += 1
    assert at > 25
