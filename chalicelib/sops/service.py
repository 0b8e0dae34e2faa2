"""SOPs as use cases: make one, pause, resume, stop it; put people in and take them out.

A person is in an SOP once, for good: being added again, or tagged again, starts nothing anew. Only
the next step of an enrolment waits in `due`; each push puts the one after it there.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chalicelib.customers import service as customers
from chalicelib.platform import clock, due, ids, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line, TimelineItem
from chalicelib.sops import rules
from chalicelib.sops.models import EnrolmentItem, SopItem
from chalicelib.sops.types import Plan, Step

_STATUS = {
    "pause": ("active", "paused"),
    "resume": ("paused", "active"),
    "stop": ("active|paused", "stopped"),
}


def create(plan: Plan) -> str:
    """Make an SOP and start it; its id. Invalid names the fields that make no sense or come later."""
    if wrong := rules.check(plan):
        raise Invalid(*wrong)
    now = clock.now()
    item = SopItem(
        f"sop_{ids.ulid(now).lower()}",
        status="active",
        trigger=str(plan.trigger.event),
        created_at=clock.iso(now),
        document=msgspec.to_builtins(plan),
    )
    item.save()
    return str(item.sop_id)


def load(sop_id: str) -> SopItem:
    """The SOP as stored. NotFound."""
    item = find(sop_id)
    if item is None:
        raise NotFound(f"there is no SOP {sop_id}")
    return item


def find(sop_id: str) -> SopItem | None:
    """The SOP as stored, read consistently, or None."""
    item: SopItem | None = SopItem.find(sop_id)
    return item


def listing(limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """SOPs, the newest first, and the next cursor."""
    query = partial(SopItem.by_listing.query, "sop", scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [shown(row) for row in rows], following


def shown(item: SopItem) -> dict[str, Any]:
    """An SOP as the API shows it."""
    return {
        "sop_id": item.sop_id,
        "status": item.status,
        "created_at": item.created_at,
        **item.document,
    }


def turn(sop_id: str, action: str) -> dict[str, str]:
    """`pause`, `resume` or `stop` it: `{"sop_id", "status"}`. Conflict for a stopped one.

    Paused: nobody comes in, and what falls due waits. Stopped: for good; what waits is skipped.
    """
    item = load(sop_id)
    before, after = _STATUS[action]
    trigger = (
        SopItem.trigger.set(str(item.plan.trigger.event)) if after == "active" else SopItem.trigger.remove()
    )
    may = SopItem.status.is_in(*before.split("|"), after)
    if not storage.update_if(item, [SopItem.status.set(after), trigger], may):
        raise Conflict(f"the SOP {sop_id} has been stopped")
    return {"sop_id": sop_id, "status": after}


def welcome_for(live_code_id: str | None) -> dict[str, Any] | None:
    """The welcome that an active SOP has for those who come by this code: `{"text", "attachments"}`.

    None when there is none. SOPs that name the code come before those for every code, older first.
    """
    found = []
    for item in SopItem.by_trigger.query("customer_added"):
        plan = item.plan
        if plan.steps[0].delivery == "welcome" and rules.enrols(
            plan, "customer_added", {"live_code_id": live_code_id}
        ):
            found.append((not plan.trigger.live_code_ids, item.sop_id, plan.steps[0]))
    return rules.message(min(found, key=lambda one: one[:2])[2]) if found else None


def on_line(line: Line) -> None:
    """Put its customer into the SOPs that the line starts, and out of those that it ends."""
    if "#" in line.subject:  # an order or a scan that no customer is known for
        return
    _stop(line)
    trigger = rules.trigger_of(line.type)
    if trigger:
        for item in SopItem.by_trigger.query(trigger):
            plan = item.plan
            if rules.enrols(plan, line.type, line.data):
                _enrol(item.sop_id, plan, line)


def _enrol(sop_id: str, plan: Plan, line: Line) -> None:
    """One transaction: an enrolment without its due item would wait for ever, and a due item that a
    tick took before its enrolment was there would find nobody.
    """
    if EnrolmentItem.find(line.subject, sop_id) is not None:
        return
    staff_id = line.data.get("staff_id") or _guide_of(line.subject)
    if staff_id is None or _overtaken(plan, line, staff_id):
        return
    step: Step | None = plan.steps[0]
    steps: dict[str, Any] = {}
    if plan.steps[0].delivery == "welcome":  # functions/welcome sends it
        steps[plan.steps[0].step_id] = {"status": "handed_over", "at": clock.iso(line.at)}
        step = rules.following(plan, plan.steps[0].step_id)
    tx = Transaction()
    if step is not None:
        work = _work(sop_id, step, staff_id, [line.subject])
        due.add(tx, "step", rules.due_at(plan, step, line.at), _key(line.subject, sop_id, step), work)
    enrolment = EnrolmentItem(
        line.subject,
        sop_id,
        status="active",
        anchor_at=clock.iso(line.at),
        staff_id=staff_id,
        next_step=step.step_id if step else None,
        steps=steps,
    )
    tx.put("enrolment", enrolment, EnrolmentItem.subject.does_not_exist())
    with suppress(ConditionFailed):  # somebody else has put them in
        tx.commit()


def _stop(line: Line) -> None:
    if line.type not in ("order_paid", "customer_lost"):
        return
    plans: dict[str, Plan] = {}
    for enrolment in EnrolmentItem.query(line.subject, consistent_read=True):
        if enrolment.status != "active":
            continue
        plan = plans.setdefault(enrolment.sop_id, load(enrolment.sop_id).plan)
        anchor = clock.parse(enrolment.anchor_at)
        if rules.stops(plan, line.type, line.data, line.at, anchor, enrolment.staff_id):
            actions = [EnrolmentItem.status.set("stopped"), EnrolmentItem.reason.set(line.type)]
            storage.update_if(enrolment, actions, EnrolmentItem.status == "active")


def _overtaken(plan: Plan, line: Line, staff_id: str) -> bool:
    """Whether something that ends this SOP has happened since the line, and was told before it.

    Read consistently: a line that is written later comes later by the stream, and finds the enrolment.
    """
    if not plan.stop_on:
        return False
    since = TimelineItem.sort >= clock.iso(line.at)
    return any(
        rules.stops(plan, one.type, one.data, clock.parse(one.at), line.at, staff_id)
        for one in TimelineItem.query(line.subject, since, consistent_read=True)
    )


def _guide_of(external_userid: str) -> str | None:
    """Whose customer it is: the newest bond that stands."""
    customer = customers.get(external_userid)
    return customer.staff_ids[0] if customer and customer.staff_ids else None


def put_due(sop_id: str, step: Step, staff_id: str, subjects: Sequence[str], at: datetime, key: str) -> None:
    """Let a step fall due for some of a guide's customers; the same `key` and time are the same item."""
    due.put("step", at, _key(key, sop_id, step), _work(sop_id, step, staff_id, subjects))


def _key(key: str, sop_id: str, step: Step) -> str:
    return f"{key}#{sop_id}#{step.step_id}"


def _work(sop_id: str, step: Step, staff_id: str, subjects: Sequence[str]) -> dict[str, Any]:
    """What pushes.push needs to know."""
    return {"sop_id": sop_id, "step_id": step.step_id, "staff_id": staff_id, "subjects": list(subjects)}
