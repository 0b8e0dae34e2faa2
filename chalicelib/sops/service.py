"""SOPs as use cases: make one, pause, resume, stop it; put people in and take them out.

A person is in an SOP once, for good: being added again, or tagged again, starts nothing anew. Only
the next step of an enrolment waits in `due`; each push puts the one after it there.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from chalicelib.customers import service as customers
from chalicelib.platform import audit, clock, due, ids, lists, storage, timeline
from chalicelib.platform.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.stored import read_stored
from chalicelib.platform.timeline import Line
from chalicelib.sops import rules, scopes
from chalicelib.sops.models import EnrolmentItem, SopItem
from chalicelib.sops.queries import SopsQuery
from chalicelib.sops.types import (
    Message,
    Plan,
    SopOut,
    SopStatus,
    SopWithCounts,
    Status,
    Step,
    StepCounts,
)

_STATUS: dict[str, tuple[set[str], Status]] = {
    "pause": ({"active"}, "paused"),
    "resume": ({"paused"}, "active"),
    "stop": ({"active", "paused"}, "stopped"),
}
_SORTS: dict[str, Callable[[SopItem], str]] = {
    "created_at": lambda item: item.created_at,
    "name": lambda item: item.document["name"],
}


def create(plan: Plan, principal: Principal = SYSTEM) -> str:
    """Make an SOP for the customers of the scope and start it; its id. Invalid."""
    checked(plan)
    now = clock.now()
    item = SopItem(
        f"sop_{ids.ulid(now).lower()}",
        status="active",
        trigger=str(plan.trigger.event),
        created_at=clock.iso(now),
        document=msgspec.to_builtins(plan),
        scope=scopes.stored(principal.scope),
    )
    tx = Transaction()
    tx.put("sop", item, SopItem.sop_id.does_not_exist())
    audit.add(tx, "sops.create", item.sop_id, None, {**item.document, "scope": item.scope})
    tx.commit()
    return str(item.sop_id)


def checked(plan: Plan) -> Plan:
    """The plan. Invalid with all that is wrong with it."""
    if wrong := rules.check(plan):
        raise Invalid(*wrong)
    return plan


def definition(sop_id: str, principal: Principal) -> dict[str, Any]:
    """An SOP as it is written, without what is left at its default. NotFound."""
    plan = load(sop_id, principal).plan
    return _lean(msgspec.to_builtins(plan))


def load(sop_id: str, principal: Principal = SYSTEM) -> SopItem:
    """The SOP as stored. NotFound, also outside of the scope."""
    item = find(sop_id)
    if item is None or not scopes.is_seen(item, principal):
        raise NotFound(code="no_sop", sop_id=sop_id)
    return item


def find(sop_id: str) -> SopItem | None:
    """The SOP as stored, read consistently, or None."""
    item: SopItem | None = SopItem.find(sop_id)
    return item


def names(ids: Collection[str]) -> dict[str, str]:
    """What those of them are called that there are, by id."""
    return {sop_id: item.plan.name for sop_id in ids if (item := find(sop_id))}


def page(query: SopsQuery, principal: Principal) -> Page[SopOut]:
    """SOPs that the principal sees."""
    items: list[SopItem] = lists.partition(partial(SopItem.by_listing.query, "sop"))
    seen = [item for item in items if scopes.is_seen(item, principal) and query.status in (None, item.status)]
    page = lists.whole(
        seen,
        query,
        key=lambda item: item.sop_id,
        sorts=_SORTS,
        sort=query.sort,
        texts=lambda item: [item.document["name"], item.sop_id],
    )
    return page.map(show)


def show(item: SopItem) -> SopOut:
    """An SOP as the API shows it."""
    return read_stored(_fields(item), SopOut)


def show_with_counts(item: SopItem, counts: Mapping[str, StepCounts]) -> SopWithCounts:
    return read_stored({**_fields(item), "counts": counts}, SopWithCounts)


def _lean(value: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: part for name, part in value.items() if part not in (None, [])}
    kept["steps"] = [_lean_step(step) for step in value["steps"]]
    kept["trigger"] = {name: part for name, part in value["trigger"].items() if part is not None}
    return kept


def _lean_step(step: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, part in step.items():
        if name == "content":
            part = [{key: each for key, each in one.items() if each is not None} for one in part]
        elif isinstance(part, dict):
            part = {key: each for key, each in part.items() if each not in ([], None)}
        if part not in ({}, None):
            made[name] = part
    return made


def _fields(item: SopItem) -> dict[str, Any]:
    scope = msgspec.to_builtins(scopes.scope_of(item))
    head = {"sop_id": item.sop_id, "status": item.status, "created_at": item.created_at, "scope": scope}
    return {**item.document, **head}


@storage.retrying("others keep changing this SOP")
def set_status(sop_id: str, action: str, principal: Principal = SYSTEM) -> SopStatus:
    """`pause`, `resume` or `stop` it; twice is once. NotFound, Forbidden; Conflict for a stopped one.

    Paused: nobody comes in, and what falls due waits. Stopped: for good; what waits is skipped.
    """
    item = load(sop_id, principal)
    if not scopes.may_change(item, principal):
        raise Forbidden(code="sop_outside")
    before, after = _STATUS[action]
    if item.status != after:
        if item.status not in before:
            raise Conflict(code="sop_stopped", sop_id=sop_id)
        trigger = SopItem.trigger
        start = trigger.set(str(item.plan.trigger.event)) if after == "active" else trigger.remove()
        tx = Transaction()
        tx.update("sop", SopItem(sop_id), [SopItem.status.set(after), start], SopItem.status == item.status)
        audit.add(tx, f"sops.{action}", sop_id, {"status": item.status}, {"status": after})
        tx.commit()
    return SopStatus(sop_id=sop_id, status=after)


def welcome_for(live_code_id: str | None, staff_id: str) -> Message | None:
    """The welcome that an active SOP has for those who come by this code.

    None when there is none. SOPs that name the code come before those for every code, older first.
    """
    welcomes = []
    for item in SopItem.by_trigger.query("customer_added"):
        plan = item.plan
        is_welcome = plan.steps[0].delivery == "welcome" and rules.enrols_by_code(plan, live_code_id)
        if is_welcome and scopes.is_for(item, staff_id):
            welcomes.append((not plan.trigger.live_code_ids, item.sop_id, plan.steps[0]))
    return rules.message(min(welcomes, key=lambda row: row[:2])[2]) if welcomes else None


def on_line(line: Line) -> None:
    """Put its customer into the SOPs that the line starts, and out of those that it ends."""
    if "#" in line.subject:  # an order or a scan that no customer is known for
        return
    _stop_enrolments(line)
    trigger = rules.trigger_of(line.type)
    if trigger:
        for item in SopItem.by_trigger.query(trigger):
            plan = item.plan
            if rules.enrols(plan, line):
                _enrol(item, plan, line)


def _enrol(item: SopItem, plan: Plan, line: Line) -> None:
    """One transaction: an enrolment without its due item would wait for ever, and a due item that a
    tick took before its enrolment was there would find nobody.
    """
    sop_id = item.sop_id
    if EnrolmentItem.find(line.subject, sop_id) is not None:
        return
    staff_id = rules.guide_of(line) or _guide_of(line.subject)
    if staff_id is None or not scopes.is_for(item, staff_id) or _is_overtaken(plan, line, staff_id):
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
    enrolment.placed = enrolment.place
    tx.put("enrolment", enrolment, EnrolmentItem.subject.does_not_exist())
    with suppress(ConditionFailed):  # somebody else has put them in
        tx.commit()


def _stop_enrolments(line: Line) -> None:
    if line.type not in ("order_paid", "customer_lost"):
        return
    plans: dict[str, Plan] = {}
    for enrolment in EnrolmentItem.query(line.subject, consistent_read=True):
        if enrolment.status != "active":
            continue
        plan = plans.setdefault(enrolment.sop_id, load(enrolment.sop_id).plan)
        anchor = clock.parse(enrolment.anchor_at)
        if rules.stops(plan, line, anchor, enrolment.staff_id):
            actions = [EnrolmentItem.status.set("stopped"), EnrolmentItem.reason.set(line.type)]
            storage.update_if(enrolment, actions, EnrolmentItem.status == "active")


def _is_overtaken(plan: Plan, line: Line, staff_id: str) -> bool:
    """Whether something that ends this SOP has happened since the line, and was told before it.

    Read consistently: a line that is written later comes later by the stream, and finds the enrolment.
    """
    if not plan.stop_on:
        return False
    return any(rules.stops(plan, later, line.at, staff_id) for later in timeline.since(line.subject, line.at))


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
