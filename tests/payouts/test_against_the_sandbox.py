"""Payouts through the product's own client, over HTTP, to the sandbox's WeChat Pay: money moves once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chalicelib.distribution.types import Distributor
from chalicelib.orders.types import OrderLine
from chalicelib.payouts import offers, payout_list
from chalicelib.payouts import transfers as payouts
from chalicelib.payouts.types import PayoutOut
from chalicelib.platform import clock
from chalicelib.wechatpay.client import WeChatPay
from chalicelib.wechatpay.signer import Signer, Verifier
from infra.sandbox import Config, Sandbox
from tests.support.money_world import World, check_books, figures, message, paid

NET = 77_700


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(Config(run_by_itself=False, now=lambda: clock.now()))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def world(
    tables: None,
    at: Callable[..., None],
    sent: list[Any],
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    made = World(at, sent, monkeypatch)
    config = sandbox.config
    signer = Signer(config.mch_id, config.cert_serial, config.merchant_private_key)
    client = WeChatPay(
        sandbox.base_url, config.app_id, signer, Verifier(config.public_key_id, config.platform_public_key)
    )
    monkeypatch.setattr(payouts, "default_client", lambda: client)
    return made


@pytest.fixture
def who(world: World) -> Distributor:
    """With 77,700 fen available."""
    found = world.distributor(world.plan(rates=(10_000,)), "wm1")
    lines = (OrderLine("1", "S", "T", 1, NET),)
    world.tell(paid("o1", found.share_code, lines=lines, paid_fen=NET), message("o1", "completed", 1))
    world.move(days=9)
    return found


def settle(world: World) -> str:
    (payout,) = world.settle().payouts
    return payout.payout_id


def shown(number: str) -> PayoutOut:
    return payout_list.get(number, "zh")


def posts(sandbox: Sandbox) -> list[Any]:
    return [call for call in sandbox.calls("transfer-bills") if call["method"] == "POST"]


def test_a_short_balance_pays_once_it_is_topped_up(world: World, sandbox: Sandbox, who: Distributor) -> None:
    sandbox.pay.set_balance(100)
    number = settle(world)
    for _ in range(26):
        world.move(hours=1)
    waiting = shown(number)
    assert (waiting.status, waiting.reason) == ("processing", "NOT_ENOUGH")
    assert waiting.reason_text is not None and "余额不足" in waiting.reason_text
    sandbox.pay.set_balance(100_000)
    world.move(hours=1)
    offered = shown(number)
    assert (offered.status, offered.reason) == ("wait_user_confirm", None)
    sandbox.confirm_transfer(number)
    world.move(hours=1)
    assert shown(number).status == "paid"
    assert figures(who.distributor_id) == {"paid": NET}
    assert sandbox.pay.balance() == 100_000 - NET
    assert {call["body"]["out_bill_no"] for call in posts(sandbox)} == {number} and len(posts(sandbox)) > 20
    check_books()


def test_retry_needs_no_hour(world: World, sandbox: Sandbox, who: Distributor) -> None:
    sandbox.pay.set_balance(100)
    number = settle(world)
    world.move(hours=3)
    sandbox.pay.set_balance(100_000)
    payouts.ask_retry(number)
    world.work()
    assert shown(number).status == "wait_user_confirm"


def test_param_error_for_work_that_was_done(world: World, sandbox: Sandbox, who: Distributor) -> None:
    sandbox.fault("transfer-bills", "status", 400, code="PARAM_ERROR", after=True)
    number = settle(world)
    sandbox.fault("out-bill-no", "status", 404, code="NOT_FOUND", times=2)
    world.move(minutes=2)
    world.move(minutes=4)
    assert (shown(number).status, shown(number).reason) == ("calling", "PARAM_ERROR")
    assert figures(who.distributor_id) == {"in_payout": NET}
    sandbox.confirm_transfer(number)
    world.move(minutes=10)
    assert shown(number).status == "paid"
    assert len(posts(sandbox)) == 1
    check_books()


def test_param_error_for_nothing_done(world: World, sandbox: Sandbox, who: Distributor) -> None:
    sandbox.fault("transfer-bills", "status", 400, code="PARAM_ERROR")
    number = settle(world)
    world.move(minutes=10)
    assert shown(number).status == "calling"
    for _ in range(3):
        world.move(minutes=15)
    assert (shown(number).status, shown(number).reason) == ("failed", "PARAM_ERROR")
    assert figures(who.distributor_id) == {"available": NET}
    check_books()


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "NO_AUTH"), (401, "SIGN_ERROR"), (400, "INVALID_REQUEST"), (429, "FREQUENCY_LIMITED")],
)
@pytest.mark.parametrize("after", [False, True])
def test_every_other_refusal_ends_in_one_offer(
    world: World, sandbox: Sandbox, who: Distributor, status: int, code: str, after: bool
) -> None:
    sandbox.fault("transfer-bills", "status", status, code=code, after=after)
    number = settle(world)
    assert shown(number).reason == code
    world.move(minutes=4)
    assert (shown(number).status, shown(number).reason) == ("wait_user_confirm", None)
    assert [bill["out_bill_no"] for bill in sandbox.pay.bills()] == [number]


@pytest.mark.parametrize("fault", [("status", 500), ("status", 502), ("lost", 0), ("drop", 0)])
def test_no_answer_ends_in_one_offer(
    world: World, sandbox: Sandbox, who: Distributor, fault: tuple[str, int]
) -> None:
    sandbox.fault("transfer-bills", fault[0], fault[1])
    number = settle(world)
    for _ in range(4):
        world.move(minutes=2)
    assert shown(number).status == "wait_user_confirm"
    assert [bill["out_bill_no"] for bill in sandbox.pay.bills()] == [number]


@pytest.mark.parametrize("end", ["lapse", "refuse"])
def test_what_was_not_taken_is_back_and_is_offered_again(
    world: World, sandbox: Sandbox, who: Distributor, end: str
) -> None:
    number = settle(world)
    offer = shown(number)
    assert (offer.status, offer.scene_id) == ("wait_user_confirm", "1005")
    assert offer.expires_at is not None and offer.offered_at is not None
    waited = clock.parse(offer.expires_at) - clock.parse(offer.offered_at)
    assert waited.total_seconds() == 24 * 3600
    if end == "refuse":
        sandbox.refuse_transfer(number)
        world.move(hours=1)
    else:
        for _ in range(25):
            world.move(hours=1)
    assert shown(number).status == "failed"
    assert figures(who.distributor_id) == {"available": NET}
    assert sandbox.pay.balance() == sandbox.config.pay_balance_fen
    again = offers.offer(number).payout_id
    world.work()
    sandbox.confirm_transfer(again)
    world.move(hours=1)
    assert figures(who.distributor_id) == {"paid": NET}
    assert sandbox.pay.balance() == sandbox.config.pay_balance_fen - NET
    check_books()
