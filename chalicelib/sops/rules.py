"""What an SOP means: when a step falls due, who gets it, what comes next, what ends it. No I/O, no clock."""

from collections.abc import Collection, Iterator
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from chalicelib.platform import clock, durations, events, local_times
from chalicelib.platform.errors import Issue, issue
from chalicelib.platform.plain_text import placeholder_problems, tag_names
from chalicelib.platform.timeline_line import Line
from chalicelib.sops.types import Image, Link, Message, MiniProgram, Plan, QuietHours, Step, Text, When

LONGEST = timedelta(days=1100)
MAX_TEXT = 4000  # bytes, WeCom's mass send
MAX_ATTACHMENTS = 9
WELCOME_PLACEHOLDERS = ("{customer_name}", "{staff_name}")  # which the welcome fills in
_READY = ("customer_added", "tag_added", "order_paid")


def due_at(plan: Plan, step: Step, anchor: datetime) -> datetime:
    """When a step goes to somebody whose trigger was at `anchor`, outside quiet hours.

    With `at`: the first such local time at or after `anchor` + `after`.
    """
    due = anchor + durations.parse(step.after)
    if step.at is not None:
        due = local_times.first_after(due, time.fromisoformat(step.at), clock.zone(plan.timezone))
    return quiet_until(plan, due) or due


def quiet_until(plan: Plan, at: datetime) -> datetime | None:
    """The end of the quiet hours that `at` lies in; None when it lies in none.

    Quiet is what clocks show: in the night when they go back, the hour that comes twice is so twice.
    """
    quiet = plan.quiet_hours
    if quiet is None:
        return None
    zone = clock.zone(plan.timezone)
    if not _is_quiet(quiet, at, zone):
        return None
    today, end = at.astimezone(zone).date(), time.fromisoformat(quiet.to)
    ends = [t for n in range(-1, 4) for t in local_times.instants(today + timedelta(days=n), end, zone)]
    ends += local_times.changes(at, at + timedelta(hours=27), zone)
    return min(t for t in ends if t > at and not _is_quiet(quiet, t, zone))


def _is_quiet(quiet: QuietHours, at: datetime, zone: tzinfo) -> bool:
    start, end = time.fromisoformat(quiet.from_), time.fromisoformat(quiet.to)
    shown = at.astimezone(zone).time()
    if start < end:
        return start <= shown < end
    return shown >= start or shown < end


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
    theirs = set(tag_names(tags))
    return (
        theirs.issuperset(when.all_tags)
        and (not when.any_tags or not theirs.isdisjoint(when.any_tags))
        and theirs.isdisjoint(when.no_tags)
    )


def asks_tags(when: When) -> bool:
    return bool(when.all_tags or when.any_tags or when.no_tags)


def trigger_of(line_type: str) -> str | None:
    """The trigger that a line of this type may set off."""
    known = {"customer_added": "customer_added", "tags_changed": "tag_added", "order_paid": "order_paid"}
    return known.get(line_type)


def guide_of(line: Line) -> str | None:
    """The member of staff in the line, if it names one."""
    if line.type == "customer_added":
        return line.data_as(events.CustomerAdded).staff_id
    return line.data_as(events.TagsChanged).staff_id if line.type == "tags_changed" else None


def enrols(plan: Plan, line: Line) -> bool:
    """Whether a line of the timeline puts its customer into this SOP.

    Somebody who is half added (not yet added back) cannot be written to: the whole add counts. An
    add that we heard of after its loss (`ends`) starts nothing.
    """
    if plan.trigger.event != trigger_of(line.type):
        return False
    if line.type == "customer_added":
        added = line.data_as(events.CustomerAdded)
        return not added.half and not added.ends and enrols_by_code(plan, added.live_code_id)
    if line.type == "tags_changed":
        return not set(plan.trigger.tags or ()).isdisjoint(tag_names(line.data_as(events.TagsChanged).added))
    return True


def enrols_by_code(plan: Plan, live_code_id: str | None) -> bool:
    """Whether an add by this code (None: by no code) puts its customer into this SOP."""
    codes = plan.trigger.live_code_ids
    return plan.trigger.event == "customer_added" and (not codes or live_code_id in codes)


def stops(plan: Plan, line: Line, anchor: datetime, staff_id: str) -> bool:
    """Whether a line ends somebody's way through this SOP, who is in it since `anchor`.

    What happened before the trigger does not, however late it is heard of, nor does the trigger
    itself. A customer is lost for the SOP with the last bond, or with the bond to the guide who
    would send; a transfer is no loss, nor is one that a newer add has overtaken (not `ends`).
    """
    is_trigger = line.at == anchor and trigger_of(line.type) == plan.trigger.event
    if line.type not in plan.stop_on or line.at < anchor or is_trigger:
        return False
    if line.type == "customer_lost":
        lost = line.data_as(events.CustomerLost)
        return (lost.last or lost.staff_id == staff_id) and lost.by != "transfer" and lost.ends
    return True


def message(step: Step) -> Message:
    """A step's content as WeCom takes it."""
    text: str | None = None
    attachments: list[dict[str, Any]] = []
    for piece in step.content:
        if isinstance(piece, Text):
            text = piece.text
            continue
        kind = str(piece.__struct_config__.tag)
        values = {name: getattr(piece, name) for name in piece.__struct_fields__ if name != "material_id"}
        attachments.append({"msgtype": kind, kind: {name: v for name, v in values.items() if v is not None}})
    return Message(text, attachments)


def check(plan: Plan) -> list[Issue]:
    """All that is wrong with a plan whose shape is right."""
    return [*_check_plan(plan), *_check_steps(plan)]


def _check_plan(plan: Plan) -> Iterator[Issue]:
    if plan.audience == "group":
        yield issue("audience", "later")
    if plan.trigger.event not in _READY:
        yield issue("trigger.event", "later")
    if plan.trigger.event == "tag_added" and not plan.trigger.tags:
        yield issue("trigger.tags", "required")
    if plan.quiet_hours and plan.quiet_hours.from_ == plan.quiet_hours.to:
        yield issue("quiet_hours.to", "same_as", other="quiet_hours.from")
    try:
        clock.zone(plan.timezone)
    except ValueError:
        yield issue("timezone", "timezone")


def _check_steps(plan: Plan) -> Iterator[Issue]:
    seen: set[str] = set()
    before = timedelta()
    for i, step in enumerate(plan.steps):
        path = f"steps[{i}]"
        if step.step_id in seen:
            yield issue(f"{path}.step_id", "duplicate")
        seen.add(step.step_id)
        after = _duration(step.after)
        if after is None:
            yield issue(f"{path}.after", "duration", minimum="PT0S", maximum=f"P{LONGEST.days}D")
        elif after < before:
            yield issue(f"{path}.after", "steps_in_order")
        before = after or before
        if step.delivery == "moment":
            yield issue(f"{path}.delivery", "later")
        if step.delivery == "welcome":
            yield from _check_welcome(plan, step, i)
        if step.when.opened is not None:
            yield issue(f"{path}.when.opened", "later")
        yield from _check_content(step, f"{path}.content")


def _duration(text: str) -> timedelta | None:
    """None for none that a step may wait."""
    try:
        duration = durations.parse(text)
    except ValueError:
        return None
    return duration if duration <= LONGEST else None


def _check_welcome(plan: Plan, step: Step, i: int) -> Iterator[Issue]:
    if i or plan.trigger.event != "customer_added":
        yield issue(f"steps[{i}].delivery", "welcome_first")
    if step.after not in ("PT0S", "P0D") or step.at is not None:
        yield issue(f"steps[{i}].after", "welcome_at_once")
    if asks_tags(step.when):
        yield issue(f"steps[{i}].when", "welcome_to_all")
    if step.then.add_tags or step.then.remove_tags:
        yield issue(f"steps[{i}].then", "welcome_tags")


def _check_content(step: Step, path: str) -> Iterator[Issue]:
    texts = [piece for piece in step.content if isinstance(piece, Text)]
    if len(texts) > 1:
        yield issue(path, "one_text")
    if len(step.content) - len(texts) > MAX_ATTACHMENTS:
        yield issue(path, "max_attachments", max_items=MAX_ATTACHMENTS)
    for i, piece in enumerate(step.content):
        if isinstance(piece, Text):
            known = WELCOME_PLACEHOLDERS if step.delivery == "welcome" else ()
            yield from placeholder_problems(f"{path}[{i}].text", piece.text, known)
        if isinstance(piece, Image) and not (piece.media_id or piece.pic_url):
            yield issue(f"{path}[{i}].media_id", "one_of_fields", fields=["media_id", "pic_url"])
        if isinstance(piece, Link) and piece.material_id is not None:
            yield issue(f"{path}[{i}].material_id", "later")
        for name, most in _limits(piece).items():
            if len((getattr(piece, name) or "").encode()) > most:
                yield issue(f"{path}[{i}].{name}", "max_bytes", max_bytes=most)


def _limits(piece: object) -> dict[str, int]:
    """WeCom's limits in bytes."""
    if isinstance(piece, Text):
        return {"text": MAX_TEXT}
    if isinstance(piece, Link):
        return {"title": 128, "desc": 512, "url": 2048}
    return {"title": 64} if isinstance(piece, MiniProgram) else {}
