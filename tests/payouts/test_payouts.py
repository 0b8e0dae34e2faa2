"""A payout is paid once: through lost answers, refusals, late notices and receivers who never confirm."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.distribution.models import CommissionItem
from chalicelib.distribution.types import Distributor
from chalicelib.payouts import payout_list, settlement
from chalicelib.payouts import transfers as payouts
from chalicelib.payouts.types import PayoutShort
from chalicelib.platform import timeline
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import Conflict
from chalicelib.wechatpay.client import Bill, State
from chalicelib.wechatpay.refusals import TREATMENTS, Treatment
from tests.support.money_world import World, check_books, figures, message, paid, refund, statuses


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


@pytest.fixture
def who(world: World) -> Distributor:
    """With 1,890 fen available."""
    found = world.distributor(world.plan(), "wm1")
    world.tell(paid("o1", found.share_code), message("o1", "completed", 1))
    world.move(days=9)
    return found


def test_offered_confirmed_and_paid(world: World, who: Distributor) -> None:
    settled = world.settle()
    (payout,) = settled.payouts
    assert payout == PayoutShort(
        payout_id=payout.payout_id,
        distributor_id=who.distributor_id,
        distributor_name="王小明",
        amount_fen=1_890,
        status="wait_user_confirm",
    )
    assert payout_list.get(payout.payout_id).package_info == "PKG"
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    world.pay.pay(payout.payout_id)
    world.move(minutes=2)
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert {status for *_, status in statuses("o1")} == {"paid"}
    assert world.pay.moved == {payout.payout_id: [1_890]}
    world.move(hours=1)
    assert list(DueItem.scan()) == []
    told = [row["data"]["status"] for row in timeline.read(f"distributor#{who.distributor_id}")[0]]
    assert [s for s in reversed(told) if s not in ("pending", "available")] == [
        "planned",
        "wait_user_confirm",
        "paid",
    ]
    check_books()


@pytest.mark.parametrize("fault", ["answer lost", "never arrives"])
def test_an_unknown_outcome_is_asked_for_under_the_same_number(
    world: World, who: Distributor, fault: str
) -> None:
    world.pay.faults, world.pay.state = [fault, "answer lost"], State.SUCCESS
    (payout,) = world.settle().payouts
    number = payout.payout_id
    assert payout.status == "calling"
    for _ in range(6):
        world.move(minutes=2)
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert world.pay.moved == {number: [1_890]}
    again = ["transfer"] if fault == "never arrives" else []
    assert [call.split()[0] for call in world.pay.calls] == ["transfer", "query", "query", *again]
    assert {call.split()[1] for call in world.pay.calls} == {number}


def test_not_found_is_not_believed_within_a_minute(world: World, who: Distributor) -> None:
    world.pay.faults = ["never arrives"]
    (payout,) = world.settle().payouts
    payouts.advance(payout.payout_id)
    assert [call.split()[0] for call in world.pay.calls] == ["transfer", "query"]


def test_a_short_balance_is_tried_again_with_the_same_number_until_it_is_topped_up(
    world: World, who: Distributor
) -> None:
    world.pay.balance, world.pay.state = 100, State.SUCCESS
    (payout,) = world.settle().payouts
    assert (payout.status, payout_list.get(payout.payout_id).reason) == ("calling", "NOT_ENOUGH")
    for _ in range(26):
        world.move(hours=1)
    waiting = payout_list.get(payout.payout_id)
    assert (waiting.status, waiting.reason) == ("processing", "NOT_ENOUGH")
    assert waiting.calls > 20
    assert waiting.reason_text is not None and "充值" in waiting.reason_text
    english = payout_list.get(payout.payout_id, "en").reason_text
    assert english is not None and "top up" in english
    world.pay.balance = 100_000
    world.move(hours=1)
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert payout_list.get(payout.payout_id).reason is None
    assert world.pay.moved == {payout.payout_id: [1_890]}
    check_books()


@pytest.mark.parametrize(
    "code", sorted(c for c, t in TREATMENTS.items() if t in (Treatment.AGAIN, Treatment.MEND))
)
def test_what_was_not_taken_is_sent_again_under_the_same_number(
    world: World, who: Distributor, code: str
) -> None:
    world.pay.faults, world.pay.state = [f"refused {code}"], State.SUCCESS
    (payout,) = world.settle().payouts
    assert (payout.status, payout_list.get(payout.payout_id).reason) == ("calling", code)
    world.move(minutes=2)
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert set(world.pay.bills) == {payout.payout_id}


def test_a_bill_that_stays_in_processing_is_sent_again_whatever_was_answered(
    world: World, who: Distributor
) -> None:
    world.pay.balance, world.pay.faults, world.pay.state = 100, ["answer lost"], State.SUCCESS
    (payout,) = world.settle().payouts  # nobody has seen NOT_ENOUGH
    world.pay.bills[payout.payout_id]["state"] = State.PROCESSING
    world.pay.balance = 1_890
    world.move(minutes=1)
    world.move(minutes=2)
    assert figures(who.distributor_id) == {"paid": 1_890}


def test_retry_sends_the_same_number_at_once(world: World, who: Distributor) -> None:
    world.pay.balance, world.pay.state = 100, State.SUCCESS
    (payout,) = world.settle().payouts
    world.move(hours=5)
    world.pay.balance = 1_890
    calls = len(world.pay.calls)
    assert payouts.ask_retry(payout.payout_id).payout_id == payout.payout_id
    world.work()
    assert world.pay.calls[calls:] == [f"query {payout.payout_id}", f"transfer {payout.payout_id}"]
    assert figures(who.distributor_id) == {"paid": 1_890}
    with pytest.raises(Conflict, match="paid"):
        payouts.ask_retry(payout.payout_id)


def test_a_refusal_is_believed_when_wechat_certainly_does_not_know_the_number(
    world: World, who: Distributor
) -> None:
    world.pay.faults = ["refused PARAM_ERROR"]
    (payout,) = world.settle().payouts
    for minutes in (2, 4, 8):
        world.move(minutes=minutes)
        waiting = payout_list.get(payout.payout_id)
        assert (waiting.status, waiting.reason) == ("calling", "PARAM_ERROR")
    world.move(minutes=20)
    assert payout_list.get(payout.payout_id).status == "failed"
    assert [call.split()[0] for call in world.pay.calls] == ["transfer", *["query"] * 4]


def test_work_that_was_done_though_refused_and_unknown_at_first_is_no_failure(
    world: World, who: Distributor
) -> None:
    world.pay.state = State.SUCCESS
    world.pay.faults = ["denied PARAM_ERROR", "not found", "not found", "not found"]
    (payout,) = world.settle().payouts
    for minutes in (2, 3, 8):
        world.move(minutes=minutes)
        assert payout_list.get(payout.payout_id).status == "calling"
    world.move(minutes=18)
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert world.pay.moved == {payout.payout_id: [1_890]}
    check_books()


def test_a_retry_begins_the_proof_of_a_refusal_anew(world: World, who: Distributor) -> None:
    world.pay.faults = ["refused PARAM_ERROR"]
    (payout,) = world.settle().payouts
    world.move(minutes=20)
    world.pay.faults = ["", "refused PARAM_ERROR"]
    payouts.ask_retry(payout.payout_id)
    world.work()
    world.move(minutes=20)
    assert payout_list.get(payout.payout_id).status == "calling"
    world.move(hours=2)
    world.move(hours=1)
    world.move(hours=1)
    assert payout_list.get(payout.payout_id).status == "failed"


def test_settings_that_lack_a_scenes_fields_fail_nothing(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECHATPAY_TRANSFER_SCENE_ID", "1011")
    (payout,) = world.settle().payouts
    assert payout_list.get(payout.payout_id).reason == "SCENE_REPORTS"
    assert world.pay.calls == []
    monkeypatch.setenv("WECHATPAY_SCENE_REPORTS", '[{"info_type": "赔付原因", "info_content": "退款"}]')
    world.move(minutes=2)
    shown = payout_list.get(payout.payout_id)
    assert (shown.status, shown.scene_id, shown.reason) == ("wait_user_confirm", "1011", None)
    assert world.pay.bills[payout.payout_id]["asked"]["scene"].reports == (("赔付原因", "退款"),)


def test_what_wechat_knows_is_sent_again_with_the_scene_that_it_knows(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pay.balance = 100
    (payout,) = world.settle().payouts
    world.move(minutes=2)
    monkeypatch.setenv("WECHATPAY_TRANSFER_SCENE_ID", "1000")
    world.pay.balance = 1_890
    world.move(hours=1)  # the stub refuses the number with other parameters
    shown = payout_list.get(payout.payout_id)
    assert (shown.status, shown.scene_id) == ("wait_user_confirm", "1005")


def test_a_refusal_gives_the_money_back_and_the_next_settlement_pays_it(
    world: World, who: Distributor
) -> None:
    world.pay.faults = ["refused PARAM_ERROR"]
    first = world.settle()
    for _ in range(4):
        world.move(minutes=15)
    assert payout_list.get(first.payouts[0].payout_id).status == "failed"
    assert figures(who.distributor_id) == {"available": 1_890}
    assert {status for *_, status in statuses("o1")} == {"available"}
    world.pay.state = State.SUCCESS
    second = world.settle()
    assert second.payouts[0].payout_id != first.payouts[0].payout_id
    assert figures(who.distributor_id) == {"paid": 1_890}
    assert {status for *_, status in statuses("o1")} == {"paid"}  # though the first round brought it
    check_books()


def test_a_receiver_who_never_confirms(world: World, who: Distributor) -> None:
    (payout,) = world.settle().payouts
    world.pay.close(payout.payout_id)
    world.move(hours=25)
    assert figures(who.distributor_id) == {"available": 1_890}
    assert payout_list.get(payout.payout_id).reason == "OVERDUE_CLOSE"
    check_books()


def test_polls_go_on_until_the_end(world: World, who: Distributor) -> None:
    world.settle()
    for _ in range(200):
        world.move(minutes=10)
        assert [row.kind for row in DueItem.scan()].count("payout_poll") == 1  # one series, whatever comes
    queries = [call for call in world.pay.calls if call.startswith("query")]
    assert 30 < len(queries) < 50


def test_a_payout_whose_message_is_parked_is_taken_on_within_two_hours(
    world: World, who: Distributor
) -> None:
    settlement.start(None)
    (page,) = world.sent
    world.one(*page[:2])
    world.sent.clear()
    world.move(hours=2)
    assert world.payouts()[0].status == "wait_user_confirm"


def test_a_poll_that_fails_and_is_parked_is_followed_by_the_next(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (payout,) = world.settle().payouts
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(payouts, "default_client", lambda: 1 / 0)
        world.move(minutes=2)
    world.pay.pay(payout.payout_id)
    world.move(minutes=2)
    assert figures(who.distributor_id) == {"paid": 1_890}


def test_a_refusal_that_comes_late_does_not_end_the_call_that_was_taken_since(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = world.pay.query

    def stalled(number: str) -> Bill | None:
        monkeypatch.setattr(world.pay, "query", query)
        found = query(number)
        payouts.retry(number)  # here a person has it sent again
        return found

    world.pay.faults = ["refused PARAM_ERROR"]
    (payout,) = world.settle().payouts
    world.move(minutes=2)
    world.move(minutes=4)
    monkeypatch.setattr(world.pay, "query", stalled)
    world.move(minutes=40)  # this poll would end it
    assert payout_list.get(payout.payout_id).status == "wait_user_confirm"
    assert figures(who.distributor_id) == {"in_payout": 1_890}


def test_a_commission_that_the_index_did_not_show_yet_is_marked_later(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pay.state = State.SUCCESS
    with monkeypatch.context() as behind:
        behind.setattr(CommissionItem.of_distributor, "query", lambda *_, **__: [])
        world.settle()
    world.move(hours=2)
    assert {status for *_, status in statuses("o1")} == {"paid"}


def test_a_poll_without_news_tells_nothing(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = world.pay.query
    # only the call's answer has it
    monkeypatch.setattr(world.pay, "query", lambda number: replace(query(number), package_info=""))
    (payout,) = world.settle().payouts
    world.move(minutes=2)
    told = [row["data"]["status"] for row in timeline.read(f"distributor#{who.distributor_id}")[0]]
    assert told.count("wait_user_confirm") == 1
    assert payout_list.get(payout.payout_id).package_info == "PKG"


def notice(payout_id: str, state: State, amount: int = 1_890) -> dict[str, Any]:
    told = {"state": state.value, "amount_fen": amount, "transfer_bill_no": "T", "fail_reason": ""}
    return {"kind": "payout_notice", "payout_id": payout_id, **told}


def test_notices_repeated_wrong_foreign_and_contradicting(world: World, who: Distributor) -> None:
    (payout,) = world.settle().payouts
    number = payout.payout_id
    with pytest.raises(Conflict):
        payouts.notice(notice(number, State.SUCCESS, 1_891))
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    for _ in range(3):
        payouts.notice(notice(number, State.SUCCESS))
    payouts.notice(notice("somebodyelse", State.SUCCESS))
    assert figures(who.distributor_id) == {"paid": 1_890}
    with pytest.raises(Conflict):
        payouts.notice(notice(number, State.FAIL))
    assert figures(who.distributor_id) == {"paid": 1_890}
    check_books()


def test_a_notice_that_overtakes_the_calls_own_answer(
    world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = world.pay.transfer

    def overtaken(number: str, *args: Any) -> Bill:
        bill = transfer(number, *args)
        world.pay.pay(number)
        payouts.notice(notice(number, State.SUCCESS))
        return bill

    monkeypatch.setattr(world.pay, "transfer", overtaken)
    world.settle()
    assert figures(who.distributor_id) == {"paid": 1_890}
    check_books()


def test_a_refund_after_payout_is_a_debt_that_the_next_settlement_takes(
    world: World, who: Distributor
) -> None:
    world.pay.state = State.SUCCESS
    world.settle()
    world.tell(refund("o1", "R1", 10, 9_000, [("2", 9_000)]))
    assert figures(who.distributor_id) == {"paid": 1_890, "debt": 900}
    assert tuple(status for *_, status in statuses("o1")) == ("paid", "reversed")
    world.tell(paid("o2", who.share_code), message("o2", "completed", 9))
    world.move(days=10)
    assert figures(who.distributor_id) == {"paid": 1_890, "debt": 900, "available": 1_890}
    settled = world.settle()
    assert (settled.gross_fen, settled.debt_fen, settled.net_fen) == (990, 900, 990)
    assert figures(who.distributor_id) == {"paid": 2_880}
    check_books()


def test_a_refund_while_the_payout_is_on_its_way(world: World, who: Distributor) -> None:
    (payout,) = world.settle().payouts
    world.tell(message("o1", "closed", 10))
    assert figures(who.distributor_id) == {"in_payout": 1_890, "debt": 1_890}
    world.pay.close(payout.payout_id)
    world.move(hours=25)
    assert figures(who.distributor_id) == {"available": 1_890, "debt": 1_890}
    assert world.settle().payouts == []
    check_books()


def test_tax_is_withheld_and_given_back(world: World) -> None:
    found = world.distributor(world.plan(rates=(10_000,), withhold_tax=True), "wm2")
    lines = (type(paid("o", "c").lines[0])("1", "S", "T", 1, 100_000),)
    world.tell(paid("o9", found.share_code, lines=lines), message("o9", "completed", 0.5))
    world.move(days=9)
    settled = world.settle()
    assert (settled.gross_fen, settled.tax_fen, settled.net_fen) == (100_000, 4_000, 96_000)
    assert figures(found.distributor_id) == {"in_payout": 96_000, "tax_withheld": 4_000}
    world.pay.close(settled.payouts[0].payout_id)
    world.move(hours=25)
    assert figures(found.distributor_id) == {"available": 100_000}
    world.pay.state = State.SUCCESS
    world.settle()
    assert figures(found.distributor_id) == {"paid": 96_000, "tax_withheld": 4_000}
    check_books()


def test_from_2000_yuan_the_receivers_name_goes_along(world: World) -> None:
    found = world.distributor(world.plan(rates=(10_000,)), "wm2")
    lines = (type(paid("o", "c").lines[0])("1", "S", "T", 1, 200_000),)
    world.tell(paid("o9", found.share_code, lines=lines), message("o9", "completed", 0.5))
    world.move(days=9)
    (payout,) = world.settle().payouts
    assert world.pay.bills[payout.payout_id]["asked"]["name"] == "王小明"
