"""What must hold in a live code's definition beyond the types of its fields, and what is worth a warning."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.platform import clock, durations
from chalicelib.wecom import attachments

Problem = tuple[str, str]  # (field, message)

MAX_TAG_PART = 30  # WeCom: characters of a tag's, and of a group's, name
COUPON = "{coupon_code}"
MAX_WELCOME_BYTES = 4000  # WeCom: the text of a welcome message
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=1)


def problems(definition: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong: (field, message) pairs, empty when it is right."""
    return [
        *_kind(definition["kind"]),
        *_groups(definition.get("groups"), definition["kind"]),
        *_printing(definition["printing"], definition["kind"]),
        *_tags(definition["tags"]),
        *_assignment(definition["assignment"], definition["kind"]),
        *_stores(definition.get("stores"), definition["kind"]),
        *_schedule(definition["schedule"]),
        *_welcome(definition["welcome"]),
        *_gift(definition.get("gift"), definition["welcome"]),
        *_zone(definition["timezone"]),
    ]


def warnings(definition: Mapping[str, Any]) -> list[Problem]:
    """What can leave a customer waiting, though it may be meant so."""
    assignment = definition["assignment"]
    members, field = assignment["members"], "assignment.fallback_staff_ids"
    if assignment["fallback_staff_ids"]:
        return []
    if definition["kind"] == "group" and not members:
        return [(field, "without staff a scan finds the code closed while no group has room")]
    if members and all(m["daily_cap"] is not None or m["total_cap"] is not None for m in members):
        return [(field, "without fallback staff a scan gets nobody once every member's cap is used up")]
    if members and all(m["hours"] for m in members):
        return [(field, "without fallback staff a scan out of hours gets a member who is not there yet")]
    return []


def _kind(kind: str) -> Iterator[Problem]:
    if kind not in ("staff", "group", "nearest_store"):
        yield "kind", f"{kind} codes are not there yet"


def _groups(groups: Mapping[str, Any] | None, kind: str) -> Iterator[Problem]:
    if kind != "group":  # given with another kind, they wait for nothing
        return
    if groups is None:
        yield "groups", "a group code needs its groups"
        return
    for index, chat_id in enumerate(groups["chat_ids"]):
        if chat_id in groups["chat_ids"][:index]:
            yield f"groups.chat_ids[{index}]", "is in the list already"


def _printing(printing: str, kind: str) -> Iterator[Problem]:
    if printing == "native" and kind not in ("staff", "group"):
        yield "printing", f"WeCom's own code can't decide at each scan: a {kind} code is dynamic"


def _tags(tags: Sequence[str]) -> Iterator[Problem]:
    for index, tag in enumerate(tags):
        parts = tag.split("/")
        if len(parts) != 2 or not all(p.strip() and len(p) <= MAX_TAG_PART for p in parts):
            yield f"tags[{index}]", f"a tag is group/name, each of 1 to {MAX_TAG_PART} characters"


def _stores(stores: Mapping[str, Any] | None, kind: str) -> Iterator[Problem]:
    if stores is None:
        return
    if kind != "nearest_store":
        yield "stores", "only for kind nearest_store"
    given = stores["store_ids"] or ()
    seen: set[str] = set()
    for index, store_id in enumerate(given):
        if store_id in seen:
            yield f"stores.store_ids[{index}]", "is in the list already"
        seen.add(store_id)


def _assignment(assignment: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    members, fallback = assignment["members"], assignment["fallback_staff_ids"]
    if not members and not fallback and kind == "staff":
        yield "assignment.members", "at least one member, or fallback staff"
    seen: set[str] = set()
    for index, member in enumerate(members):
        field = f"assignment.members[{index}]"
        staff_id = member["staff_id"].lower()  # WeCom knows no difference
        if staff_id in seen:
            yield f"{field}.staff_id", "is a member already"
        seen.add(staff_id)
        for at, hours in enumerate(member["hours"] or ()):
            yield from _hours(f"{field}.hours[{at}]", hours)
    lower = [staff_id.lower() for staff_id in fallback]
    for index, staff_id in enumerate(lower):
        if staff_id in lower[:index]:
            yield f"assignment.fallback_staff_ids[{index}]", "is fallback staff already"
    try:
        fits = _SHORTEST <= durations.parse(assignment["reserve_for"]) <= _LONGEST
    except ValueError:
        fits = False
    if not fits:
        yield "assignment.reserve_for", "an ISO 8601 duration from PT1M to P1D"


def _hours(field: str, hours: Mapping[str, Any]) -> Iterator[Problem]:
    if hours["from"] == hours["to"]:
        yield f"{field}.to", "is the same as from; the whole day is 00:00 to 24:00"
    if hours["from"] == "24:00":
        yield f"{field}.from", "a day ends at 24:00; it begins at 00:00"


def _schedule(schedule: Mapping[str, Any]) -> Iterator[Problem]:
    times: dict[str, datetime] = {}
    for name in ("from", "until"):
        try:
            if schedule[name] is not None:
                times[name] = datetime.fromisoformat(schedule[name])
        except ValueError:
            yield f"schedule.{name}", "an ISO 8601 time with its offset"
        else:
            if name in times and times[name].tzinfo is None:
                yield f"schedule.{name}", "needs its UTC offset"
                del times[name]
    if len(times) == 2 and times["from"] >= times["until"]:
        yield "schedule.until", "is not after from"
    for index, hours in enumerate(schedule.get("hours") or ()):
        yield from _hours(f"schedule.hours[{index}]", hours)


def _welcome(welcome: Mapping[str, Any] | None) -> Iterator[Problem]:
    if welcome is None:
        return
    timed = welcome.get("by_time") or []
    if not timed or welcome["text"] or welcome["attachments"]:  # else: at other times the house's
        yield from _greeting("welcome", welcome)
    for index, greeting in enumerate(timed):
        yield from _hours(f"welcome.by_time[{index}]", greeting)
        yield from _greeting(f"welcome.by_time[{index}]", greeting)


def _gift(gift: Mapping[str, Any] | None, welcome: Mapping[str, Any] | None) -> Iterator[Problem]:
    greetings = [welcome, *(welcome.get("by_time") or ())] if welcome else []
    is_told = any(COUPON in greeting["text"] for greeting in greetings)
    if gift and not is_told:
        yield "welcome.text", f"a gift needs {COUPON} in the welcome"
    if is_told and not gift:
        yield "gift", f"{COUPON} in the welcome needs a pool to take it from"


def _greeting(field: str, greeting: Mapping[str, Any]) -> Iterator[Problem]:
    if len(greeting["text"].encode()) > MAX_WELCOME_BYTES:
        yield f"{field}.text", f"over {MAX_WELCOME_BYTES} bytes"
    if not greeting["text"] and not greeting["attachments"]:
        yield f"{field}.text", "a welcome has a text or an attachment"
    for index, attachment in enumerate(greeting["attachments"]):
        if not attachments.well_formed(attachment):
            yield f"{field}.attachments[{index}]", attachments.SHAPE


def _zone(name: str) -> Iterator[Problem]:
    try:
        clock.zone(name)
    except ValueError:
        yield "timezone", "not a time zone, e.g. Asia/Shanghai"
