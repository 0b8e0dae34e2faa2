"""Any number of the ledger opened down to its journals, with sums that are equal; through the doors."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from chalice.test import Client

from app import app
from chalicelib.ledger import history, models, rules
from chalicelib.ledger.models import JournalItem
from chalicelib.platform import auth
from chalicelib.wechatpay.client import State
from tests.support.money_world import T0, World, message, paid, refund

Ask = Callable[..., Any]


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    """Sales of three, refunds before and after they were paid, a payout that came back, one that is on its way."""
    world = World(at, sent, monkeypatch)
    plan = world.plan(rates=(1_000, 300), withhold_tax=True)
    parent = world.distributor(plan, "wm1")
    child = world.distributor(plan, "wm2", parent.distributor_id)
    other = world.distributor(plan, "wm3")
    world.move(days=3)
    for number, who in enumerate((child, child, other)):
        world.tell(paid(f"o{number}", who.share_code), message(f"o{number}", "completed", 1))
    world.tell(refund("o0", "R1", 2, 5_000))
    world.move(days=6)
    world.pay.state = State.FAIL
    world.settle()
    world.move(days=1)
    world.pay.state = State.SUCCESS
    world.settle()
    world.move(days=2)
    world.tell(refund("o1", "R1", 11, 18_900), paid("o3", child.share_code))
    world.tell(paid("o4", child.share_code), message("o4", "completed", 1))
    world.move(days=12)
    world.pay.state = State.WAIT_USER_CONFIRM
    world.settle()
    return world


@pytest.fixture
def ask(world: World) -> Iterator[Ask]:
    with Client(app) as client:

        def call(path: str, role: str = "finance", status: int = 200) -> Any:
            headers = {"Authorization": f"Bearer {auth.create_key(role, role)}"}
            answer = client.http.get(path, headers=headers)
            assert answer.status_code == status, answer.body
            return json.loads(answer.body)

        yield call


def everything(ask: Ask, path: str) -> list[Any]:
    rows, cursor = [], ""
    while True:
        page = ask(f"{path}{'&' if '?' in path else '?'}limit=2{cursor}")
        rows += page["items"]
        if not page["next_cursor"]:
            return rows
        cursor = f"&cursor={quote(page['next_cursor'])}"


def check_running(rows: list[Any], balance: int) -> None:
    """From the sum of now down to nothing, journal by journal."""
    for row in rows:
        change = rules.balance_of(row["account"], row["debit_fen"], row["credit_fen"])
        assert row["balance_fen"] == balance
        balance -= change
    assert balance == 0


def test_each_account_of_the_trial_balance_is_opened_to_the_last_journal(ask: Ask) -> None:
    sums = ask("/api/ledger/trial-balance")["accounts"]
    assert {row["account"] for row in sums if row["debit_fen"] or row["credit_fen"]} >= {
        *(rules.EXPENSE, rules.PENDING, rules.AVAILABLE, rules.IN_PAYOUT, rules.MERCHANT)
    }
    for tile in sums:
        path = f"/api/ledger/accounts/{tile['account']}"
        assert {**tile, "as_of": ask(path)["as_of"]} == ask(path)
        journals = everything(ask, f"{path}/journals")
        check_running([{**row, "account": tile["account"]} for row in journals], tile["balance_fen"])
        shares = everything(ask, f"{path}/distributors")
        assert sum(row["balance_fen"] for row in shares) == tile["balance_fen"]
        assert [row["running_total_fen"] for row in shares][-1:] in ([tile["balance_fen"]], [])
        assert {row["distributor_name"] for row in [*shares, *journals]} <= {"王小明"}
        for share in shares:
            own = f"/api/distributors/{share['distributor_id']}/journals?account={tile['account']}"
            rows = [{**row, "account": tile["account"]} for row in everything(ask, own)]
            check_running(rows, share["balance_fen"])
            assert {row["journal_id"] for row in rows} <= {row["journal_id"] for row in journals}
            assert ask(f"/api/ledger/journals/{rows[0]['journal_id']}")["entries"] == rows[0]["entries"]


def test_an_account_as_of_a_time_is_the_sum_of_what_was_written_of_until_then(ask: Ask) -> None:
    journals = [models.journal_of(row) for row in JournalItem.scan()]
    for hours in (-1, 0, 1, 24, 8 * 24, 9 * 24 + 1, 30 * 24):
        moment = T0 + timedelta(hours=hours)
        for name in rules.ACCOUNTS:
            entries = [e for one in journals if one.at <= moment for e in one.entries if e.account == name]
            found = ask(f"/api/ledger/accounts/{name}?as_of={quote(moment.isoformat())}")
            assert found["debit_fen"] == sum(e.debit_fen for e in entries)
            assert found["credit_fen"] == sum(e.credit_fen for e in entries)


def test_journals_of_a_day_in_china(ask: Ask) -> None:
    days = ask("/api/ledger/journals-per-day?from=2026-11-20&to=2026-12-31", role="auditor")["items"]
    assert sum(day["journals"] for day in days) == len(list(JournalItem.scan()))
    of_days = {day["day"]: day["journals"] for day in days}
    for day in (date(2026, 11, 22), date(2026, 12, 1)):
        expected = [row for row in JournalItem.scan() if _day(row.journal) == day]
        assert of_days[day.isoformat()] == len(expected) > 0
    for wrong in ("from=2026-11-20&to=2028-11-20", "from=2026-11-20&to=2026-11-19"):
        (error,) = ask(f"/api/ledger/journals-per-day?{wrong}", status=422)["errors"]
        assert error["field"] == "from"


def test_all_journals_of_some_days_and_of_a_kind(ask: Ask) -> None:
    rows = everything(ask, "/api/ledger/journals")
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    assert len(rows) == len(list(JournalItem.scan())) and {row["distributor_name"] for row in rows} == {
        "王小明"
    }
    for day in ask("/api/ledger/journals-per-day?from=2026-11-20&to=2026-12-31")["items"]:
        of_day = everything(ask, f"/api/ledger/journals?from={day['day']}&to={day['day']}&limit=1")
        assert len(of_day) == day["journals"]
    paid = everything(ask, "/api/ledger/journals?kind=payout_paid")
    assert paid == [row for row in rows if row["kind"] == "payout_paid"] and paid
    ask("/api/ledger/journals?from=2026-12-02&to=2026-12-01", status=422)
    ask("/api/ledger/journals", role="auditor", status=403)


def _day(journal: str) -> date:
    return (datetime.fromisoformat(journal.partition("#")[0]) + timedelta(hours=8)).date()


def test_what_is_not_there_is_404_and_an_auditor_sees_totals_alone(ask: Ask) -> None:
    some = everything(ask, f"/api/ledger/accounts/{rules.EXPENSE}/journals")[0]["journal_id"]
    for path in ("accounts/x", "accounts/x/journals", "accounts/x/distributors", "journals/x", "journals/eA"):
        ask(f"/api/ledger/{path}", status=404)
    ask(f"/api/ledger/journals/{some}A", status=404)
    ask(f"/api/ledger/accounts/{rules.EXPENSE}/journals?cursor=x", status=422)
    ask(f"/api/ledger/accounts/{rules.EXPENSE}", role="auditor")
    for path in (
        f"accounts/{rules.EXPENSE}/journals",
        f"accounts/{rules.EXPENSE}/distributors",
        f"journals/{some}",
    ):
        ask(f"/api/ledger/{path}", role="auditor", status=403)
        ask(f"/api/ledger/{path}", role="operator", status=403)


def test_journals_of_before_are_entered_in_the_list(world: World) -> None:
    before = sorted(row.listed_at for row in JournalItem.scan())
    for row in JournalItem.scan():
        row.update(actions=[JournalItem.month_shard.remove(), JournalItem.listed_at.remove()])
    assert history.account(rules.EXPENSE, T0).debit_fen > 0  # nobody knows of when it was
    for row in JournalItem.scan():
        models.enter_in_list(row)
        models.enter_in_list(row)
    assert sorted(row.listed_at for row in JournalItem.scan()) == before
    assert history.account(rules.EXPENSE, T0).debit_fen == 0


def test_what_is_written_meanwhile_is_not_taken_off_what_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """| reads: the sums of now | |
    | | a sale is journalled |
    | reads: what was written of since, with that sale | |
    """
    then = T0 + timedelta(days=8)
    before, at_first = history.account(rules.EXPENSE, then), history.account(rules.EXPENSE)
    code = next(iter(JournalItem.scan())).subject.removeprefix("d_")
    read_sums, unheard = history._sums, [msgspec.structs.replace(paid("late", code), occurred_at=world.now)]

    def read_then_hear(name: str) -> tuple[int, int]:
        sums = read_sums(name)
        while unheard:
            world.tell(unheard.pop())
        return sums

    monkeypatch.setattr(history, "_sums", read_then_hear)
    during = history.account(rules.EXPENSE, then)
    assert history.account(rules.EXPENSE).debit_fen > at_first.debit_fen
    assert during.debit_fen == before.debit_fen > 0
    assert during.credit_fen == before.credit_fen
