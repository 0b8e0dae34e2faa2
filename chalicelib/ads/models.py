"""What is stored of ad campaigns: campaigns and the quota, clicks, conversions, figures."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.operand import Path, Value
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.ads import rules
from chalicelib.ads.types import NewAdCampaign
from chalicelib.platform import clock, ids, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, Transaction
from chalicelib.platform.stored import read_stored

LISTED, ARCHIVED = "ad_campaign", "ad_campaign#archived"
QUOTA = "#quota"  # no campaign's id has this sign
MAKING, READY, REFUSED, DELETED = "making", "ready", "refused", "deleted"


class ByCreation(GlobalSecondaryIndex["AdCampaignItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class AdCampaignItem(Base):
    """A campaign with its acquisition link. Under `#quota`: the corp's quota. Under `link#<id>`: whose it is.

    told_version: the `version` that WeCom has; told_at: when its link got it, in whole seconds.
    asked: a create_link went out, and its answer may have been lost. unavailable: why WeCom says that the
    link can't be used, since unavailable_at.
    """

    class Meta(BaseMeta):
        table_name = settings.table("ad_campaigns")

    ad_campaign_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    updated_at = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    active = BooleanAttribute(null=True)
    definition = JSONAttribute(null=True)
    link_status = UnicodeAttribute(null=True)
    link_id = UnicodeAttribute(null=True)
    link_url = UnicodeAttribute(null=True)
    errcode = NumberAttribute(null=True)
    told_version = NumberAttribute(null=True)
    told_at = UnicodeAttribute(null=True)
    asked = BooleanAttribute(null=True)
    unavailable = UnicodeAttribute(null=True)
    unavailable_at = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)  # of `link#<id>`
    total = NumberAttribute(null=True)  # from here on: of `#quota`
    balance = NumberAttribute(null=True)
    exhausted = BooleanAttribute(null=True)
    expiring = JSONAttribute(null=True)
    checked_at = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)

    by_creation = ByCreation()

    @property
    def plan(self) -> NewAdCampaign:
        return read_stored(self.definition, NewAdCampaign)

    def reported_as(self, kind: str) -> str | None:
        """The platform's name of a conversion; None for one that is only counted."""
        event: str | None = self.definition["report"].get(kind)
        return event


class AdClickItem(Base):
    """A click, under its token. Under `customer#<external_userid>`: the token (`of`) they came by."""

    class Meta(BaseMeta):
        table_name = settings.table("ad_clicks")

    token = UnicodeAttribute(hash_key=True)
    ad_campaign_id = UnicodeAttribute()
    click_id = UnicodeAttribute(null=True)
    landing_url = UnicodeAttribute(null=True)
    at = UnicodeAttribute()
    of = UnicodeAttribute(null=True)
    expires_at = NumberAttribute()


class ByStatus(GlobalSecondaryIndex["AdConversionItem"]):
    class Meta:
        index_name = "listing"
        projection = AllProjection()

    ad_campaign_id = UnicodeAttribute(hash_key=True)
    listed = UnicodeAttribute(range_key=True)


class AdConversionItem(Base):
    """One conversion, reported to the platform once. listed: `<status>#<created_at>#<id>`.

    tries: calls begun. calling: one has begun, its answer is not stored, and until then its sender is
    waited for. next_at: no call before.
    """

    class Meta(BaseMeta):
        table_name = settings.table("ad_conversions")

    conversion_id = UnicodeAttribute(hash_key=True)
    ad_campaign_id = UnicodeAttribute()
    listed = UnicodeAttribute()
    status = UnicodeAttribute()
    kind = UnicodeAttribute()
    token = UnicodeAttribute()
    at = UnicodeAttribute()
    created_at = UnicodeAttribute()
    external_userid = UnicodeAttribute(null=True)
    order_id = UnicodeAttribute(null=True)
    amount_fen = NumberAttribute(null=True)
    tries = NumberAttribute(default=0)
    reason = UnicodeAttribute(null=True)
    calling = UnicodeAttribute(null=True)
    next_at = UnicodeAttribute(null=True)
    sent_at = UnicodeAttribute(null=True)

    by_status = ByStatus()


class AdStatItem(Base):
    """Figures of a campaign and day, in shards: many may open a page at once. day: `2026-11-22#<shard>`."""

    class Meta(BaseMeta):
        table_name = settings.table("ad_stats")

    ad_campaign_id = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)


def stat(
    campaign_id: str, at: datetime, key: str, sums: Mapping[str, int]
) -> tuple[AdStatItem, list[Action]]:
    """The counter of that day (in Shanghai) and the shard of `key`, and what adds `sums` to it."""
    day = at.astimezone(clock.SHANGHAI).date().isoformat()
    item = AdStatItem(campaign_id, f"{day}#{ids.shard(key, rules.STAT_SHARDS)}")
    return item, [Path(name).add(Value(value)) for name, value in sums.items()]


def add_stat(tx: Transaction, campaign_id: str, at: datetime, key: str, sums: Mapping[str, int]) -> None:
    """Add to the figures within a transaction, as the item `stat`."""
    item, actions = stat(campaign_id, at, key, sums)
    tx.update("stat", item, actions)


def stats(campaign_id: str, start: date, end: date) -> dict[str, dict[str, int]]:
    """By day, both included; days without figures are not there."""
    table, last = AdStatItem._get_connection(), None
    by_day: dict[str, dict[str, int]] = {}
    while True:
        between = Path("day").between(start.isoformat(), f"{end.isoformat()}~")
        page = table.query(campaign_id, range_key_condition=between, exclusive_start_key=last)
        for row in page["Items"]:
            sums = by_day.setdefault(row["day"]["S"].partition("#")[0], {})
            for name in rules.FIGURES:
                if name in row:
                    sums[name] = sums.get(name, 0) + int(row[name]["N"])
        last = page.get("LastEvaluatedKey")
        if not last:
            return by_day


def count_visit(campaign_id: str, now: datetime, click: rules.Click | None) -> None:
    """Count a view; and the click, when it is a new one. One request, two when the click is known already."""
    key = click.token if click else ids.short()
    if click is not None:
        tx = Transaction()
        tx.put("click", _click_row(campaign_id, now, click), AdClickItem.token.does_not_exist())
        add_stat(tx, campaign_id, now, key, {"views": 1, "clicks": 1})
        try:
            tx.commit()
            return
        except storage.ConditionFailed:
            pass  # the same click once more: a reload
    item, actions = stat(campaign_id, now, key, {"views": 1})
    storage.update_if(item, actions)


def keep_click(campaign_id: str, now: datetime, click: rules.Click) -> None:
    """Keep a click, and count nothing."""
    storage.put_once(_click_row(campaign_id, now, click), AdClickItem.token.does_not_exist())


def _click_row(campaign_id: str, now: datetime, click: rules.Click) -> AdClickItem:
    return AdClickItem(
        click.token,
        ad_campaign_id=campaign_id,
        click_id=click.click_id,
        landing_url=click.landing_url,
        at=clock.iso(now),
        expires_at=int((now + rules.CLICK_TIME).timestamp()),
    )


def count_report(tx: Transaction, row: AdConversionItem, sums: Mapping[str, int]) -> None:
    """Count what became of a conversion's report, on the day of the conversion."""
    add_stat(tx, row.ad_campaign_id, clock.parse(row.created_at), row.token, sums)


def find_arrival(external_userid: str) -> AdClickItem | None:
    """By which click (or, without one, by which campaign) a customer came; None for another way."""
    arrival: AdClickItem | None = AdClickItem.find(f"customer#{external_userid}")
    return arrival


def listed(status: str, at: str, conversion_id: str) -> str:
    return f"{status}#{at}#{conversion_id}"


def restate(item: AdConversionItem, status: str, **values: Any) -> list[Action]:
    """What brings a conversion to a status; a value of None takes the attribute away."""
    actions: list[Action] = [
        AdConversionItem.status.set(status),
        AdConversionItem.listed.set(listed(status, item.created_at, item.conversion_id)),
    ]
    for name, value in values.items():
        attribute = getattr(AdConversionItem, name)
        actions.append(attribute.remove() if value is None else attribute.set(value))
    return actions
