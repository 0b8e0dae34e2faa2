"""The doors of settlements and payouts, and WeChat Pay's for its notifications."""

from chalicelib.payouts import offers, payout_list, settlement, transfers
from chalicelib.payouts.payout_list import PayoutsQuery
from chalicelib.payouts.settlement import SettlementsQuery
from chalicelib.payouts.types import (
    NewSettlement,
    PayoutOut,
    PayoutRow,
    SettlementJob,
    SettlementOut,
    SettlementWithPayouts,
)
from chalicelib.platform import http, messages
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
    return settlement.page(call.query)


@door.route(
    "GET",
    "/api/settlements/{settlement_id}",
    permission="settlements.read",
    summary="A settlement and its payouts",
    answer=SettlementWithPayouts,
)
def get_settlement(call: http.Call, settlement_id: str) -> SettlementWithPayouts:
    return settlement.get(settlement_id, with_payouts=call.principal.may("payouts.read"))


@door.route(
    "GET",
    "/api/payouts",
    permission="payouts.read",
    summary="Payouts, newest first",
    query=PayoutsQuery,
    answer=Page[PayoutRow],
)
def list_payouts(call: http.Call) -> Page[PayoutRow]:
    return payout_list.page(call.query, _language(call))


@door.route(
    "GET", "/api/payouts/{payout_id}", permission="payouts.read", summary="A payout", answer=PayoutOut
)
def get_payout(call: http.Call, payout_id: str) -> PayoutOut:
    return payout_list.get(payout_id, _language(call))


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
    return payout_list.show(transfers.ask_retry(payout_id), _language(call))


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
    return payout_list.show(offers.offer(payout_id), _language(call))


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
    if opened["event_type"] == TRANSFER_FINISHED:
        try:
            bill = Bill.of(opened["resource"])
        except (KeyError, ValueError):
            raise Malformed("not a transfer's notification") from None
        transfers.accept_notice(bill)
    return http.Answer(b"")


def _language(call: http.Call) -> Language:
    return messages.language(call.headers.get("accept-language"))
