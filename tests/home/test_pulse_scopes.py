"""What happens now: one version of what a scope sees, at no write of its own."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer, Follow
from chalicelib.groups import mirror
from chalicelib.groups.models import ChatItem
from chalicelib.metrics import models, service
from chalicelib.platform import auth
from chalicelib.platform.auth import Scope
from chalicelib.platform.timeline import Line
from chalicelib.staff.models import StaffItem
from chalicelib.stores import guides
from tests.orders.test_orders_scopes import staff_store

KEPT = {
    ("GET", "/api/home"),
    ("GET", "/api/pulse"),
    ("GET", "/api/metrics/days"),
    ("GET", "/api/metrics/funnel"),
    ("GET", "/api/metrics/guides"),
}
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
S1, S2 = Scope(("s1",)), Scope(("s2",))
Ask = Callable[..., Any]


class Stream:
    """The timeline's stream, a line at a time."""

    def __init__(self) -> None:
        self.sequence = 0

    def __call__(self, subject: str, kind: str, **data: Any) -> None:
        self.sequence += 1
        at = NOW + timedelta(seconds=self.sequence)
        line = Line(subject, kind, at, str(self.sequence), data)
        service.project([(line, str(self.sequence).zfill(40))], "shard")

    def scan(self, staff_id: str, channel: str = "parcel") -> None:
        self(f"scan#a{self.sequence}", "scanned", channel=channel, staff_id=staff_id, assignment_id="as_1")

    def add(self, person: str, staff_id: str, channel: str = "parcel") -> None:
        self(person, "customer_added", channel=channel, staff_id=staff_id, begins=True, ends=False)


@pytest.fixture
def stream(tables: None) -> Stream:
    return Stream()


@pytest.fixture
def ask(tables: None, at: Callable[[datetime], None]) -> Iterator[Ask]:
    """Store s1 with ann, s2 with bob; cat is of none."""
    at(NOW)
    guides.forget()
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    with Client(app) as client:

        def call(path: str, scope: Scope | None = None, role: str = "operator", etag: str = "") -> Any:
            headers = {"Authorization": f"Bearer {auth.create_key('k', role, scope)}"}
            headers |= {"If-None-Match": etag} if etag else {}
            answer = client.http.request("GET", path, headers=headers, body=b"")
            body = json.loads(answer.body) if answer.body else None
            return answer.status_code, answer.headers.get("ETag", ""), body

        yield call
    guides.forget()


def test_a_version_moves_with_what_its_scope_sees_and_with_nothing_else(ask: Ask, stream: Stream) -> None:
    status, nothing, body = ask("/api/pulse")
    assert status == 200 and body["events"] == [] and body["today"]["scans"] == 0
    assert ask("/api/pulse", etag=nothing) == (304, nothing, None)
    tags = {scope: ask("/api/pulse", scope)[1] for scope in (S1, S2, Scope(("s1", "s2")))}
    stream.scan("ann")
    assert [ask("/api/pulse", scope, etag=tag)[0] for scope, tag in tags.items()] == [200, 304, 200]
    status, seen, body = ask("/api/pulse", etag=nothing)
    assert status == 200 and seen != nothing and body["today"]["scans"] == 1
    assert ask("/api/pulse", etag=f'W/{seen}, "else"')[0] == 304
    stream("wm9", "tags_changed", added=[], removed=[])
    assert ask("/api/pulse", etag=seen)[0] == 304  # nothing that is counted


def test_events_are_the_newest_of_each_kind_and_channel(ask: Ask, stream: Stream) -> None:
    customers.save(Customer("wm1", name="林晓", follows={"ann": Follow("active", NOW, NOW)}))
    stream.scan("ann")
    stream.add("wm1", "ann")
    stream("wm1", "welcome_sent", staff_id="ann", ms=300, how="full")
    stream(
        "wm1", "order_paid", channel="parcel", order_id="M1", paid_fen=9900, store_id="s1", first_order=True
    )
    stream.scan("bob", "poster")
    _, _, body = ask("/api/pulse")
    assert [one["kind"] for one in body["events"]] == [
        "scanned", "order_paid", "welcome_sent", "customer_added", "scanned",
    ]  # fmt: skip
    assert body["events"][1]["amount_fen"] == 9900 and body["events"][1]["order_id"] == "M1"
    assert [one["customer"] for one in body["events"]] == [None, None, "林晓", "林晓", None]
    assert (body["today"]["adds"], body["today"]["welcomes"], body["today"]["gmv_fen"]) == (1, 1, 9900)
    mine = ask("/api/pulse", S1)[2]
    assert len(mine["events"]) == 4 and mine["today"]["gmv_fen"] == 9900
    hidden = ask("/api/pulse", role="auditor")[2]
    assert {one["customer"] for one in hidden["events"]} == {None, "***"}
    assert "wm1" not in json.dumps(hidden)


def test_figures_of_a_scope(ask: Ask, stream: Stream) -> None:
    stream.scan("ann")
    stream.add("wm1", "ann")
    stream.add("wm2", "bob", "poster")
    stream.add("wm3", "cat")
    stream("o1", "order_paid", channel=None, order_id="M1", paid_fen=500, store_id="s2")

    def adds(scope: Scope | None, query: str = "") -> list[tuple[str, int]]:
        rows = ask(f"/api/metrics/days?from=2026-11-21&to=2026-11-22{query}", scope)[2]["items"]
        return [(row["day"], row["adds"]) for row in rows]

    assert adds(None) == [("2026-11-21", 0), ("2026-11-22", 3)]
    assert adds(S1) == [("2026-11-21", 0), ("2026-11-22", 1)]
    assert adds(None, "&channel=poster")[1][1] == 1 and adds(S1, "&channel=poster")[1][1] == 0
    assert adds(None, "&staff_id=cat")[1][1] == adds(None, "&staff_id=bob")[1][1] == 1
    assert adds(S1, "&staff_id=bob")[1][1] == 0
    rows = {row["channel"]: row for row in ask("/api/metrics/funnel", S2)[2]["items"]}
    assert {name: (row["adds"], row["gmv_fen"]) for name, row in rows.items()} == {
        "poster": (1, 0),
        "unknown": (0, 500),
    }
    assert sum(row["adds"] for row in ask("/api/metrics/funnel")[2]["items"]) == 3


def test_what_each_guide_did(ask: Ask, stream: Stream) -> None:
    StaffItem("cat", listing="staff", name="猫猫", status=1, seen_at="").save()
    stream.scan("ann")
    stream.scan("bob")
    stream.add("wm1", "ann")
    stream.add("wm2", "ann", "poster")
    stream("wm1", "welcome_missed", staff_id="bob")
    stream("o1", "order_paid", channel=None, order_id="M1", paid_fen=500, store_id="s2")

    def rows(query: str = "", **who: Any) -> list[tuple[str, int, int, int]]:
        items = ask(f"/api/metrics/guides?from=2026-11-22&to=2026-11-22{query}", **who)[2]["items"]
        return [(row["staff_id"], row["scans"], row["adds"], row["welcomes_missed"]) for row in items]

    ann, bob = ("ann", 1, 2, 0), ("bob", 1, 0, 1)
    assert rows() == [ann, bob]
    stream.scan("cat")  # of no store
    cat = ("cat", 1, 0, 0)
    assert rows("&sort=scans") == [ann, bob, cat] and rows("&q=maomao") == [cat]
    assert rows("&sort=-welcomes_missed")[0] == bob
    assert rows(scope=S1) == [ann] and rows("&q=bo") == [bob]
    assert ask("/api/metrics/guides?from=2026-11-21&to=2026-11-21")[2]["items"] == []
    assert ask("/api/metrics/guides?from=2026-11-23&to=2026-11-22")[0] == 422


def test_a_look_is_one_read_and_counting_writes_no_more_for_it(
    ask: Ask, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.scan("ann")
    etags = [(scope, ask("/api/pulse", scope)[1]) for scope in (None, S1)]
    table, asked = models.CounterItem._get_connection(), []
    real = table.query
    monkeypatch.setattr(table, "query", lambda *args, **more: asked.append(args[0]) or real(*args, **more))
    for scope, etag in etags:
        assert ask("/api/pulse", scope, etag=etag)[0] == 304
    assert asked == ["funnel#2026-11-22", "store#s1#2026-11"]
    written: list[Any] = []
    add = models.add
    monkeypatch.setattr(models, "add", lambda *args: written.append(args[0]) or add(*args))
    stream.scan("ann")
    assert written == [("funnel#2026-11-22", "channel#parcel"), ("store#s1#2026-11", "2026-11-22#ann#parcel")]


def test_a_scan_that_led_into_a_group_says_which(ask: Ask, stream: Stream) -> None:
    mirror.begin("wr1").update(actions=[ChatItem.name.set("打卡 1 群")])
    stream("scan#a1", "scanned", channel="parcel", staff_id=None, assignment_id="as_1", chat_id="wr1")
    stream("wm1", "joined_group", channel="parcel", chat_id="wr1", first=True)
    joined, scanned = ask("/api/pulse")[2]["events"]
    assert (scanned["assignment_id"], scanned["staff"], scanned["chat"]) == ("as_1", None, "打卡 1 群")
    assert (joined["external_userid"], joined["chat_id"]) == ("wm1", "wr1")
