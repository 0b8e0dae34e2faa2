"""A campaign's figures, day by day."""

from datetime import date, timedelta

from chalicelib.ads import campaigns, models, rules
from chalicelib.ads.types import AdDay, DaysQuery
from chalicelib.platform import clock
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal

_DEFAULT_DAYS = 30


def by_day(ad_campaign_id: str, query: DaysQuery, principal: Principal) -> Page[AdDay]:
    """Each day's figures, both ends included; days without any are zero. NotFound, Invalid."""
    campaigns.load(ad_campaign_id, principal)
    end = query.last or clock.now().astimezone(clock.SHANGHAI).date()
    start = query.first or date.fromordinal(max(1, end.toordinal() - _DEFAULT_DAYS + 1))
    if start > end:
        raise Invalid(issue("from", "after", other="to"))
    if (end - start).days >= rules.MAX_DAYS:
        raise Invalid(issue("from", "range_days", days=rules.MAX_DAYS))
    sums = models.stats(ad_campaign_id, start, end)
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    rows = [AdDay(day=day, **sums.get(day.isoformat(), {})) for day in days]
    return Page(rows, len(rows))
