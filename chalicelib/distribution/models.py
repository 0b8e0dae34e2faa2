"""What is stored of distribution: plans, distributors, commissions.

A commission's index `listing` has keys only, which never change: one write unit a commission.
"""

from collections.abc import Sequence
from typing import Any, cast

from msgspec.structs import asdict
from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.distribution.types import (
    Commission,
    CommissionStatus,
    Distributor,
    DistributorStatus,
    LineCommission,
    Payee,
    Plan,
    SettleEvery,
    Tax,
)
from chalicelib.platform import clock, lists, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction

_SAME_MOMENT = 4  # of a distributor's commissions at most, that began in one microsecond
SHARDS = 1  # of a month: its index takes one write unit a commission


class PlanListing(GlobalSecondaryIndex["PlanItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class PlanItem(Base):
    """A plan as it is now; or, under `<plan_id>#v<version>` and in no list, as it was."""

    class Meta(BaseMeta):
        table_name = settings.table("plans")

    plan_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute(default="plan", null=True)
    created_at = UnicodeAttribute()
    name = UnicodeAttribute()
    rates = JSONAttribute()
    skus = JSONAttribute(null=True)
    mature_after = UnicodeAttribute()
    attribution_window = UnicodeAttribute()
    minimum_payout_fen = NumberAttribute()
    withhold_tax = BooleanAttribute()  # of plans without `tax`, which came later
    tax = UnicodeAttribute(null=True)
    self_purchase = BooleanAttribute(null=True)
    settle_every = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    since = UnicodeAttribute(null=True)

    by_listing = PlanListing()


class DistributorListing(GlobalSecondaryIndex["DistributorItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class DistributorItem(Base):
    """A distributor; or who a person is (persons.py): `identity#…`, whose an id is, and `person#…`."""

    class Meta(BaseMeta):
        table_name = settings.table("distributors")

    distributor_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    share_code = UnicodeAttribute(null=True)
    sealed = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)  # name and openid: of distributors that are not sealed yet
    openid = UnicodeAttribute(null=True)
    plan_id = UnicodeAttribute(null=True)
    parent_id = UnicodeAttribute(null=True)
    external_userid = UnicodeAttribute(null=True)
    unionid = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    level = UnicodeAttribute(null=True)
    person_id = UnicodeAttribute(null=True)
    is_same_as = UnicodeAttribute(null=True)  # of marks without `person_id`, which came later
    members = JSONAttribute(null=True)  # of a person: [[plan_id, distributor_id], …]
    absorbed = JSONAttribute(null=True)  # of a person: those whom it was found to be as well
    merged_into = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)

    by_listing = DistributorListing()


class OfDistributor(GlobalSecondaryIndex["CommissionItem"]):
    class Meta(BaseMeta):
        index_name = "distributor"
        projection = AllProjection()

    distributor_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ByMonth(GlobalSecondaryIndex["CommissionItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = KeysOnlyProjection()

    month_shard = UnicodeAttribute(hash_key=True)
    listed_at = UnicodeAttribute(range_key=True)


class CommissionItem(Base):
    """listed_at: when it began, with its order and level."""

    class Meta(BaseMeta):
        table_name = settings.table("commissions")

    order_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    distributor_id = UnicodeAttribute()
    created_at = UnicodeAttribute()
    level = NumberAttribute()
    plan_id = UnicodeAttribute()
    rate_bps = NumberAttribute()
    skus = JSONAttribute(null=True)
    mature_after = UnicodeAttribute()
    lines = JSONAttribute()
    state = UnicodeAttribute()
    mature_at = UnicodeAttribute(null=True)
    round = NumberAttribute(null=True)
    payout_id = UnicodeAttribute(null=True)
    is_own = BooleanAttribute(null=True)
    month_shard = UnicodeAttribute(null=True)
    listed_at = UnicodeAttribute(null=True)
    version = NumberAttribute()

    of_distributor = OfDistributor()
    by_month = ByMonth()


def plan_of(item: PlanItem) -> Plan:
    return Plan(
        plan_id=item.plan_id.partition("#")[0],
        name=item.name,
        rates=tuple(item.rates),
        skus=None if item.skus is None else tuple(item.skus),
        mature_after=item.mature_after,
        attribution_window=item.attribution_window,
        minimum_payout_fen=int(item.minimum_payout_fen),
        tax=cast(Tax, item.tax or ("labour_month" if item.withhold_tax else "none")),
        settle_every=cast(SettleEvery | None, item.settle_every),
        created_at=item.created_at,
        self_purchase=bool(item.self_purchase),
        version=int(item.version or 1),
        since=item.since or item.created_at,
    )


def plan_item(plan: Plan) -> PlanItem:
    values = asdict(plan)
    values["rates"] = list(plan.rates)
    values["skus"] = None if plan.skus is None else list(plan.skus)
    return PlanItem(**values, listing="plan", withhold_tax=plan.tax != "none")


def add_plan(tx: Transaction, plan: Plan, before: Plan | None) -> None:
    """Add a plan, or its next version, to a transaction, as the item `plan`; what it was is kept."""
    item = plan_item(plan)
    if before is None:
        tx.put("plan", item, PlanItem.plan_id.does_not_exist())
        return
    unchanged = PlanItem.version == before.version
    if before.version == 1:
        unchanged = PlanItem.plan_id.exists() & (unchanged | PlanItem.version.does_not_exist())
    tx.put("plan", item, unchanged)
    old = plan_item(before)
    old.plan_id, old.listing = f"{plan.plan_id}#v{before.version}", None
    tx.put("old_plan", old)


def distributor_of(item: DistributorItem) -> Distributor:
    return Distributor(
        distributor_id=item.distributor_id,
        share_code=item.share_code or "",
        sealed=item.sealed or Payee(item.name or "", item.openid or ""),
        plan_id=item.plan_id or "",
        parent_id=item.parent_id,
        external_userid=item.external_userid,
        unionid=item.unionid,
        status=cast(DistributorStatus, item.status),
        created_at=item.created_at,
        customer_id=item.customer_id or item.external_userid,
        person_id=item.person_id or person_id_of(item.distributor_id),
        level=item.level,
        version=int(item.version or 0),
    )


def add_distributor(tx: Transaction, who: Distributor, is_new: bool = False) -> None:
    """Add a distributor's next version to a transaction, as the item `distributor`. They must be sealed."""
    if isinstance(who.sealed, Payee):
        raise ValueError("a distributor is stored sealed")
    condition: Condition = DistributorItem.version == who.version
    if is_new:
        condition = DistributorItem.distributor_id.does_not_exist()
    elif not who.version:
        condition = DistributorItem.distributor_id.exists() & DistributorItem.version.does_not_exist()
    item = DistributorItem(**{**asdict(who), "version": who.version + 1}, listing="distributor")
    tx.put("distributor", item, condition)


def person_id_of(distributor_id: str) -> str:
    """The person that a distributor began."""
    return f"p_{distributor_id.removeprefix('d_')}"


def commission_of(item: CommissionItem) -> Commission:
    return Commission(
        order_id=item.order_id,
        distributor_id=item.distributor_id,
        level=int(item.level),
        plan_id=item.plan_id,
        rate_bps=int(item.rate_bps),
        skus=None if item.skus is None else tuple(item.skus),
        mature_after=item.mature_after,
        created_at=item.created_at,
        lines=tuple(LineCommission(*line) for line in item.lines),
        state=cast(CommissionStatus, item.state),
        mature_at=clock.parse(item.mature_at) if item.mature_at else None,
        round=None if item.round is None else int(item.round),
        payout_id=item.payout_id,
        is_own=bool(item.is_own),
        version=int(item.version),
    )


def commissions(order_id: str) -> list[Commission]:
    """An order's commissions, read consistently, level 1 first."""
    rows = [commission_of(item) for item in CommissionItem.query(order_id, consistent_read=True)]
    return sorted(rows, key=lambda commission: commission.level)


def commission(order_id: str, distributor_id: str, level: int) -> Commission | None:
    item = CommissionItem.find(order_id, _part(distributor_id, level))
    return commission_of(item) if item else None


def keys_of_month(partition: str, before: str | None, limit: int) -> list[CommissionItem]:
    """Keys of a month's commissions, newest first, whose place is before the given one."""
    earlier = CommissionItem.listed_at < before if before else None
    return list(CommissionItem.by_month.query(partition, earlier, scan_index_forward=False, limit=limit))


def of_distributor(distributor_id: str, before: str | None, limit: int) -> list[Commission]:
    """A distributor's commissions, newest first, whose place is before the given one."""
    until = CommissionItem.created_at <= before.partition("#")[0] if before else None
    rows = CommissionItem.of_distributor.query(
        distributor_id, until, scan_index_forward=False, limit=limit + _SAME_MOMENT
    )
    commissions = [commission_of(row) for row in rows]
    return [row for row in commissions if before is None or place(row) < before][:limit]


def load_several(keys: Sequence[CommissionItem]) -> dict[tuple[str, str], Commission]:
    """The commissions of these keys; perhaps as they were a second ago."""
    rows = CommissionItem.batch_get([(key.order_id, key.part) for key in keys])
    return {(row.order_id, row.part): commission_of(row) for row in rows}


def place(commission: Commission) -> str:
    """Where it stands in a history: its time, and what sets it apart from others of that time."""
    return f"{commission.created_at}#{commission.order_id}#{commission.level}"


def write(commission: Commission) -> tuple[CommissionItem, Condition]:
    """The item of the commission's next version, and the condition that it is the next."""
    item = CommissionItem(
        commission.order_id,
        _part(commission.distributor_id, commission.level),
        distributor_id=commission.distributor_id,
        created_at=commission.created_at,
        level=commission.level,
        plan_id=commission.plan_id,
        rate_bps=commission.rate_bps,
        skus=None if commission.skus is None else list(commission.skus),
        mature_after=commission.mature_after,
        lines=[_line(line) for line in commission.lines],
        state=commission.state,
        mature_at=clock.iso(commission.mature_at) if commission.mature_at else None,
        round=commission.round,
        payout_id=commission.payout_id,
        is_own=commission.is_own or None,
        **_listing(commission),
        version=commission.version + 1,
    )
    if commission.version:
        return item, CommissionItem.version == commission.version
    return item, CommissionItem.order_id.does_not_exist()


def enter_in_list(item: CommissionItem) -> None:
    """List a commission that was stored before there was a list; its next change would do it too."""
    if item.listed_at is None:
        keys = _listing(commission_of(item))
        actions = [getattr(CommissionItem, name).set(value) for name, value in keys.items()]
        storage.update_if(item, actions, CommissionItem.version == item.version)


def _listing(commission: Commission) -> dict[str, Any]:
    """The keys of the list."""
    began_at = clock.parse(commission.created_at)
    return {
        "month_shard": lists.month_shard(began_at, commission.order_id, SHARDS),
        "listed_at": place(commission),
    }


def add(tx: Transaction, commission: Commission) -> None:
    """Add a commission's next version to a transaction, as the item `commission`."""
    item, condition = write(commission)
    tx.put("commission", item, condition)


def _line(line: LineCommission) -> list[Any]:
    return [line.line_id, line.paid_fen, line.base_fen, line.amount_fen]


def _part(distributor_id: str, level: int) -> str:
    return f"{distributor_id}#{level}"
