"""Losses: kept once, said once, with what came before them; seen by whoever sees the guide."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.churn import rules, service, words
from chalicelib.churn.models import LossItem
from chalicelib.churn.renaming import move
from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer, Follow
from chalicelib.notices import service as notices
from chalicelib.platform import auth, clock, due, timeline
from chalicelib.platform.auth import Scope
from chalicelib.platform.timeline_line import Line
from chalicelib.stores import guides
from tests.orders.test_orders_scopes import staff_store

KEPT = {
    ("GET", "/api/churn"),
    ("GET", "/api/churn/rates"),
    ("GET", "/api/churn/risk"),
    ("GET", "/api/churn/summary"),
}
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LIST = "/api/churn"
S1 = Scope(("s1",))
Ask = Callable[..., Any]


def lost(who: str, guide: str, by: str = "customer", ago: int = 0, **more: Any) -> Line:
    data = {"staff_id": guide, "by": by, "ends": True, "last": True, "channel": "parcel"} | more
    return Line(who, "customer_lost", NOW - timedelta(hours=ago), f"{who}{guide}", data)


def contact(who: str, guide: str, type_: str, ago: int, **data: Any) -> Line:
    return Line(who, type_, NOW - timedelta(hours=ago), f"{type_}{ago}", {"staff_id": guide} | data)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The notices that were ordered: (to, kind, key), each once."""
    orders: list[tuple[str, str, str]] = []

    def add(staff_id: str, kind: str, key: str, data: Any) -> None:
        if (staff_id, kind, key) not in orders:
            orders.append((staff_id, kind, key))

    monkeypatch.setattr(notices, "add", add)
    return orders


@pytest.fixture
def world(tables: None, at: Callable[[datetime], None], sent: Any) -> Iterator[None]:
    """Ann is a guide of s1, whose manager is mo; bob of s2."""
    at(NOW)
    guides.forget()
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    auth.UserItem(
        "mo", staff_id="mo", role="store_manager", scope={"store_ids": ["s1"]}, version=1, created_at="2026"
    ).save()
    for number, guide in enumerate(("ann", "ann", "bob")):
        follow = Follow("lost", NOW, NOW - timedelta(days=2, hours=3))
        customers.save(Customer(f"wm{number}", name=f"客户{number}", follows={guide: follow}))
    yield
    guides.forget()


@pytest.fixture
def ask(world: None) -> Iterator[Ask]:
    service.on_line(lost("wm0", "ann", ago=30))
    service.on_line(lost("wm1", "ann", by="staff", ago=1))
    service.on_line(lost("wm2", "bob"))
    with Client(app) as client:

        def call(method: str, path: str, body: Any = None, role: str = "operator", scope: Any = None) -> Any:
            headers = {"Authorization": f"Bearer {auth.create_key('k', role, scope)}"}
            raw = b"" if body is None else json.dumps(body).encode()
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        yield call


def test_it_is_kept_and_said_once_however_often_it_comes(
    world: None, sent: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = lost("wm0", "ann")
    monkeypatch.setattr(due, "put", lambda *_: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):  # killed before the last of its writes
        service.on_line(line)
    monkeypatch.undo()
    monkeypatch.setattr(
        notices, "add", lambda *given: sent.append(given[:3]) if given[:3] not in sent else None
    )
    service.on_line(line)
    service.on_line(line)
    assert [(to, kind) for to, kind, _ in sent] == [
        ("ann", "customer_lost"),
        ("mo", "customer_lost_of_guide"),
    ]
    assert len(list(LossItem.query("ann"))) == 1


def test_a_handover_and_a_bond_that_had_ended_are_no_losses(world: None, sent: list[Any]) -> None:
    service.on_line(lost("wm0", "ann", by="transfer"))
    service.on_line(lost("wm1", "ann", ends=False))
    assert not sent and not list(LossItem.scan())


def test_who_deleted_a_customer_is_not_reminded_of_it_but_their_manager_is(
    world: None, sent: list[Any]
) -> None:
    service.on_line(lost("wm1", "ann", by="staff"))
    assert [(to, kind) for to, kind, _ in sent] == [("mo", "customer_lost_of_guide")]


def test_what_came_before_is_looked_for_again_a_day_later(world: None) -> None:
    line = lost("wm0", "ann")
    timeline.record(contact("wm0", "ann", "welcome_sent", 50, ms=10, how="full"))
    service.on_line(line)
    [item] = LossItem.query("ann")
    assert item.after["type"] == "welcome_sent"
    touch = {"sop_id": "sop_1", "step_id": "hello", "push_id": "p"}
    timeline.record(contact("wm0", "ann", "touch_sent", 2, **touch))  # its result was asked for later
    timeline.record(contact("wm0", "bob", "touch_sent", 1, **touch))  # another guide's
    service.look_again("ann", item.place)
    [item] = LossItem.query("ann")
    assert (item.after["type"], item.after["sop_id"], item.after["seconds"]) == ("touch_sent", "sop_1", 7200)
    service.look_again("ann", "2026#gone#ann")


def test_a_contact_of_more_than_a_week_before_or_of_afterwards_explains_nothing() -> None:
    lines = [contact("wm0", "ann", "touch_sent", hours) for hours in (24 * 7 + 1, -1)]
    assert rules.last_contact(lines, "ann", NOW) is None
    lines.append(contact("wm0", "ann", "tags_changed", 1))
    assert rules.last_contact(lines, "ann", NOW) is None


def test_the_list(ask: Ask) -> None:
    status, page = ask("GET", LIST)
    assert status == 200
    assert [(row["external_userid"], row["by"], row["days"]) for row in page["items"]] == [
        ("wm2", "customer", 2),
        ("wm1", "guide", 2),
        ("wm0", "customer", 0),
    ]
    assert [row["customer_name"] for row in ask("GET", f"{LIST}?by=guide")[1]["items"]] == ["客户1"]
    assert [
        row["external_userid"] for row in ask("GET", f"{LIST}?staff_id=ANN&from=2026-11-22")[1]["items"]
    ] == ["wm1"]
    assert len(ask("GET", f"{LIST}?after=none")[1]["items"]) == 3
    assert ask("GET", f"{LIST}?after=touch_sent")[1]["items"] == []
    assert ask("GET", f"{LIST}?channel=none")[1]["items"] == []
    pages = [ask("GET", f"{LIST}?limit=1")[1]]
    while pages[-1]["next_cursor"]:
        pages.append(ask("GET", f"{LIST}?limit=1&cursor={pages[-1]['next_cursor']}")[1])
    assert [row["external_userid"] for one in pages for row in one["items"]] == ["wm2", "wm1", "wm0"]


def test_a_manager_sees_the_losses_of_their_own_guides(ask: Ask) -> None:
    manager = {"role": "store_manager", "scope": S1}
    rows = ask("GET", LIST, **manager)[1]["items"]
    assert [(row["external_userid"], row["customer_name"], row["can_open"]) for row in rows] == [
        ("wm1", "客户1", False),
        ("wm0", "客户0", False),
    ]
    assert ask("GET", f"{LIST}?staff_id=bob", **manager)[1]["items"] == []
    assert ask("GET", f"{LIST}?store_id=s2", **manager)[0] == 404
    assert {row["external_userid"] for row in ask("GET", LIST, role="auditor")[1]["items"]} == {"***"}


def test_rates_by_guide_by_channel_and_by_sop(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    bases = {"staff": [["ann", 8], ["cat", 5]], "channel": [["parcel", 7], [None, 2]]}
    monkeypatch.setattr("chalicelib.lake.asking.ask", lambda question, of, guides: {"counts": bases[of]})
    rows = ask("GET", f"{LIST}/rates")[1]["items"]
    assert [
        (r["id"], r["lost"], r["by_customer"], r["by_guide"], r["whole"], r["rate_bps"]) for r in rows
    ] == [
        ("ann", 2, 1, 1, 10, 2000),
        ("bob", 1, 1, 0, 1, 10000),
        ("cat", 0, 0, 0, 5, 0),
    ]
    rows = ask("GET", f"{LIST}/rates?of=channel")[1]["items"]
    assert [(r["id"], r["lost"], r["whole"]) for r in rows] == [("parcel", 3, 10), ("unknown", 0, 2)]
    assert ask("GET", f"{LIST}/rates?of=sop")[1]["items"] == []
    status, problem = ask("GET", f"{LIST}/rates?from=2026-01-01&to=2026-11-22")
    assert status == 422 and problem["errors"][0]["field"] == "from"


def test_a_summary_of_the_period(ask: Ask) -> None:
    status, seen = ask("GET", f"{LIST}/summary?from=2026-11-20&to=2026-11-22")
    assert status == 200 and (seen["lost"], seen["by_customer"], seen["by_guide"]) == (3, 2, 1)
    assert [(day["day"], day["by_customer"], day["by_guide"]) for day in seen["days"]] == [
        ("2026-11-20", 0, 0),
        ("2026-11-21", 1, 0),  # by the clock of Shanghai
        ("2026-11-22", 1, 1),
    ]
    assert seen["after"] == [{"type": None, "count": 3}]
    assert ask("GET", f"{LIST}/summary", role="store_manager", scope=S1)[1]["lost"] == 2


def test_settings_are_checked_and_versioned(ask: Ask) -> None:
    status, kept = ask("GET", f"{LIST}/settings")
    assert status == 200 and kept["notify_guide"] and kept["risk"]["all"]
    status, problem = ask("PUT", f"{LIST}/settings", {"risk": {"all": [{"nothing": {"in": []}}]}})
    assert status == 422 and problem["errors"][0]["field"].startswith("risk.all[0]")
    wanted = {"notify_guide": False, "notify_manager": False, "risk": {"orders": {"gte": 1}}}
    assert ask("PUT", f"{LIST}/settings", wanted) == (200, wanted)


def test_words(world: None) -> None:
    said = words.to_guide([{"external_userid": "wm0"}, {"external_userid": "wm1"}])
    assert said.startswith("客户0、客户1 把您从好友中删除了")
    data = [{"staff_id": "ann", "by": by} for by in ("customer", "staff", "customer")]
    assert words.to_manager(data) == "客户流失提醒：ann 被 2 位客户删除；ann 删除了 1 位客户。"


def test_losses_follow_a_guide_who_has_another_userid(ask: Ask) -> None:
    assert move("ann", "anna") is False
    rows = ask("GET", f"{LIST}?staff_id=anna")[1]["items"]
    assert [row["external_userid"] for row in rows] == ["wm1", "wm0"] and not list(LossItem.query("ann"))
    assert clock.parse(rows[1]["at"]) == NOW - timedelta(hours=30)
