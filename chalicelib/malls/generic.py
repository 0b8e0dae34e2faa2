"""The generic mall: our own order message, signed with a shared secret (the contract's "Public doors")."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated

import msgspec

from chalicelib.distribution.rules import clean_code
from chalicelib.orders.service import MAX_LINES
from chalicelib.orders.types import Message, OrderLine, Refund, Status
from chalicelib.platform import plain_text, settings
from chalicelib.platform.errors import Invalid, Issue, Unauthorized, issue
from chalicelib.tables import cells

FRESH_SECONDS = 300
# A mall's clock without a time (1970) or far ahead would hold an order in a status, or its commissions, for
# ever. A local time that is told as UTC is 14 hours ahead at most, and is let be.
_FIRST, _AHEAD = datetime(2000, 1, 1, tzinfo=timezone.utc), timedelta(days=1)

_PLAIN = r"^[^\x00-\x1f\x7f]*$"  # no control characters
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
MaybeId = Annotated[str, msgspec.Meta(max_length=64, pattern=f"^$|{_PLAIN}")] | None  # malls send "" too
Text = Annotated[str, msgspec.Meta(max_length=200)]
FREE_TEXTS = frozenset({"title"})  # shown, and no key of anything
Typed = Annotated[str, msgspec.Meta(max_length=200)] | None  # by people: with spaces, in full width
_TOO_MUCH_FEN = 10**12
Fen = Annotated[int, msgspec.Meta(ge=0, lt=_TOO_MUCH_FEN)]
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
    status: Status
    occurred_at: Time
    buyer: Buyer | None = None
    items: Annotated[list[Item], msgspec.Meta(max_length=MAX_LINES)] | None = None
    paid_fen: Fen | None = None
    freight_fen: Fen | None = None
    share_code: Typed = None
    refund: RefundPart | None = None


def verify(headers: Mapping[str, str], raw: bytes, now: datetime) -> None:
    """Unauthorized unless the body is signed with the mall's secret, now."""
    timestamp, signature = headers.get("X-Timestamp") or "", headers.get("X-Signature") or ""
    secret = settings.secret("mall", "generic_secret")
    signed = hmac.new(secret.encode(), timestamp.encode("utf-8", "replace") + b"." + raw, hashlib.sha256)
    if not hmac.compare_digest(signed.hexdigest().encode(), signature.encode("utf-8", "replace")):
        raise Unauthorized(code="signature")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or abs(now.timestamp() - int(timestamp)) > FRESH_SECONDS:
        raise Unauthorized(code="timestamp", minutes=FRESH_SECONDS // 60)


def message(body: OrderMessage, now: datetime) -> Message:
    """The message as orders take it. Invalid for what a type can't say."""
    items, refund = body.items or [], body.refund if body.status == "refunded" else None
    issues = [*_order_issues(body, now), *_item_issues(items), *(_refund_issues(refund) if refund else [])]
    if issues:
        raise Invalid(*issues)
    buyer = body.buyer or Buyer()
    return Message(
        order_id=body.order_id,
        status=body.status,
        occurred_at=body.occurred_at,
        lines=tuple(
            OrderLine(i.line_id, i.sku, i.title, i.quantity, i.price_fen, i.discount_fen) for i in items
        ),
        external_userid=clean_code(buyer.external_userid or "") or None,
        unionid=clean_code(buyer.unionid or "") or None,
        paid_fen=body.paid_fen,
        freight_fen=body.freight_fen,
        share_code=clean_code(body.share_code or "") or None,
        refund=_refund(refund) if refund else None,
    )


def _refund(part: RefundPart) -> Refund:
    lines = tuple((line.line_id, line.amount_fen) for line in part.lines or [])
    return Refund(part.refund_id, part.amount_fen, lines)


def _order_issues(body: OrderMessage, now: datetime) -> list[Issue]:
    issues = [found for field, id in _ids(body) for found in plain_text.problems(id, field)]
    issues += [
        issue(field, damage)  # what a spreadsheet has rounded makes one order of several
        for field, id in (_ids(body) if not issues else ())
        if field.endswith(("order_id", "refund_id")) and (damage := cells.damage(cells.plain(id)))
    ]
    if not _FIRST <= body.occurred_at <= now + _AHEAD:
        issues.append(issue("occurred_at", "not_a_time_of_orders", first=_FIRST.year))
    if body.status == "refunded" and body.refund is None:
        issues.append(issue("refund", "required"))
    if body.status == "paid" and not body.items:
        issues.append(issue("items", "required"))
    return issues


def _ids(body: OrderMessage) -> Iterator[tuple[str, str]]:
    """What the mall names, each with its field."""
    yield "order_id", body.order_id
    for number, item in enumerate(body.items or ()):
        yield f"items[{number}].line_id", item.line_id
        yield f"items[{number}].sku", item.sku
    if body.refund:
        yield "refund.refund_id", body.refund.refund_id
        for number, line in enumerate(body.refund.lines or ()):
            yield f"refund.lines[{number}].line_id", line.line_id


def _item_issues(items: list[Item]) -> list[Issue]:
    issues = []
    for number, item in enumerate(items):
        gross = item.quantity * item.price_fen
        if item.discount_fen > gross:
            issues.append(issue(f"items[{number}].discount_fen", "maximum", maximum=gross))
        if gross >= _TOO_MUCH_FEN:
            issues.append(issue(f"items[{number}].price_fen", "line_total", limit=_TOO_MUCH_FEN))
        if item.line_id in {other.line_id for other in items[:number]}:
            issues.append(issue(f"items[{number}].line_id", "duplicate"))
    return issues


def _refund_issues(refund: RefundPart) -> list[Issue]:
    total = sum(line.amount_fen for line in refund.lines or [])
    if total > refund.amount_fen:
        return [issue("refund.lines", "lines_over_total", total=total, maximum=refund.amount_fen)]
    return []
