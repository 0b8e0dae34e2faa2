"""What must hold in a live code's definition beyond the types of its fields, and what is worth a warning."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.platform import clock, durations
from chalicelib.platform.errors import Issue, issue
from chalicelib.platform.plain_text import placeholder_problems
from chalicelib.wecom import attachments

MAX_TAG_PART = 30  # WeCom: characters of a tag's, and of a group's, name
COUPON = "{coupon_code}"
PLACEHOLDERS = ("{customer_name}", "{staff_name}", COUPON)  # which the welcome fills in
MAX_WELCOME_BYTES = 4000  # WeCom: the text of a welcome message
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=1)
_ATTACHMENT = '{"msgtype": "link", "link": {…}}'


def problems(definition: Mapping[str, Any]) -> list[Issue]:
    """All that is wrong; empty when it is right."""
    return [
        *_groups(definition.get("groups"), definition["kind"]),
        *_printing(definition["printing"], definition["kind"], definition["assignment"]["strategy"]),
        *_tags(definition["tags"]),
        *_assignment(definition["assignment"], definition["kind"]),
        *_stores(definition.get("stores"), definition["kind"]),
        *_schedule(definition["schedule"]),
        *_welcome(definition["welcome"]),
        *_gift(definition.get("gift"), definition["welcome"]),
        *_zone(definition["timezone"]),
    ]


def warnings(definition: Mapping[str, Any]) -> list[Issue]:
    """What can leave a customer waiting, though it may be meant so."""
    return [*_caps_of_nobody(definition), *_missing_fallback(definition)]


def _caps_of_nobody(definition: Mapping[str, Any]) -> Iterator[Issue]:
    for index, member in enumerate(definition["assignment"]["members"]):
        for name in ("daily_cap", "total_cap"):
            if member[name] == 0:
                yield issue(f"assignment.members[{index}].{name}", "cap_is_zero")
    if (definition.get("stores") or {}).get("daily_cap") == 0:
        yield issue("stores.daily_cap", "cap_is_zero")


def _missing_fallback(definition: Mapping[str, Any]) -> Iterator[Issue]:
    assignment = definition["assignment"]
    members, field = assignment["members"], "assignment.fallback_staff_ids"
    if assignment["fallback_staff_ids"]:
        return
    if definition["kind"] == "group" and not members:
        yield issue(field, "group_needs_staff")
    elif members and all(m["daily_cap"] is not None or m["total_cap"] is not None for m in members):
        yield issue(field, "caps_need_fallback")
    elif members and all(m["hours"] for m in members):
        yield issue(field, "hours_need_fallback")


def _groups(groups: Mapping[str, Any] | None, kind: str) -> Iterator[Issue]:
    if kind != "group":  # given with another kind, they wait for nothing
        return
    if groups is None:
        yield issue("groups", "needed_for_kind", kind=kind)
        return
    yield from _duplicates("groups.chat_ids", groups["chat_ids"])


def _printing(printing: str, kind: str, strategy: str) -> Iterator[Issue]:
    if printing == "native" and kind not in ("staff", "group"):
        yield issue("printing", "kind_is_dynamic", kind=kind)
    if printing == "native" and kind == "staff" and strategy == "weighted":
        yield issue("assignment.strategy", "native_has_no_weights")


def _tags(tags: Sequence[str]) -> Iterator[Issue]:
    for index, tag in enumerate(tags):
        parts = tag.split("/")
        if len(parts) != 2 or not all(p.strip() and len(p) <= MAX_TAG_PART for p in parts):
            yield issue(f"tags[{index}]", "not_a_tag", maximum=MAX_TAG_PART)


def _stores(stores: Mapping[str, Any] | None, kind: str) -> Iterator[Issue]:
    if stores is None:
        return
    if kind != "nearest_store":
        yield issue("stores", "only_for_kind", kind="nearest_store")
    yield from _duplicates("stores.store_ids", stores["store_ids"] or ())


def _duplicates(field: str, ids: Sequence[str]) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, item in enumerate(ids):
        if item in seen:
            yield issue(f"{field}[{index}]", "duplicate")
        seen.add(item)


def _assignment(assignment: Mapping[str, Any], kind: str) -> Iterator[Issue]:
    members, fallback = assignment["members"], assignment["fallback_staff_ids"]
    if not members and not fallback and kind == "staff":
        yield issue("assignment.members", "no_member")
    seen: set[str] = set()
    for index, member in enumerate(members):
        field = f"assignment.members[{index}]"
        if member["staff_id"] in seen:
            yield issue(f"{field}.staff_id", "duplicate")
        seen.add(member["staff_id"])
        for at, hours in enumerate(member["hours"] or ()):
            yield from _hours(f"{field}.hours[{at}]", hours)
    yield from _duplicates("assignment.fallback_staff_ids", fallback)
    try:
        fits = _SHORTEST <= durations.parse(assignment["reserve_for"]) <= _LONGEST
    except ValueError:
        fits = False
    if not fits:
        yield issue("assignment.reserve_for", "duration", minimum="PT1M", maximum="P1D")


def _hours(field: str, hours: Mapping[str, Any]) -> Iterator[Issue]:
    if hours["from"] == hours["to"]:
        yield issue(f"{field}.to", "hours_empty")
    if hours["from"] == "24:00":
        yield issue(f"{field}.from", "hours_from_midnight")


def _schedule(schedule: Mapping[str, Any]) -> Iterator[Issue]:
    times: dict[str, datetime] = {}
    for name in ("from", "until"):
        try:
            if schedule[name] is not None:
                times[name] = clock.parse(schedule[name])
        except ValueError:
            yield issue(f"schedule.{name}", "date_time")
    if len(times) == 2 and times["from"] >= times["until"]:
        yield issue("schedule.until", "not_after", other="from")
    for index, hours in enumerate(schedule.get("hours") or ()):
        yield from _hours(f"schedule.hours[{index}]", hours)


def _welcome(welcome: Mapping[str, Any] | None) -> Iterator[Issue]:
    if welcome is None:
        return
    timed = welcome.get("by_time") or []
    if not timed or welcome["text"] or welcome["attachments"]:  # else: at other times the house's
        yield from _greeting("welcome", welcome)
    for index, greeting in enumerate(timed):
        yield from _hours(f"welcome.by_time[{index}]", greeting)
        yield from _greeting(f"welcome.by_time[{index}]", greeting)


def _gift(gift: Mapping[str, Any] | None, welcome: Mapping[str, Any] | None) -> Iterator[Issue]:
    greetings = [welcome, *(welcome.get("by_time") or ())] if welcome else []
    has_placeholder = any(COUPON in greeting["text"] for greeting in greetings)
    if gift and not has_placeholder:
        yield issue("welcome.text", "gift_without_text", placeholder=COUPON)
    if has_placeholder and not gift:
        yield issue("gift", "text_without_gift", placeholder=COUPON)


def _greeting(field: str, greeting: Mapping[str, Any]) -> Iterator[Issue]:
    if len(greeting["text"].encode()) > MAX_WELCOME_BYTES:
        yield issue(f"{field}.text", "max_bytes", max_bytes=MAX_WELCOME_BYTES)
    yield from placeholder_problems(f"{field}.text", greeting["text"], PLACEHOLDERS)
    if not greeting["text"] and not greeting["attachments"]:
        yield issue(f"{field}.text", "welcome_empty")
    for index, attachment in enumerate(greeting["attachments"]):
        if not attachments.well_formed(attachment):
            yield issue(f"{field}.attachments[{index}]", "attachment", example=_ATTACHMENT)


def _zone(name: str) -> Iterator[Issue]:
    try:
        clock.zone(name)
    except ValueError:
        yield issue("timezone", "timezone")
