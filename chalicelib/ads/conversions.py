"""Conversions as operators see them: listed, reported again, or known to have arrived."""

from collections.abc import Iterator
from typing import Any

from chalicelib.ads import campaigns, models, rules
from chalicelib.ads.models import AdConversionItem
from chalicelib.ads.types import AdConversion, AdConversionsQuery
from chalicelib.platform import audit, clock, due, lists, storage
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction


def page(query: AdConversionsQuery, principal: Principal) -> Page[AdConversion]:
    """A campaign's conversions, newest first: the index has them by status, which are merged. NotFound."""
    campaigns.load(query.ad_campaign_id, principal)

    def read(status: str, before: str | None, limit: int) -> Iterator[AdConversionItem]:
        until = AdConversionItem.listed.between(f"{status}#", f"{status}#{before or '~'}")
        rows = AdConversionItem.by_status.query(
            query.ad_campaign_id, until, scan_index_forward=False, limit=limit + 1
        )
        yield from [row for row in rows if before is None or _place(row) < before][:limit]

    statuses = [query.status] if query.status else list(rules.STATUSES)
    return lists.merged([statuses], read, query, _place).map(lambda row: _conversion(row, principal))


@storage.retrying("this conversion keeps changing")
def retry(conversion_id: str, principal: Principal = SYSTEM) -> AdConversion:
    """Have a conversion reported that was refused, failed or is unknown. NotFound, Conflict."""
    row = _load(conversion_id, principal)
    if row.status not in rules.RETRIABLE:
        raise Conflict(code="ad_conversion_not_retriable", status=row.status)
    now, tx = clock.now(), Transaction()
    fresh = models.restate(row, rules.WAITING, tries=0, calling=None, reason=None, next_at=None)
    tx.update("conversion", AdConversionItem(conversion_id), fresh, AdConversionItem.status == row.status)
    models.count_report(tx, row, {rules.COUNTED[row.status]: -1})
    due.add(tx, "ad_report", now, f"{conversion_id}#{clock.iso(now)}", {"subject": conversion_id})
    return _decide(tx, row, "retry", rules.WAITING, principal)


@storage.retrying("this conversion keeps changing")
def confirm_sent(conversion_id: str, principal: Principal = SYSTEM) -> AdConversion:
    """A person has seen at the platform that it has a conversion that is `unknown`. NotFound, Conflict."""
    row = _load(conversion_id, principal)
    if row.status != rules.UNKNOWN:
        raise Conflict(code="ad_conversion_not_in_doubt", status=row.status)
    tx = Transaction()
    ended = models.restate(row, rules.SENT, reason=None, sent_at=clock.iso(clock.now()))
    tx.update("conversion", AdConversionItem(conversion_id), ended, AdConversionItem.status == row.status)
    models.count_report(tx, row, {"reports_unknown": -1, "reports_sent": 1})
    return _decide(tx, row, "confirm", rules.SENT, principal)


def _decide(
    tx: Transaction, row: AdConversionItem, verb: str, status: str, principal: Principal
) -> AdConversion:
    conversion_id = str(row.conversion_id)
    audit.add(tx, f"ad_conversions.{verb}", conversion_id, {"status": row.status}, {"status": status})
    tx.commit()
    return _conversion(AdConversionItem.get(conversion_id, consistent_read=True), principal)


def _load(conversion_id: str, principal: Principal) -> AdConversionItem:
    """NotFound, also when its campaign is outside of the scope."""
    row: AdConversionItem | None = AdConversionItem.find(conversion_id)
    try:
        if row is not None:
            campaigns.load(row.ad_campaign_id, principal)
            return row
    except NotFound:
        pass
    raise NotFound(code="no_ad_conversion", conversion_id=conversion_id)


def _place(row: AdConversionItem) -> str:
    return f"{row.created_at}#{row.conversion_id}"


def _conversion(row: AdConversionItem, principal: Principal) -> AdConversion:
    is_masked = principal.role == "auditor" and row.external_userid
    values: dict[str, Any] = {name: getattr(row, name) for name in AdConversion.__struct_fields__}
    values["external_userid"] = audit.MASK if is_masked else row.external_userid
    values["amount_fen"] = None if row.amount_fen is None else int(row.amount_fen)
    values["tries"] = int(row.tries)
    return AdConversion(**values)
