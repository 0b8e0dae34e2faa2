"""Runs of cards through their doors: made, scanned, closed, bound, counted."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ReadTimeoutError
from chalice.test import Client

from chalicelib.assignments import confirmation
from chalicelib.assignments import types as assignment_types
from chalicelib.customers import follows
from chalicelib.customers import service as customers
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth, storage, timeline
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline_line import Line
from chalicelib.printruns import card_scan, cards, figures, order_binding, rules, runs
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import Order
from chalicelib.wecom.events import Event
from tests.support import print_world as world
from tests.support.api import Api
from tests.support.scan_support import NOON, FakeWeCom, requests
from tests.support.tables_corpus import sheet, workbook

JSON = {"Content-Type": "application/json"}
MACHINE = {"Accept": "application/json"}
PHONE = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def _files(tables: None, keys: None, bucket: str) -> None:
    runs.forget()


def scanned(client: Client, token: str, cookie: str = "", headers: dict[str, str] = MACHINE) -> Any:
    return client.http.get(f"/s/{token}", headers={**headers, "Cookie": cookie})


def kind(answer: Any) -> str:
    return str(json.loads(answer.body)["kind"])


def cookie_of(answer: Any) -> str:
    return str(answer.headers["Set-Cookie"].split(";")[0])


def test_a_run_is_made_printed_listed_and_printed_again(api: Api, sent: world.Sent) -> None:
    code = world.live_code()
    sent.clear()
    status, job = api(
        "POST",
        f"/api/live-codes/{code.live_code_id}/print-runs",
        {"name": "冬季", "count": 120, "format": "csv", "prefix": "W26"},
    )
    assert (status, job["status"], job["done"], job["total"]) == (202, "queued", 0, 120)
    run_id = job["print_run_id"]
    assert job["result_id"] == run_id
    assert world.work_off(sent) == 1
    _, job = api("GET", f"/api/jobs/{job['job_id']}")
    assert (job["status"], job["done"]) == ("finished", 120) and "W26.csv" in job["result_url"]
    status, run = api("GET", f"/api/print-runs/{run_id}")
    assert (status, run["status"], run["first_card"], run["last_card"]) == (
        200,
        "open",
        "W26-000001",
        "W26-000120",
    )
    assert run["stats_url"] == f"/api/print-runs/{run_id}/stats"
    _, listed = api("GET", f"/api/print-runs?live_code_id={code.live_code_id}")
    assert listed["items"] == [run]
    status, again = api("POST", f"/api/print-runs/{run_id}/files", {"format": "zip"})
    assert status == 202 and again["job_id"] != job["job_id"]
    _, card = api("GET", f"/api/print-runs/{run_id}/cards/W26-000007")
    assert card["url"] == runs.make_url(runs.get(run_id), 7) and card["number"] == 7


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"count": 0}, "count"),
        ({"count": 1_000_001}, "count"),
        ({"count": 100_001, "format": "pdf"}, "count"),
        ({"format": "doc"}, "format"),
        ({"prefix": "w26"}, "prefix"),
        ({"expires_at": "2026-11-22T00:00:00+08:00"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"sheet": {"card_width_mm": 300}}, "sheet.card_width_mm"),
        ({"sheet": {"background": "red"}}, "sheet.background"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bad_input_names_its_field_and_makes_nothing(api: Api, change: dict[str, Any], field: str) -> None:
    code = world.live_code()
    path = f"/api/live-codes/{code.live_code_id}/print-runs"
    status, problem = api("POST", path, {"name": "x", "count": 10, "format": "csv", **change})
    assert (status, [e["field"] for e in problem["errors"]]) == (422, [field])
    assert runs.read_all(code.live_code_id) == runs.read_all(None) == []


def test_clashes_and_unknown_ones(api: Api) -> None:
    run = world.a_run(5, prefix="W26")
    path = f"/api/live-codes/{run.live_code_id}/print-runs"
    body = {"name": "x", "count": 10, "format": "csv", "prefix": "W26"}
    status, problem = api("POST", path, body)
    assert status == 409 and run.print_run_id in problem["detail"]
    assert api("POST", path, {**body, "prefix": run.code})[0] == 202  # nobody's prefix but by design free
    assert api("POST", "/api/live-codes/lc_nothing1/print-runs", {**body, "prefix": "Z"})[0] == 404
    assert api("GET", "/api/print-runs/pr_2222")[0] == 404
    assert api("GET", f"/api/print-runs/{run.print_run_id}/cards/6")[0] == 404
    assert api("GET", f"/api/print-runs/{run.print_run_id}/stats?by=hour")[0] == 422
    livecodes.archive(run.live_code_id)
    assert api("POST", path, {**body, "prefix": "Z"})[0] == 409
    native = f"/api/live-codes/{world.live_code(printing='native').live_code_id}/print-runs"
    status, problem = api("POST", native, {**body, "prefix": "Z", "use": "single"})
    assert (status, problem["errors"][0]["field"]) == (422, "use")


def test_what_a_card_adds_to_the_cost_of_a_scan(client: Client) -> None:
    """Beside the code's own scan: nothing; a read where cards are bound; a write where they are for one."""

    def asked_for(run: Run, number: int) -> list[str]:
        cards.find(world.token(run, number))
        asked = requests()
        found = assignment_types.Scan("staff", f"A{number}", "lihua", qr_url="https://qr")
        assert card_scan.scan(cards.find(world.token(run, number)), None, lambda origin: found) == found
        return asked

    run = world.a_run(1000)
    assert asked_for(run, 1) == []
    order_binding.bind(cards.Card(run, 2), Order(order_id="M1"))
    assert asked_for(run, 3) == ["GetItem"]
    assert asked_for(world.a_run(1000, use="single"), 1) == ["GetItem", "UpdateItem"]


def test_a_cards_scan_says_its_run_and_number(client: Client) -> None:
    run = world.a_run(1000)
    answer = scanned(client, world.token(run, 2))
    assignment_id = json.loads(answer.body)["assignment_id"]
    (line,), _ = timeline.read(f"scan#{assignment_id}")
    assert line["data"]["print_run_id"] == run.print_run_id and line["data"]["card"] == 2


def test_who_comes_back_with_another_card_of_the_code_gets_the_same_guide(client: Client) -> None:
    run = world.a_run(10)
    first = scanned(client, world.token(run, 1))
    again = scanned(client, world.token(run, 9), cookie_of(first))
    assert json.loads(again.body) == json.loads(first.body)
    assert "Path=/s;" in first.headers["Set-Cookie"]


def test_a_forged_token_is_an_unknown_code_and_asks_the_store_nothing(client: Client) -> None:
    run = world.a_run(10)
    real = world.token(run, 1)
    forged = real[:-1] + next(c for c in rules.ALPHABET if c != real[-1])
    beyond = rules.make_token(runs.signing_key(), run.code, 11)  # signed, yet no such card
    asked = requests()
    unknown = scanned(client, "22222222")
    asked.clear()
    for token in (forged, real[:8] + "2" * 8, "!" * 16):
        answer = scanned(client, token)
        assert (answer.status_code, json.loads(answer.body)["title"]) == (404, "没有找到")
        assert json.loads(answer.body) == json.loads(unknown.body)
    assert asked == []
    assert scanned(client, beyond).status_code == 404
    assert scanned(client, forged, headers=PHONE).status_code == 404
    assert set(asked) <= {"GetItem"}


def test_a_closed_run_answers_closed_within_seconds(
    client: Client, api: Api, at: Callable[[datetime], None]
) -> None:
    run = world.a_run(10, expires_at=(NOON + timedelta(days=1)).isoformat())
    assert kind(scanned(client, world.token(run, 1))) == "staff"
    status, closed = api("POST", f"/api/print-runs/{run.print_run_id}/close")
    assert (status, closed["status"]) == (200, "closed")
    assert api("POST", f"/api/print-runs/{run.print_run_id}/close")[1] == closed
    at(NOON + runs.KEPT_FOR)  # for a process that has read it just before
    assert kind(scanned(client, world.token(run, 2))) == "closed"
    assert api("POST", f"/api/print-runs/{run.print_run_id}/files", {"format": "csv"})[0] == 409
    other = world.a_run(10, expires_at=(NOON + timedelta(days=1)).isoformat())
    assert kind(scanned(client, world.token(other, 1))) == "staff"
    at(NOON + timedelta(days=1))
    assert kind(scanned(client, world.token(other, 1))) == "closed"


def test_a_single_use_card_is_its_first_persons(client: Client, at: Callable[[datetime], None]) -> None:
    run = world.a_run(10, use="single")
    token = world.token(run, 3)
    first = scanned(client, token)
    assert kind(first) == "staff"
    assert kind(scanned(client, token)) == "closed"
    page = scanned(client, token, headers=PHONE)
    assert page.status_code == 200 and "此卡已使用" in page.body.decode()
    assert json.loads(scanned(client, token, cookie_of(first)).body) == json.loads(first.body)
    assert kind(scanned(client, world.token(run, 4), cookie_of(first))) == "staff"  # another card of theirs
    at(NOON + timedelta(minutes=11))  # never added: the reservation is over, and so is the claim
    second = scanned(client, token)
    assert kind(second) == "staff" and cookie_of(second) != cookie_of(first)
    assert kind(scanned(client, token, cookie_of(first))) == "closed"


def test_a_card_that_was_used_stays_used(client: Client, at: Callable[[datetime], None]) -> None:
    code = world.live_code(sticky=False)
    run = world.a_run(10, code, use="single")
    token = world.token(run, 3)
    first = scanned(client, token)
    tx = Transaction()
    confirmation.confirm(tx, livecodes.current(code.live_code_id), "lihua", "wm1", NOON)
    tx.commit()
    at(NOON + timedelta(minutes=11))
    assert kind(scanned(client, token)) == "closed"
    again = scanned(client, token, cookie_of(first))  # not sticky: a new assignment for the same person
    assert kind(again) == "staff" and cookie_of(again) != cookie_of(first)
    at(NOON + timedelta(minutes=30))
    assert kind(scanned(client, token)) == "closed"
    assert kind(scanned(client, token, cookie_of(again))) == "staff"


def test_a_card_that_was_used_stays_used_however_often_its_owner_looks(
    client: Client, at: Callable[[datetime], None]
) -> None:
    code = world.live_code(sticky=False)
    token = world.token(world.a_run(10, code, use="single"), 3)
    now, cookie = NOON, ""
    for number in range(14):  # each time the reservation before has lapsed; with the second they add
        found = scanned(client, token, cookie)
        assert kind(found) == "staff"
        cookie = cookie_of(found)
        if number == 1:
            tx = Transaction()
            confirmation.confirm(tx, livecodes.current(code.live_code_id), "lihua", "wm1", now)
            tx.commit()
        at(now := now + timedelta(minutes=11))
        assert number == 0 or kind(scanned(client, token)) == "closed"


def test_the_first_person_has_the_card_though_the_stores_answer_was_lost(client: Client) -> None:
    run = world.a_run(10, use="single")
    left = [1]

    def lost(parsed: Any, **_: Any) -> None:
        if "uses" in str(parsed.get("Attributes")) and left and left.pop():
            raise ReadTimeoutError(endpoint_url="http://cut")

    storage.connection().client.meta.events.register("after-call.dynamodb.UpdateItem", lost)
    assert kind(scanned(client, world.token(run, 3))) == "staff" and not left
    assert kind(scanned(client, world.token(run, 3))) == "closed"


def order_of(run: Run, number: int) -> tuple[str | None, str | None, str | None]:
    card = cards.describe(cards.Card(run, number))
    return card.order_id, card.mall, card.batch


def test_a_card_is_bound_to_its_order_by_whatever_the_desk_reads(client: Client, api: Api) -> None:
    run = world.a_run(100, prefix="W26")
    path = f"/api/print-runs/{run.print_run_id}/cards"
    assert api("POST", f"{path}/1/bind", {"order_id": "M1", "mall": "youzan", "batch": "B7"})[1] == {
        "status": "bound",
        "print_run_id": run.print_run_id,
        "number": 1,
        "card": "W26-000001",
        "order_id": "M1",
    }
    for code in (runs.make_url(run, 2), world.token(run, 2), "w26-000002"):
        status, told = api("POST", "/api/cards/bind", {"code": code, "order_id": "M1"})
        assert (status, told["number"]) == (200, 2)
    assert told["status"] == "unchanged"
    assert api("POST", "/api/cards/bind", {"code": "W26-000002", "order_id": "M2"})[0] == 409
    assert api("POST", "/api/cards/bind", {"code": "W26-000002", "order_id": "M2", "rebind": True})[0] == 200
    assert order_of(run, 1) == ("M1", "youzan", "B7")
    assert order_of(run, 3) == (None, None, None)
    _, cards = api("GET", "/api/cards?order_id=M1")
    assert [card["card"] for card in cards["items"]] == ["W26-000001"]
    assignment_id = json.loads(scanned(client, world.token(run, 1)).body)["assignment_id"]
    (line,), _ = timeline.read(f"scan#{assignment_id}")
    assert (line["data"]["order_id"], line["data"]["mall"], line["data"]["batch"]) == ("M1", "youzan", "B7")
    assert api("POST", f"{path}/1/unbind", {"order_id": "M9"})[0] == 409
    assert api("POST", f"{path}/1/unbind", {})[1] == {"status": "unbound"}
    assert api("POST", f"{path}/1/unbind")[1] == {"status": "unchanged"}
    assert order_of(run, 1) == (None, None, None)


def test_many_bindings_tell_of_each(api: Api) -> None:
    run = world.a_run(100, prefix="W26")
    order_binding.bind(cards.find_by_code("W26-000002"), Order(order_id="M0"))
    items = [
        {"code": "W26-000001", "order_id": "M1"},
        {"code": "W26-000002", "order_id": "M1"},
        {"code": world.token(run, 3)[:-1] + "!", "order_id": "M1"},
        {"code": "W26-000001", "order_id": "M1"},
    ]
    status, told = api("POST", "/api/cards/bind-many", {"items": items})
    assert (status, [row["status"] for row in told["items"]]) == (
        200,
        ["bound", "refused", "refused", "unchanged"],
    )
    assert [row["error"] and row["error"]["status"] for row in told["items"]] == [None, 409, 404, None]
    assert api("POST", "/api/cards/bind-many", {"items": []})[0] == 422
    assert api("POST", "/api/cards/bind-many", {"items": items * 251})[0] == 422


def test_bindings_come_as_a_file_too(api: Api) -> None:
    run = world.a_run(100, prefix="W26")
    rows = [
        ["卡片编号", "订单号", "批次"], ["W26-000001", "M1", "B7"], ["W26-000002", "2.02611E+16", ""],
        ["W26-999999", "M3", ""], ["W26-000004", "", ""],
    ]  # fmt: skip
    packed = workbook(sheet(rows))
    texts = "\r\n".join("\t".join(row) for row in rows)
    for raw in (packed, texts.encode("gb18030"), texts.encode("utf-16")):
        status, told = api("POST", "/api/cards/bind-many", raw, Content_Type="application/octet-stream")
        assert (status, [(row["line"], row["status"]) for row in told["items"]]) == (
            200,
            [(2, "unchanged" if raw != packed else "bound"), (3, "refused"), (4, "refused"), (5, "refused")],
        )
        assert "15 digits" in told["items"][1]["error"]["detail"]
        assert [row["error"]["status"] for row in told["items"][1:]] == [422, 404, 422]
    assert order_of(run, 1) == ("M1", None, "B7")
    many = "code,order_id\n" + "W26-000001,M1\n" * 1001
    assert api("POST", "/api/cards/bind-many", many.encode(), Content_Type="text/csv")[0] == 422
    status, told = api(
        "POST", "/api/cards/bind-many", {"items": [{"code": "W26-000003", "order_id": "1.23E+15"}]}
    )
    assert told["items"][0]["status"] == "refused"
    assert api("POST", "/api/cards/bind", {"code": "W26-000003", "order_id": "1.23E+15"})[0] == 422


def test_an_add_says_which_card_it_came_by(client: Client, wecom: FakeWeCom) -> None:
    run = world.a_run(100)
    order_binding.bind(cards.Card(run, 8), Order(order_id="M8"))
    got = json.loads(scanned(client, world.token(run, 8)).body)
    values = {
        "UserID": got["staff_id"],
        "ExternalUserID": "wm8",
        "State": next(iter(wecom.ways.values()))["state"],
    }
    event = Event("change_external_contact", "add_external_contact", NOON, "corp", values, (), "d" * 64)
    profile = {"external_contact": {"external_userid": "wm8", "name": "赵敏", "type": 1}, "follow_user": []}
    wecom.external_contact = lambda *_, **__: profile  # type: ignore[attr-defined]
    follows.added(event)
    (line,) = timeline.read("wm8")[0]
    assert line["data"] | {"print_run_id": run.print_run_id, "card": 8, "order_id": "M8"} == line["data"]
    assert line["data"]["assignment_id"] == got["assignment_id"]
    assert customers.get("wm8").source.origin == f"{run.print_run_id}#8"


SHARD = "shard-1"


def a_line(n: int, run: str, card: int, kind: str = "scanned", day: int = 0) -> tuple[Line, str]:
    data = {"print_run_id": run, "card": card, "begins": True}
    return Line(f"s{n}", kind, NOON + timedelta(days=day), str(n), data), f"{n:040}"


def test_figures_count_scans_cards_and_adds_once(api: Api, client: Client) -> None:
    run = world.a_run(2500)
    run_id = run.print_run_id
    lines = [a_line(n, run_id, card) for n, card in enumerate((1, 1, 1000, 1001))]
    lines += [a_line(4, run_id, 1, day=1), a_line(5, run_id, 2500, "customer_added", 1)]
    lines += [a_line(6, "pr_OTHER", 1), (Line("s", "scanned", NOON, "k", {"channel": "x"}), f"{7:040}")]
    figures.project(lines[:3], SHARD)
    figures.project(lines, SHARD)
    figures.project(lines, SHARD)
    assert msgspec.to_builtins(figures.read(run, "total")) == [{"scans": 5, "cards": 3, "adds": 1}]
    assert msgspec.to_builtins(figures.read(run, "day")) == [
        {"day": "2026-11-23", "scans": 4, "cards": 3, "adds": 0},
        {"day": "2026-11-24", "scans": 1, "cards": 1, "adds": 1},
    ]
    _, by_thousand = api("GET", f"/api/print-runs/{run_id}/stats?by=thousand")
    assert by_thousand["items"] == [
        {"from": 1, "to": 1000, "scans": 4, "cards": 2, "adds": 0},
        {"from": 1001, "to": 2000, "scans": 1, "cards": 1, "adds": 0},
        {"from": 2001, "to": 2500, "scans": 0, "cards": 0, "adds": 1},
    ]
    other = world.a_run(5)
    assert msgspec.to_builtins(figures.read(other, "total")) == [{"scans": 0, "cards": 0, "adds": 0}]
    assert figures.read(other, "day") == []
    key = auth.create_key("csv", "auditor")
    answer = client.http.get(
        f"/api/print-runs/{run_id}/stats?by=day&format=csv", headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.body.decode("utf-8-sig").splitlines() == [
        "day,scans,cards,adds",
        "2026-11-23,4,3,0",
        "2026-11-24,1,1,1",
    ]


def test_a_batch_of_scans_is_one_write_for_a_thousand_and_day(tables: None) -> None:
    asked = requests()
    figures.project([a_line(n, "pr_AAAA", 1 + n) for n in range(100)], SHARD)
    assert asked == ["UpdateItem"]


def test_a_card_can_be_named_in_three_ways_and_no_other(wecom: FakeWeCom) -> None:
    run = world.a_run(5, prefix="W26")
    assert cards.find_by_code("W26-000005").number == cards.find_by_code(runs.make_url(run, 5)).number == 5
    for other in ("W26-000006", "W27-000001", "", "5", "https://elsewhere.example/s/xyz"):
        with pytest.raises(NotFound):
            cards.find_by_code(other)
    with pytest.raises(Conflict):
        order_binding.bind(cards.find_by_code("W26-000005"), Order(order_id="A")) and order_binding.bind(
            cards.find_by_code("W26-000005"), Order(order_id="B")
        )
