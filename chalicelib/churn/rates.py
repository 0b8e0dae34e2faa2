"""How many of whom were lost: by guide, channel, and the SOP whose message was the last before it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from chalicelib.churn import loss_list, rules
from chalicelib.churn.models import LossItem
from chalicelib.churn.queries import PeriodOnly, RatesQuery
from chalicelib.churn.types import LostAfter, LostDay, Of, Rate, Summary
from chalicelib.lake import asking
from chalicelib.metrics.periods import period
from chalicelib.platform import clock, lists
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.segments import service as segments
from chalicelib.segments.types import Preview
from chalicelib.sops import sends as sop_sends
from chalicelib.sops import service as sops
from chalicelib.staff import service as staff
from chalicelib.stores.scope import guides_in_scope

MOST_DAYS = 92  # a page may take 29 s, and all losses of these days are read
UNKNOWN = "unknown"  # the channel of who came through none


def page(query: RatesQuery, principal: Principal) -> Page[Rate]:
    """Of the caller's guides. Who lost nobody and has nobody is left out. Invalid for the period."""
    start, end = _period(query)
    guides = guides_in_scope(principal)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for item in loss_list.in_period(start, end, guides):
        counts[_key(item, query.of)][item.by] += 1
    counts.pop("", None)
    rows = list(_rows(counts, _bases(query.of, start, end, guides), query.of))
    return lists.whole(
        rows,
        query,
        key=lambda row: row.id,
        sorts={
            "name": lambda row: row.name,
            "lost": lambda row: row.lost,
            "rate_bps": lambda row: row.rate_bps or 0,
        },
        sort=query.sort,
        texts=lambda row: (row.name, row.id),
    )


def summary(query: PeriodOnly, principal: Principal) -> Summary:
    """All losses of a period in figures. Invalid for the period."""
    start, end = _period(query)
    days = {start + timedelta(days=n): Counter[str]() for n in range((end - start).days + 1)}
    after: Counter[str | None] = Counter()
    for item in loss_list.in_period(start, end, guides_in_scope(principal)):
        days[clock.parse(item.at).astimezone(clock.SHANGHAI).date()][item.by] += 1
        after[item.after["type"] if item.after else None] += 1
    by = sum(days.values(), Counter())
    return Summary(
        lost=by.total(),
        by_customer=by["customer"],
        by_guide=by["staff"],
        days=[
            LostDay(day=day.isoformat(), by_customer=counts["customer"], by_guide=counts["staff"])
            for day, counts in days.items()
        ],
        after=[LostAfter(type=type_, count=count) for type_, count in after.most_common()],
    )


def _period(query: PeriodOnly | RatesQuery) -> tuple[date, date]:
    start, end = period(query)
    if (end - start).days >= MOST_DAYS:
        raise Invalid(issue("from", "range_days", days=MOST_DAYS))
    return start, end


def at_risk(rule: Mapping[str, object], principal: Principal) -> Preview:
    """Who of the caller's customers fits the rule of risk."""
    return segments.preview(rule, principal)


def _key(item: LossItem, of: Of) -> str:
    if of == "staff":
        return str(item.staff_id)
    if of == "channel":
        return item.channel or UNKNOWN
    return str(item.after.get("sop_id") or "") if item.after else ""


def _bases(of: Of, start: date, end: date, guides: frozenset[str] | None) -> dict[str, int]:
    """What the losses are a share of, by id."""
    if of == "sop":
        return sop_sends.sent_between(*loss_list.bounds(start, end), guides)
    answer = asking.ask("churn_bases", of=of, guides=None if guides is None else sorted(guides))
    return {key or UNKNOWN: count for key, count in answer["counts"]}


def _rows(counts: Mapping[str, Counter[str]], bases: Mapping[str, int], of: Of) -> Iterable[Rate]:
    names = _names(counts.keys() | bases.keys(), of)
    for key in counts.keys() | bases.keys():
        lost, base = counts.get(key, Counter()), bases.get(key, 0)
        ended = lost.total()
        whole = base if of == "sop" else base + ended
        yield Rate(
            id=key,
            name=names.get(key, key),
            lost=ended,
            by_customer=lost["customer"],
            by_guide=lost["staff"],
            whole=whole,
            rate_bps=rules.share_bps(ended, whole),
        )


def _names(ids: Iterable[str], of: Of) -> Mapping[str, str]:
    if of == "staff":
        return staff.names(ids)
    return sops.names(list(ids)) if of == "sop" else {}
