"""The generic mall: our own order message, signed with a shared secret (the contract's "Public doors")."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Literal

import msgspec

from chalicelib.orders.service import MAX_LINES, Message, OrderLine, Refund
from chalicelib.platform import settings
from chalicelib.platform.errors import Invalid, Unauthorized

FRESH_SECONDS = 300
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=timezone.utc), datetime(2100, 1, 1, tzinfo=timezone.utc)

_PLAIN = r"^[^\x00-\x1f\x7f]*$"  # no control characters
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=_PLAIN)]
MaybeId = Annotated[str, msgspec.Meta(max_length=64, pattern=f"^$|{_PLAIN}")] | None  # malls send "" too
Text = Annotated[str, msgspec.Meta(max_length=200)]
Fen = Annotated[int, msgspec.Meta(ge=0, lt=10**12)]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Buyer(msgspec.Struct, kw_only=True):
    """Who bought. The phone number goes to prospects alone, which keep it encrypted or not at all."""

    unionid: MaybeId = None
    external_userid: MaybeId = None
    phone: str | None = None


class Item(msgspec.Struct, kw_only=True):
    line_id: Id
    sku: Id
    title: Text = ""
    quantity: Annotated[int, msgspec.Meta(ge=1, lt=10**6)]
    price_fen: Fen
    discount_fen: Fen = 0


class RefundedLine(msgspec.Struct, kw_only=True):
    line_id: Id
    amount_fen: Fen


class RefundPart(msgspec.Struct, kw_only=True):
    refund_id: Id
    amount_fen: Fen
    lines: Annotated[list[RefundedLine], msgspec.Meta(max_length=MAX_LINES)] | None = None


class OrderMessage(msgspec.Struct, kw_only=True):
    """What stands in the contract. `refund` is read with the status `refunded` only."""

    order_id: Id
    status: Literal["created", "paid", "shipped", "completed", "refunded", "closed"]
    occurred_at: Time
    buyer: Buyer | None = None
    items: Annotated[list[Item], msgspec.Meta(max_length=MAX_LINES)] | None = None
    paid_fen: Fen | None = None
    freight_fen: Fen | None = None
    share_code: MaybeId = None
    refund: RefundPart | None = None


def verify(headers: Mapping[str, str], raw: bytes, now: datetime) -> None:
    """Unauthorized unless the body is signed with the mall's secret, now."""
    timestamp, signature = headers.get("X-Timestamp") or "", headers.get("X-Signature") or ""
    secret = settings.secret("mall", "generic_secret")
    signed = hmac.new(secret.encode(), timestamp.encode("utf-8", "replace") + b"." + raw, hashlib.sha256)
    if not hmac.compare_digest(signed.hexdigest().encode(), signature.encode("utf-8", "replace")):
        raise Unauthorized("X-Signature is not that of this body")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now.timestamp() - int(timestamp)) > FRESH_SECONDS:
        raise Unauthorized("X-Timestamp is more than five minutes off")


def message(body: OrderMessage) -> Message:
    """The message as orders take it. Invalid for what a type can't say."""
    items, refund = body.items or [], body.refund if body.status == "refunded" else None
    if wrong := [*_wrong_order(body), *_wrong_items(items), *(_wrong_refund(refund) if refund else [])]:
        raise Invalid(*wrong)
    buyer = body.buyer or Buyer()
    return Message(
        order_id=body.order_id,
        status=body.status,
        occurred_at=body.occurred_at,
        lines=tuple(
            OrderLine(i.line_id, i.sku, i.title, i.quantity, i.price_fen, i.discount_fen) for i in items
        ),
        external_userid=buyer.external_userid or None,
        unionid=buyer.unionid or None,
        paid_fen=body.paid_fen,
        freight_fen=body.freight_fen,
        share_code=body.share_code or None,
        refund=_refund(refund) if refund else None,
    )


def _refund(part: RefundPart) -> Refund:
    lines = tuple((line.line_id, line.amount_fen) for line in part.lines or [])
    return Refund(part.refund_id, part.amount_fen, lines)


def _wrong_order(body: OrderMessage) -> list[tuple[str, str]]:
    wrong = []
    if not _FIRST <= body.occurred_at < _LAST:
        wrong.append(("occurred_at", "a time between 2000 and 2100"))
    if body.status == "refunded" and body.refund is None:
        wrong.append(("refund", "a refunded message carries its refund"))
    if body.status == "paid" and not body.items:
        wrong.append(("items", "a paid message carries the order's lines"))
    return wrong


def _wrong_items(items: list[Item]) -> list[tuple[str, str]]:
    wrong = []
    for number, item in enumerate(items):
        gross = item.quantity * item.price_fen
        if item.discount_fen > gross:
            wrong.append((f"items[{number}].discount_fen", "more than the line costs"))
        if gross >= 10**12:
            wrong.append((f"items[{number}].price_fen", "the line costs 10^12 fen or more"))
        if item.line_id in {other.line_id for other in items[:number]}:
            wrong.append((f"items[{number}].line_id", "another line has it"))
    return wrong


def _wrong_refund(refund: RefundPart) -> list[tuple[str, str]]:
    if sum(line.amount_fen for line in refund.lines or []) > refund.amount_fen:
        return [("refund.lines", "together more than the refund's amount_fen")]
    return []
