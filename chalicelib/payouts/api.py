"""The doors of settlements and payouts, and WeChat Pay's for its notifications."""

from chalicelib.distribution.types import CommissionOut
from chalicelib.payouts import offers, payout_list, settlement, settlement_list, transfers
from chalicelib.payouts.payout_list import PayoutsQuery
from chalicelib.payouts.settlement_list import PreviewQuery, SettlementsQuery
from chalicelib.payouts.types import (
    NewSettlement,
    PayoutFigures,
    PayoutOut,
    PayoutRow,
    PreviewRow,
    SettlementJob,
    SettlementOut,
    SettlementWithPayouts,
)
from chalicelib.platform import http, log, messages
from chalicelib.platform.errors import Forbidden, Malformed, Unauthorized
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import Language
from chalicelib.wechatpay.client import Bill
from chalicelib.wechatpay.notify import TRANSFER_FINISHED, open_received

door = http.Door(__name__, tag="Settlements")


@door.route(
    "POST",
    "/api/settlements",
    body=NewSettlement,
    status=202,
    permission="settlements.run",
    summary="Settle what has matured",
    answer=SettlementJob,
)
def run_settlement(call: http.Call) -> SettlementJob:
    return settlement.start(call.body.until)


@door.route(
    "GET",
    "/api/settlements",
    permission="settlements.read",
    summary="Settlements, newest first",
    query=SettlementsQuery,
    answer=Page[SettlementOut],
)
def list_settlements(call: http.Call) -> Page[SettlementOut]:
    return settlement_list.page(call.query)


@door.route(
    "GET",
    "/api/settlements/{settlement_id}",
    permission="settlements.read",
    summary="A settlement and its payouts",
    answer=SettlementWithPayouts,
)
def get_settlement(call: http.Call, settlement_id: str) -> SettlementWithPayouts:
    return settlement_list.get(settlement_id, call.principal.may("payouts.read"), call.principal)


@door.route(
    "GET",
    "/api/settlements/preview",
    permission="settlements.run",
    query=PreviewQuery,
    summary="What a settlement would pay to whom, a page of distributors at a time; writes nothing",
    answer=Page[PreviewRow],
)
def preview_settlement(call: http.Call) -> Page[PreviewRow]:
    return settlement_list.preview(call.query, call.principal)


@door.route(
    "GET",
    "/api/payouts",
    permission="payouts.read",
    summary="Payouts, newest first",
    query=PayoutsQuery,
    answer=Page[PayoutRow],
)
def list_payouts(call: http.Call) -> Page[PayoutRow]:
    return payout_list.page(call.query, _language(call), call.principal)


@door.route(
    "GET",
    "/api/payouts/figures",
    permission="payouts.read",
    summary="Payouts by status, and what is stuck, why, with the cure",
    answer=PayoutFigures,
)
def payout_figures(call: http.Call) -> PayoutFigures:
    return payout_list.figures(_language(call))


@door.route(
    "GET", "/api/payouts/{payout_id}", permission="payouts.read", summary="A payout", answer=PayoutOut
)
def get_payout(call: http.Call, payout_id: str) -> PayoutOut:
    return payout_list.get(payout_id, _language(call), call.principal)


@door.route(
    "GET",
    "/api/payouts/{payout_id}/commissions",
    permission="payouts.read",
    summary="The commissions that a payout was made of, as they are now",
    answer=Page[CommissionOut],
)
def list_payout_commissions(call: http.Call, payout_id: str) -> Page[CommissionOut]:
    return payout_list.commissions_of(payout_id, call.principal)


@door.route(
    "POST",
    "/api/payouts/{payout_id}/retry",
    status=202,
    permission="payouts.retry",
    summary="Send the same number again at once",
    answer=PayoutOut,
    others={409: "It has ended"},
)
def retry_payout(call: http.Call, payout_id: str) -> PayoutOut:
    return payout_list.show(transfers.ask_retry(payout_id), _language(call), call.principal)


@door.route(
    "POST",
    "/api/payouts/{payout_id}/offer",
    status=201,
    permission="payouts.retry",
    summary="Offer a failed payout's money again, under a new number",
    answer=PayoutOut,
    others={409: "It has not failed, or its money has gone out since"},
)
def offer_payout(call: http.Call, payout_id: str) -> PayoutOut:
    return payout_list.show(offers.offer(payout_id), _language(call), call.principal)


@door.route(
    "POST",
    "/pay/wechat/notify",
    summary="WeChat Pay's notifications (API v3)",
    takes="application/json",
    gives="text/plain",
    others={401: "Not signed by WeChat Pay, or more than 5 minutes off"},
)
def notify(call: http.Call) -> http.Answer:
    try:
        opened = open_received(call.headers, call.raw)
    except Forbidden as error:
        raise Unauthorized(str(error)) from None
    except Malformed as error:
        return _unreadable(error)
    if opened["event_type"] == TRANSFER_FINISHED:
        try:
            bill = Bill.of(opened["resource"])
        except (KeyError, ValueError, TypeError) as error:
            return _unreadable(error)
        transfers.accept_notice(bill)
    return http.Answer(b"")


def _unreadable(error: Exception) -> http.Answer:
    """WeChat Pay's own, but not as we know it. Transfers are asked for anyway: it need not come again."""
    log.failure("a notice of WeChat Pay can't be read", error)
    log.measure("NoticeUnreadable", 1, "Count")
    return http.Answer(b"")


def _language(call: http.Call) -> Language:
    return messages.language(call.headers.get("accept-language"))
