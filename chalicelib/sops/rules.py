"""What an SOP means: when a step falls due, who gets it, what comes next, what ends it. No I/O, no clock."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Any

from chalicelib.platform import clock, durations
from chalicelib.sops.types import Image, Link, MiniProgram, Plan, QuietHours, Step, Text, When

LONGEST = timedelta(days=1100)
MAX_TEXT = 4000  # bytes, WeCom's mass send
MAX_ATTACHMENTS = 9
_LATER = "comes later; this version cannot run it"
_READY = ("customer_added", "tag_added", "order_paid")


def due_at(plan: Plan, step: Step, anchor: datetime) -> datetime:
    """When a step goes to somebody whose trigger was at `anchor`, outside quiet hours.

    With `at`: the first such local time at or after `anchor` + `after`.
    """
    due = anchor + durations.parse(step.after)
    if step.at is not None:
        due = _next(due, step.at, clock.zone(plan.timezone))
    return quiet_until(plan, due) or due


def quiet_until(plan: Plan, at: datetime) -> datetime | None:
    """The end of the quiet hours that `at` lies in; None when it lies in none."""
    if plan.quiet_hours is None:
        return None
    local = clock.zone(plan.timezone)
    if not _within(plan.quiet_hours, at.astimezone(local).time()):
        return None
    return _next(at, plan.quiet_hours.to, local)


def _within(quiet: QuietHours, moment: time) -> bool:
    start, end = time.fromisoformat(quiet.from_), time.fromisoformat(quiet.to)
    if start < end:
        return start <= moment < end
    return moment >= start or moment < end


def _next(at: datetime, clock_time: str, local: tzinfo) -> datetime:
    here = at.astimezone(local)
    hour_minute = time.fromisoformat(clock_time)
    day = here.date()
    # Compared in UTC: where clocks are put back, local times of one day do not compare.
    while (moment := datetime.combine(day, hour_minute, local).astimezone(timezone.utc)) < at:
        day += timedelta(days=1)
    return moment


def following(plan: Plan, step_id: str | None) -> Step | None:
    """The step after `step_id` (None: the first); None at the end, or for a step that is not there."""
    if step_id is None:
        return plan.steps[0]
    ids = [step.step_id for step in plan.steps]
    place = ids.index(step_id) + 1 if step_id in ids else len(ids)
    return plan.steps[place] if place < len(ids) else None


def step_of(plan: Plan, step_id: str) -> Step | None:
    return next((step for step in plan.steps if step.step_id == step_id), None)


def meets(when: When, tags: Collection[str]) -> bool:
    """Whether somebody with these tags gets the step."""
    return (
        all(tag in tags for tag in when.all_tags)
        and (not when.any_tags or any(tag in tags for tag in when.any_tags))
        and not any(tag in tags for tag in when.no_tags)
    )


def asks_tags(when: When) -> bool:
    return bool(when.all_tags or when.any_tags or when.no_tags)


def trigger_of(line_type: str) -> str | None:
    """The trigger that a line of this type may set off."""
    known = {"customer_added": "customer_added", "tags_changed": "tag_added", "order_paid": "order_paid"}
    return known.get(line_type)


def enrols(plan: Plan, line_type: str, data: Mapping[str, Any]) -> bool:
    """Whether a line of the timeline puts its customer into this SOP.

    Somebody who is half added (not yet added back) cannot be written to: the whole add counts. An
    add that we heard of after its loss (`ends`) starts nothing.
    """
    trigger = plan.trigger
    if trigger.event != trigger_of(line_type):
        return False
    if trigger.event == "customer_added":
        codes = trigger.live_code_ids
        whole = not data.get("half") and not data.get("ends")
        return whole and (not codes or data.get("live_code_id") in codes)
    if trigger.event == "tag_added":
        return not set(trigger.tags or ()).isdisjoint(data.get("added") or ())
    return True


def stops(
    plan: Plan, line_type: str, data: Mapping[str, Any], at: datetime, anchor: datetime, staff_id: str
) -> bool:
    """Whether a line ends somebody's way through this SOP.

    What happened before the trigger does not, however late it is heard of, nor does the trigger
    itself. A customer is lost for the SOP with the last bond, or with the bond to the guide who
    would send; a transfer is no loss, nor is one that a newer add has overtaken (not `ends`).
    """
    triggered = at == anchor and trigger_of(line_type) == plan.trigger.event
    if line_type not in plan.stop_on or at < anchor or triggered:
        return False
    if line_type == "customer_lost":
        mine = bool(data.get("last")) or data.get("staff_id") == staff_id
        return mine and data.get("by") != "transfer" and bool(data.get("ends", True))
    return True


def message(step: Step) -> dict[str, Any]:
    """A step's content as WeCom takes it: `{"text": str | None, "attachments": […]}`."""
    text, attachments = None, []
    for piece in step.content:
        if isinstance(piece, Text):
            text = piece.text
            continue
        kind = piece.__struct_config__.tag
        values = {name: getattr(piece, name) for name in piece.__struct_fields__ if name != "material_id"}
        attachments.append({"msgtype": kind, kind: {name: v for name, v in values.items() if v is not None}})
    return {"text": text, "attachments": attachments}


def check(plan: Plan) -> list[tuple[str, str]]:
    """What is wrong with a plan whose shape is right: (field, message) each."""
    return [*_check_plan(plan), *_check_steps(plan)]


def _check_plan(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.audience == "group":
        yield "audience", f"an SOP for groups {_LATER}"
    if plan.trigger.event not in _READY:
        yield "trigger.event", f"this trigger {_LATER}"
    if plan.trigger.event == "tag_added" and not plan.trigger.tags:
        yield "trigger.tags", "name the tags that start it"
    if plan.quiet_hours and plan.quiet_hours.from_ == plan.quiet_hours.to:
        yield "quiet_hours.to", "must differ from `from`"
    try:
        clock.zone(plan.timezone)
    except ValueError:
        yield "timezone", "not a time zone's name, like Asia/Shanghai"


def _check_steps(plan: Plan) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    before = timedelta()
    for i, step in enumerate(plan.steps):
        path = f"steps[{i}]"
        if step.step_id in seen:
            yield f"{path}.step_id", "is there already"
        seen.add(step.step_id)
        try:
            after = durations.parse(step.after)
            if after > LONGEST:
                yield f"{path}.after", f"at most {LONGEST.days} days"
            elif after < before:
                yield f"{path}.after", "steps stand in the order of their times"
            before = after
        except ValueError:
            yield f"{path}.after", "an ISO 8601 duration of weeks, days, hours, minutes or seconds"
        if step.delivery == "moment":
            yield f"{path}.delivery", f"a moment {_LATER}"
        if step.delivery == "welcome":
            yield from _check_welcome(plan, step, i)
        if step.when.opened is not None:
            yield f"{path}.when.opened", f"a condition on links {_LATER}"
        yield from _check_content(step, f"{path}.content")


def _check_welcome(plan: Plan, step: Step, i: int) -> Iterator[tuple[str, str]]:
    if i or plan.trigger.event != "customer_added":
        yield f"steps[{i}].delivery", "a welcome is the first step after customer_added"
    if step.after not in ("PT0S", "P0D") or step.at is not None:
        yield f"steps[{i}].after", "a welcome goes out at once: PT0S, without `at`"
    if asks_tags(step.when):
        yield f"steps[{i}].when", "a welcome goes to everybody"
    if step.then.add_tags or step.then.remove_tags:
        yield f"steps[{i}].then", "a welcome tags nobody; the live code's `tags` do"


def _check_content(step: Step, path: str) -> Iterator[tuple[str, str]]:
    texts = [piece for piece in step.content if isinstance(piece, Text)]
    if len(texts) > 1:
        yield path, "one text at most"
    if len(step.content) - len(texts) > MAX_ATTACHMENTS:
        yield path, f"at most {MAX_ATTACHMENTS} besides the text"
    for i, piece in enumerate(step.content):
        if isinstance(piece, Image) and not (piece.media_id or piece.pic_url):
            yield f"{path}[{i}].media_id", "media_id or pic_url is needed"
        if isinstance(piece, Link) and piece.material_id is not None:
            yield f"{path}[{i}].material_id", f"materials {_LATER}"
        for name, most in _limits(piece).items():
            if len((getattr(piece, name) or "").encode()) > most:
                yield f"{path}[{i}].{name}", f"at most {most} bytes"


def _limits(piece: object) -> dict[str, int]:
    """WeCom's limits in bytes."""
    if isinstance(piece, Text):
        return {"text": MAX_TEXT}
    if isinstance(piece, Link):
        return {"title": 128, "desc": 512, "url": 2048}
    return {"title": 64} if isinstance(piece, MiniProgram) else {}
