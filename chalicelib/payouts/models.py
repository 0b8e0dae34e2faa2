"""What is stored of settlements and payouts.

The index `listing` of payouts is by status, so it takes two write units at each change of it: payouts are
some thousands a month, and a person looks for those that failed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.pagination import ResultIterator

from chalicelib.payouts import rules
from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta, Transaction

_SAME_MOMENT = 4  # payouts of a partition at most, that were made in one microsecond


class SettlementListing(GlobalSecondaryIndex["SettlementItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class SettlementItem(Base):
    """A run. `every`: of plans settled at that interval only; None: of all."""

    class Meta(BaseMeta):
        table_name = settings.table("settlements")

    settlement_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute(default="settlement")
    created_at = UnicodeAttribute()
    until = UnicodeAttribute()
    every = UnicodeAttribute(null=True)
    status = UnicodeAttribute()  # running, finished, failed (never begun)
    job_id = UnicodeAttribute(null=True)
    distributors = NumberAttribute(default=0)
    gross_fen = NumberAttribute(default=0)
    debt_fen = NumberAttribute(default=0)
    tax_fen = NumberAttribute(default=0)
    net_fen = NumberAttribute(default=0)
    skipped = NumberAttribute(default=0)  # distributors that an error kept out; their money stays available
    skipped_at = NumberAttribute(null=True)  # the `done` of the latest page that `skipped` counts

    by_listing = SettlementListing()


class OfSettlement(GlobalSecondaryIndex["PayoutItem"]):
    class Meta(BaseMeta):
        index_name = "settlement"
        projection = AllProjection()

    settlement_id = UnicodeAttribute(hash_key=True)
    payout_id = UnicodeAttribute(range_key=True)


class ByStatus(GlobalSecondaryIndex["PayoutItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = KeysOnlyProjection()

    status = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class OfDistributor(GlobalSecondaryIndex["PayoutItem"]):
    class Meta(BaseMeta):
        index_name = "distributor"
        projection = KeysOnlyProjection()

    distributor_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class PayoutItem(Base):
    """One transfer. openid, name and sums never change: the same number is the same transfer.

    scene_id, reports: what the latest call told WeChat of the scene. absent: how often in a row it has not
    known the number since. offered_at: when WeChat took it in for the receiver to collect. replaces: the
    payout whose money this one offers again; replaced_by: which one does so with this one's.
    """

    class Meta(BaseMeta):
        table_name = settings.table("payouts")

    payout_id = UnicodeAttribute(hash_key=True)
    settlement_id = UnicodeAttribute()
    distributor_id = UnicodeAttribute()
    openid = UnicodeAttribute()
    name = UnicodeAttribute()
    gross_fen = NumberAttribute()
    debt_fen = NumberAttribute()
    tax_fen = NumberAttribute()
    amount_fen = NumberAttribute()  # net: what is transferred
    rounds = JSONAttribute()  # of the distributor's balance, that it covers
    created_at = UnicodeAttribute()
    status = UnicodeAttribute()
    called_at = UnicodeAttribute(null=True)  # the first call
    asked_at = UnicodeAttribute(null=True)  # the latest call
    calls = NumberAttribute(default=0)
    transfer_bill_no = UnicodeAttribute(null=True)
    package_info = UnicodeAttribute(null=True)  # opens the receiver's confirmation page
    reason = UnicodeAttribute(null=True)
    scene_id = UnicodeAttribute(null=True)
    reports = JSONAttribute(null=True)
    absent = NumberAttribute(default=0)
    offered_at = UnicodeAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    replaces = UnicodeAttribute(null=True)
    replaced_by = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute()
    marked = BooleanAttribute(default=False)  # its commissions are marked as paid, for good
    version = NumberAttribute(default=1)

    of_settlement = OfSettlement()
    by_status = ByStatus()
    of_distributor = OfDistributor()

    @property
    def final(self) -> bool:
        return self.status in rules.FINAL


def change(
    tx: Transaction, payout: PayoutItem, values: Mapping[str, Any], cleared: Sequence[str] = ()
) -> None:
    """Add new values to a transaction, as the item `payout`; it fails when the payout has changed since."""
    actions = [getattr(PayoutItem, name).set(value) for name, value in values.items() if value is not None]
    actions += [getattr(PayoutItem, name).remove() for name in cleared]
    actions.append(PayoutItem.version.add(1))
    tx.update("payout", PayoutItem(payout.payout_id), actions, PayoutItem.version == payout.version)


def of_settlement(settlement_id: str) -> ResultIterator[PayoutItem]:
    return PayoutItem.of_settlement.query(settlement_id)


def keys(index: Any, partition: str, before: str | None, limit: int) -> list[PayoutItem]:
    """Keys of a status's or a distributor's payouts, newest first, whose place is before the given one."""
    until = PayoutItem.created_at <= before.partition("#")[0] if before else None
    rows = index.query(partition, until, scan_index_forward=False, limit=limit + _SAME_MOMENT)
    ordered = sorted(rows, key=place, reverse=True)
    return [row for row in ordered if before is None or place(row) < before][:limit]


def load_several(payout_ids: Sequence[str]) -> dict[str, PayoutItem]:
    return {item.payout_id: item for item in PayoutItem.batch_get(list(payout_ids))}


def place(payout: PayoutItem) -> str:
    """Where it stands in a history: its time, and what sets it apart from others of that time."""
    return f"{payout.created_at}#{payout.payout_id}"
