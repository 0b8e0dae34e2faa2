"""The doors of settlements and payouts, and WeChat Pay's for its notifications."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.payouts import service, settlement
from chalicelib.platform import http
from chalicelib.platform.errors import Forbidden, Malformed, Unauthorized
from chalicelib.platform.lists import Paging
from chalicelib.wechatpay.client import Bill
from chalicelib.wechatpay.notify import TRANSFER_FINISHED, open_received

door = http.Door(__name__, tag="Settlements")


class NewSettlement(msgspec.Struct, kw_only=True):
    """`until`: settle what has matured by then; never later than now."""

    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class SettlementJob(msgspec.Struct, kw_only=True):
    job_id: str
    status: str
    done: int
    total: int
    settlement_id: str


class PayoutShort(msgspec.Struct, kw_only=True):
    payout_id: str
    distributor_id: str
    amount_fen: int
    status: str


class SettlementOut(msgspec.Struct, kw_only=True):
    """gross less tax is net; `debt_fen` was settled before; `skipped` were kept out by an error.

    payouts: null for who sees money only as totals.
    """

    settlement_id: str
    status: str
    job_id: str | None
    created_at: str
    until: str
    distributors: int
    gross_fen: int
    debt_fen: int
    tax_fen: int
    net_fen: int
    skipped: int


class SettlementWithPayouts(SettlementOut, kw_only=True):
    """`payouts`: null for whoever may not read them."""

    payouts: list[PayoutShort] | None


class PayoutOut(msgspec.Struct, kw_only=True):
    payout_id: str
    settlement_id: str
    distributor_id: str
    status: str
    gross_fen: int
    debt_fen: int
    tax_fen: int
    amount_fen: int
    calls: int
    transfer_bill_no: str | None
    package_info: str | None
    reason: str | None
    created_at: str
    changed_at: str


@door.route(
    "POST",
    "/api/settlements",
    body=NewSettlement,
    status=202,
    permission="settlements.run",
    summary="Settle what has matured",
    answer=SettlementJob,
)
def create(call: http.Call) -> dict[str, Any]:
    return settlement.start(call.body.until)


@door.route(
    "GET",
    "/api/settlements",
    permission="settlements.read",
    summary="Settlements, newest first",
    query=Paging,
    answer=http.Listing[SettlementOut],
)
def listing(call: http.Call) -> dict[str, Any]:
    return http.listing(*settlement.settlements(*call.page()))


@door.route(
    "GET",
    "/api/settlements/{settlement_id}",
    permission="settlements.read",
    summary="A settlement and its payouts",
    answer=SettlementWithPayouts,
)
def get(call: http.Call, settlement_id: str) -> dict[str, Any]:
    found = settlement.get(settlement_id)
    return found if call.principal.may("payouts.read") else {**found, "payouts": None}


@door.route(
    "GET", "/api/payouts/{payout_id}", permission="payouts.read", summary="A payout", answer=PayoutOut
)
def get_payout(call: http.Call, payout_id: str) -> dict[str, Any]:
    return service.get(payout_id)


@door.route(
    "POST",
    "/pay/wechat/notify",
    summary="WeChat Pay's notifications (API v3)",
    takes="application/json",
    gives="text/plain",
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
        service.accept_notice(bill)
    return http.Answer(b"")
