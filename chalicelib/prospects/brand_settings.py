"""The brand's settings of prospects, and the guides that have any."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict

from chalicelib.platform import clock, corp_settings, due, storage
from chalicelib.platform.errors import Issue, issue
from chalicelib.platform.stored import read_stored
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.prospects.models import GuideItem
from chalicelib.prospects.rules import Rule
from chalicelib.prospects.types import BrandSettings, Settings, Spread

_NAME = "prospects"
_LISTED = "guide"
_KEEP = timedelta(seconds=60)  # how long a process keeps the settings
_kept: tuple[datetime, BrandSettings] | None = None


def read() -> BrandSettings:
    """The settings, complete."""
    return read_version()[0]


def read_version() -> tuple[BrandSettings, int]:
    value, version = corp_settings.read(_NAME)
    return _complete(value), version


def recent() -> BrandSettings:
    """The settings as they were at most a minute ago; that there is an import at all, at once."""
    global _kept
    now = clock.now()
    if _kept is None or not _kept[1].in_use or not now - _KEEP < _kept[0] <= now:
        _kept = (now, read())
    return _kept[1]


def forget() -> None:
    """Read them anew (another process may have changed them)."""
    global _kept
    _kept = None


def save(chosen: Settings, if_match: IfMatch = ANY_VERSION) -> tuple[BrandSettings, int]:
    """Keep the settings; the next day's lists are made by them. With their version. Stale."""
    after = BrandSettings(**asdict(chosen), in_use=True)
    version = corp_settings.save(_NAME, msgspec.to_builtins(after), if_match, shown=_complete)
    forget()
    wake(clock.now())
    return after, version


def _complete(value: dict[str, Any] | None) -> BrandSettings:
    return read_stored(value, BrandSettings) if value else BrandSettings()


def begin() -> None:
    """From now on there are prospects: arrivals are looked at, and each morning has its lists."""
    if corp_settings.read(_NAME)[0] is None:
        corp_settings.begin(_NAME, msgspec.to_builtins(BrandSettings(in_use=True)))
        forget()
    wake(clock.now())


def wake(now: datetime) -> None:
    """Put the next morning's work where it falls due; the same one twice is once."""
    at = next_morning(now, read().lists_at)
    due.put("prospect_day", at, "day", {"day": day_of(at)})


def next_morning(now: datetime, lists_at: str) -> datetime:
    """The next time of day `lists_at` in Shanghai, after `now`."""
    local = now.astimezone(clock.SHANGHAI)
    hour, minute = map(int, lists_at.split(":"))
    at = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)


def day_of(at: datetime) -> str:
    return at.astimezone(clock.SHANGHAI).date().isoformat()


def rule_of(spread: Spread) -> Rule:
    """The rule in its wire shape, as rules take it."""
    if spread.rule == "weighted":
        return Rule("weighted", tuple(sorted(spread.weighted.items())))
    return Rule(spread.rule, tuple((staff_id, 1) for staff_id in spread.staff_ids))


def issues(spread: Spread, field: str = "staff") -> list[Issue]:
    """What a type can't say of a rule."""
    wrong = []
    if spread.rule == "weighted" and not spread.weights:
        wrong.append(issue(f"{field}.weights", "required"))
    if spread.rule == "round_robin" and not spread.staff_ids:
        wrong.append(issue(f"{field}.staff_ids", "required"))
    if spread.rule != "weighted" and spread.weights:
        wrong.append(issue(f"{field}.weights", "only_with", other="rule weighted"))
    if len(spread.weighted) != len(spread.weights):
        wrong.append(issue(f"{field}.weights", "duplicate"))
    if len(set(spread.staff_ids)) != len(spread.staff_ids):
        wrong.append(issue(f"{field}.staff_ids", "duplicate"))
    return wrong


def enlist(staff_ids: Iterable[str]) -> None:
    """Make them guides who have prospects. Those who left stay left."""
    for staff_id in staff_ids:
        item = GuideItem(_LISTED, staff_id, status="active")
        storage.put_once(item, GuideItem.staff_id.does_not_exist())


def guides() -> dict[str, str]:
    """staff_id → active or left."""
    return {row.staff_id: row.status for row in GuideItem.query(_LISTED)}


def has_prospects(staff_id: str) -> bool:
    return GuideItem.find(_LISTED, staff_id, consistent=False) is not None


def status_of(staff_id: str) -> str | None:
    """active or left; None: no guide who has prospects."""
    guide = GuideItem.find(_LISTED, staff_id)
    return guide.status if guide else None


def set_status(staff_id: str, status: str) -> bool:
    """False when it was so, or there is no such guide."""
    return storage.update_if(
        GuideItem(_LISTED, staff_id),
        [GuideItem.status.set(status)],
        GuideItem.staff_id.exists() & (GuideItem.status != status),
    )


def present(rule: Rule) -> Rule:
    """The rule without those who have left; as it is when nobody would be left."""
    gone = [staff_id for staff_id, status in guides().items() if status == "left"]
    return rule.without(gone)
