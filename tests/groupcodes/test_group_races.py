"""Many scans at one moment, on a real engine: never over a limit, nobody sent on while a place is free."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.groups.models import ChatItem
from chalicelib.scans import service as scan_service
from chalicelib.wecom import client as wecom
from infra.sandbox.config import new_private_key
from tests.support.group_world import CORP, Sent, World, chat, counts, person
from tests.support.scan_support import listed


@pytest.fixture
def world(
    engine: str, sent: Sent, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    keys = {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}
    made = World(sent, at, keys)
    monkeypatch.setattr(wecom, "default_client", lambda: made.corp)
    yield made


@pytest.mark.slow
def test_300_scans_over_3_groups_of_50_give_150_reservations_then_staff(world: World) -> None:
    groups = [world.group(name=f"福利群{n}") for n in (1, 2, 3)]
    for chat_id in groups:  # nobody in them yet: not even their owner
        world.hear(world.actions.leave(chat_id, ["lihua"]))
    code = world.code(*groups, limit=50, staff=["wangwu"])
    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(lambda _: scan_service.scan(code.code), range(300)))
    assert Counter(one.chat_id or one.staff_id for one in got) == dict.fromkeys(groups, 50) | {"wangwu": 150}
    assert [counts(chat_id) for chat_id in groups] == [(0, 50, 50)] * 3
    ids = {one.assignment_id for one in got}
    assert len(ids) == 300


def test_scans_joins_and_exits_at_once_agree_in_the_end(world: World) -> None:
    group, other = world.group(), world.group(name="福利群2")
    code = world.code(group, other, limit=20, staff=["wangwu"])
    chance = random.Random(7)
    xmls: list[str] = []

    def come(number: int) -> Any:
        scan = scan_service.scan(code.code)
        if scan.chat_id:
            xmls.append(world.join(scan, person(number)).get("xml", ""))
        assert max(chat(one).taken for one in (group, other)) <= 20
        return scan

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(come, range(30)))
    for chat_id in (group, other):
        leaving = [m["userid"] for m in world.sandbox.world.state.groups[chat_id].members if m["type"] == 2][
            :3
        ]
        xmls.append(world.actions.leave(chat_id, leaving)["xml"])
    pushes = [xml for xml in xmls * 2 if xml]
    chance.shuffle(pushes)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda xml: world.tell(xml, run=False), pushes))
    world.run()
    for item in ChatItem.scan():
        inside = world.sandbox.world.state.groups[item.chat_id].members
        assert counts(item.chat_id)[0] == len(inside)
    world.forward(timedelta(minutes=12), without="group_check")
    rows, _ = listed(code.live_code_id, 100, None)
    # Three in each group were gone before anybody could see by whose code they had come: theirs lapsed.
    assert Counter(r["status"] for r in rows) == {"confirmed": 24, "lapsed": 6}
    confirmed = [r["external_userid"] for r in rows if r["status"] == "confirmed"]
    assert len(set(confirmed)) == 24
    assert sum(counts(one)[1] for one in (group, other)) == 0
