"""The first page of each role: every number is what the list behind it holds."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from chalice.test import Client

from app import app
from chalicelib.channels import service as channels
from chalicelib.channels.types import NewChannel
from chalicelib.churn.models import LossItem
from chalicelib.groups.models import ChatItem, TaskItem
from chalicelib.messaging.models import MissedWelcomeItem
from chalicelib.metrics import service as metrics
from chalicelib.payouts.models import PayoutItem
from chalicelib.platform import audit, auth, clock, jobs
from chalicelib.platform.auth import Scope
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.stores import guides
from tests.home.test_pulse_scopes import NOW, Stream
from tests.orders.test_orders_scopes import staff_store

S1 = Scope(("s1",))
Ask = Callable[..., Any]


@pytest.fixture
def ask(tables: None, keys: None, at: Callable[[datetime], None]) -> Iterator[Ask]:
    """Store s1 with ann, s2 with bob: scans, adds, losses, welcomes, orders of today and of a week ago; a task
    of each; a failed job; two payouts; an entry in the audit.
    """
    at(NOW + timedelta(hours=1))
    guides.forget()
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    stream = Stream()
    for n, (guide, channel) in enumerate([("ann", "parcel"), ("ann", "poster"), ("bob", "parcel")]):
        stream.scan(guide, channel)
        stream.add(f"wm{n}", guide, channel)
        stream(f"wm{n}", "welcome_sent" if n else "welcome_missed", staff_id=guide)
        store_id = "s1" if guide == "ann" else "s2"
        stream(f"o{n}", "order_paid", channel=channel, order_id=f"o{n}", paid_fen=9900, store_id=store_id)
    missed = {"external_userid": "wm0", "staff_id": "ann", "reason": "consent", "expires_at": 4 * 10**9}
    MissedWelcomeItem("mw0", listing="waiting", at=clock.iso(NOW), **missed).save()
    stream("wm0", "customer_lost", channel="parcel", staff_id="ann", ends=True, by="customer")
    lost = {"month_shard": f"{NOW:%Y-%m}#0", "at": clock.iso(NOW), "external_userid": "wm0", "by": "customer"}
    LossItem("ann", f"{clock.iso(NOW)}#wm0#ann", last=True, orders=0, paid_fen=0, **lost).save()
    stream("wm1", "touch_failed", staff_id="bob", reason="x")
    early = Line("wm9", "customer_added", NOW - timedelta(days=7), "k",
                 {"channel": "poster", "staff_id": "ann", "begins": True, "ends": False})  # fmt: skip
    metrics.project([(early, "9" * 40)], "other")
    for chat_id, owner in (("wra", "ann"), ("wrb", "bob")):
        figures = {"people": 1, "staff": 1, "reserved": 0, "taken": 1, "member_version": "1", "passed": []}
        made = {"created_at": "2026", "seen_at": "2026"}
        ChatItem(chat_id, listing="chat", name="群", owner=owner, status="normal", **figures, **made).save()
        task = {"kind": "remove_member", "how": "owner", "chat_id": chat_id, "owner": owner, "asked": 1}
        TaskItem(f"gt_{chat_id}", status="open", created_at="2026", waits_for=owner, **task).save()
    channels.create(NewChannel(name="包裹卡", aliases=("parcel",)))
    jobs.update(jobs.start("print_run", 3), status="failed", error="x")
    for payout_id, status in (("pay1", "paid"), ("pay2", "failed")):
        own = {"settlement_id": "st_1", "distributor_id": "d_1", "openid": "o", "name": "王"}
        times = {"created_at": "2026", "changed_at": "2026", "called_at": "2026", "asked_at": "2026"}
        sums = {"gross_fen": 500, "debt_fen": 0, "tax_fen": 0, "amount_fen": 500}
        PayoutItem(payout_id, status=status, rounds=[0], **own, **sums, **times).save()
    tx = Transaction()
    audit.add(tx, "stores.change", "s1", {"name": "a"}, {"name": "b"})
    audit.add(tx, "customers.export", "/api/customers", None, {"format": "csv"})
    tx.commit()
    made_keys: dict[Any, str] = {}
    with Client(app) as client:

        def call(path: str, role: str, scope: Scope | None = None) -> Any:
            if (role, scope) not in made_keys:
                made_keys[role, scope] = auth.create_key("k", role, scope)
            headers = {"Authorization": f"Bearer {made_keys[role, scope]}"}
            answer = client.http.request("GET", path, headers=headers, body=b"")
            return answer.status_code, json.loads(answer.body)

        yield call
    guides.forget()


def tiles(ask: Ask, role: str, scope: Scope | None = None) -> dict[str, Any]:
    status, home = ask("/api/home", role, scope)
    assert status == 200
    return {tile["tile"]: tile for tile in home["tiles"]}


def figures_of(tile: Any) -> dict[str, int]:
    return {one["name"]: one["value"] for one in tile["figures"]}


def whole(ask: Ask, address: str, role: str, scope: Scope | None) -> tuple[Any, list[Any]]:
    """What a list's address answers, with all its pages."""
    parts = urlsplit(address)
    query, items = dict(parse_qsl(parts.query)), []
    while True:
        status, body = ask(f"{parts.path}?{urlencode(query)}", role, scope)
        assert status == 200, (address, body)
        items += body.get("items", [])
        if not body.get("next_cursor"):
            return body, items
        query["cursor"] = body["next_cursor"]


@pytest.mark.parametrize(
    ("role", "scope"),
    [
        ("admin", None),
        ("operator", None),
        ("store_manager", S1),
        ("store_manager", Scope(("s2",))),
        ("finance", None),
        ("auditor", None),
    ],
)
def test_every_number_is_what_its_list_holds(ask: Ask, role: str, scope: Scope | None) -> None:
    seen = 0
    for tile in tiles(ask, role, scope).values():
        for figure in [*tile["figures"], *(one for row in tile["rows"] for one in row["figures"])]:
            body, items = whole(ask, figure["list"], role, scope)
            if figure["field"] is None:
                held = len(items)
                assert held == body["total"]
            elif "items" in body:
                held = sum(item[figure["field"]] for item in items)
            else:
                held = body[figure["field"]]
            assert held == figure["value"], (tile["tile"], figure)
            seen += 1
    assert seen >= 10


def test_an_operators_page(ask: Ask) -> None:
    shown = tiles(ask, "operator")
    assert list(shown) == ["needs", "failed", "adds", "funnel", "welcomes", "touches", "quota", "gmv"]
    assert figures_of(shown["needs"])["group_tasks"] == 2
    assert figures_of(shown["failed"]) == {"jobs": 1, "welcomes_missed": 1, "touches_failed": 1}
    parcel, poster = shown["funnel"]["rows"]
    assert (parcel["label"], poster["key"], poster["label"]) == ("包裹卡", "poster", None)
    (week,) = [one for one in shown["adds"]["figures"] if one["before"] is not None]
    assert (week["value"], week["before"]) == (3, 1)
    assert len(shown["adds"]["rows"]) == 14


def test_a_store_manager_sees_their_store_alone(ask: Ask) -> None:
    mine, theirs = tiles(ask, "store_manager", S1), tiles(ask, "store_manager", Scope(("s2",)))
    assert [row["key"] for row in mine["guides"]["rows"]] == ["ann"]
    assert figures_of(mine["gmv"])["gmv_fen"] == 19800 and figures_of(theirs["gmv"])["gmv_fen"] == 9900
    assert figures_of(mine["needs"])["group_tasks"] == figures_of(theirs["needs"])["group_tasks"] == 1
    assert figures_of(mine["churn"])["lost"] == 1 and figures_of(theirs["churn"])["lost"] == 0
    assert not {"funnel", "quota", "money", "payouts", "changes"} & {*mine}
    assert not {"jobs"} & {name for name, value in figures_of(mine["failed"]).items() if value}


def test_money_and_changes_are_for_those_who_may_read_them(ask: Ask) -> None:
    finance, auditor = tiles(ask, "finance"), tiles(ask, "auditor")
    assert [row["key"] for row in finance["payouts"]["rows"]] == ["paid", "failed"]
    assert "changes" not in finance and "payouts" not in auditor
    assert {"changes", "access", "money", "trial_balance", "journals"} <= {*auditor}
    assert len(auditor["journals"]["rows"]) == 14 and "journals" not in finance
    assert figures_of(auditor["changes"])["changes"] >= 2
    assert figures_of(auditor["changes"])["lists_exported"] == 1


def test_a_guide_has_no_tiles_and_no_error(ask: Ask) -> None:
    assert ask("/api/home", "guide")[1]["tiles"] == []
