"""Touches as the API shows them: read from the enrolments and from the pushes that claimed them.

A touch has no item of its own. Whether it was sent is in its push; that it is to come, or was
skipped, in its enrolment. So a list is one of enrolments, the newest first, and in each of them the
later step before the earlier one.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.customers import service as customers
from chalicelib.platform import audit, clock, lists
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.platform.userids import fold
from chalicelib.sops import results, rules, service
from chalicelib.sops.models import (
    PENDING,
    REASONS,
    SENT,
    EnrolmentItem,
    People,
    PushItem,
    SopItem,
    people_key,
    unpack,
)
from chalicelib.sops.queries import TouchesQuery
from chalicelib.sops.types import Plan, Step, StepCounts, TouchOut
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores

_MERGED = 100  # guides whose lists are merged into one
_STATUSES = ("scheduled", "handed_over", "sent", "skipped", "failed")
Push = tuple[PushItem, dict[str, str]]  # a push and each person's result
Enrolments = Iterator[EnrolmentItem]  # newest first


class Row(Struct, frozen=True):
    """A touch and where it stands: `<place of its enrolment>#<its step's number>`."""

    place: str
    touch: TouchOut


def page(query: TouchesQuery, principal: Principal) -> Page[TouchOut]:
    """Touches of an SOP, a customer, a guide; of all guides of a small scope. NotFound; Invalid."""
    guides = stores.guides_in_scope(principal)
    if query.staff_id is not None:
        guides = frozenset({query.staff_id}).intersection({query.staff_id} if guides is None else guides)
    if query.sop_id:
        service.load(query.sop_id, principal)
    sources = _sources(query, guides)

    def read(_: str, last: str | None, limit: int) -> Iterator[Row]:
        """Enough enrolments for a page at a time: most have a touch or two."""
        before = last.rpartition("#")[0] if last else None
        enrolments = heapq.merge(*(s(before, limit) for s in sources), key=_place, reverse=True)
        while keys := list(islice(enrolments, limit)):
            yield from (row for row in _rows(keys) if last is None or row.place < last)

    def keep(row: Row) -> bool:
        touch = row.touch
        asked = (query.status, touch.status), (query.step_id, touch.step_id), (query.reason, touch.reason)
        return (guides is None or fold(touch.staff_id or "") in guides) and all(
            wanted in (None, has) for wanted, has in asked
        )

    touches = lists.merged([["touches"]], read, query, lambda row: row.place, keep).map(lambda row: row.touch)
    return touches.map(_masked) if principal.sees_masked else _named(touches)


def _named(touches: Page[TouchOut]) -> Page[TouchOut]:
    """With the names of guides and customers, each kind in one read."""
    guides = staff.names({one.staff_id for one in touches.items if one.staff_id})
    people = customers.several({one.external_userid for one in touches.items})

    def name(touch: TouchOut) -> TouchOut:
        person = people.get(touch.external_userid)
        return replace(
            touch,
            customer_name=person.name or None if person else None,
            staff_name=guides.get(touch.staff_id or ""),
        )

    return touches.map(name)


def _masked(touch: TouchOut) -> TouchOut:
    """As an auditor sees it: the person stands in the touch's id as well."""
    touch_id = touch.touch_id.removesuffix(touch.external_userid) + audit.MASK
    return replace(touch, touch_id=touch_id, external_userid=audit.MASK)


def _sources(
    query: TouchesQuery, guides: Collection[str] | None
) -> list[Callable[[str | None, int], Enrolments]]:
    """The lists that the page is merged of, each read from a place on."""
    if query.external_userid:
        return [partial(_of_customer, query.external_userid, query.sop_id)]
    if guides is not None and len(guides) <= _MERGED:
        return [partial(_of_guide, staff_id, query.sop_id) for staff_id in sorted(guides)]
    if query.sop_id:
        return [partial(_of_sop, query.sop_id)]
    raise Invalid(issue("sop_id", "one_of_fields", fields=["sop_id", "external_userid", "staff_id"]))


def _of_customer(external_userid: str, sop_id: str | None, before: str | None, limit: int) -> Enrolments:
    condition = EnrolmentItem.sop_id == sop_id if sop_id else None
    enrolments = sorted(EnrolmentItem.query(external_userid, condition), key=_place, reverse=True)
    return (row for row in enrolments if before is None or _place(row) <= before)


def _of_guide(staff_id: str, sop_id: str | None, before: str | None, limit: int) -> Enrolments:
    return iter(
        EnrolmentItem.of_staff.query(
            staff_id,
            EnrolmentItem.placed <= before if before else None,
            filter_condition=EnrolmentItem.sop_id == sop_id if sop_id else None,
            scan_index_forward=False,
            page_size=None if sop_id else limit,
        )
    )


def _of_sop(sop_id: str, before: str | None, limit: int) -> Enrolments:
    condition = EnrolmentItem.placed <= before if before else None
    return iter(EnrolmentItem.of_sop.query(sop_id, condition, scan_index_forward=False, page_size=limit))


def _place(row: EnrolmentItem) -> str:
    return str(row.placed or row.place)


def count_by_step(item: SopItem, principal: Principal) -> dict[str, StepCounts]:
    """An SOP's touches by step and status, as far as the principal sees them.

    Costs one small read for each push, and a count over the index of enrolments (some 40 a read
    unit), not a read for each person: somebody who was taken out counts as scheduled until their
    time comes, and as skipped from then on.
    """
    plan, guides = item.plan, stores.guides_in_scope(principal)
    counts = {step.step_id: dict.fromkeys(_STATUSES, 0) for step in plan.steps}
    arrived = dict.fromkeys(counts, 0)
    onward = dict.fromkeys(counts, 0)
    enrolled = _count_enrolments(item.sop_id, guides)
    for push in PushItem.by_sop.query(item.sop_id):
        if push.claimed is None or push.step_id not in counts:
            continue
        if guides is not None and fold(push.staff_id) not in guides:
            continue
        claimed, skipped = int(push.claimed), int(push.skipped or 0)
        arrived[push.step_id] += claimed + skipped
        onward[push.step_id] += claimed + skipped - int(push.halted or 0)
        figures = counts[push.step_id]
        figures["skipped"] += skipped
        if push.status == "handed_over":
            sent, failed = int(push.sent or 0), int(push.failed or 0)
            figures["sent"] += sent
            figures["failed"] += failed
            figures["handed_over"] += claimed - sent - failed
        else:
            figures[{"failed": "failed", "skipped": "skipped"}.get(push.status, "scheduled")] += claimed
    coming = enrolled
    for step in plan.steps:
        if step.delivery == "welcome":
            counts[step.step_id]["handed_over"] = enrolled
            continue
        waiting = max(coming - arrived[step.step_id], 0)
        counts[step.step_id]["skipped" if item.status == "stopped" else "scheduled"] += waiting
        coming = onward[step.step_id]
    return {step_id: StepCounts(**figures) for step_id, figures in counts.items()}


def _count_enrolments(sop_id: str, guides: Collection[str] | None) -> int:
    if guides is None:
        return int(EnrolmentItem.by_sop.count(sop_id))
    of_sop = EnrolmentItem.sop_id == sop_id
    with ThreadPoolExecutor(results.THREADS) as pool:
        return sum(pool.map(lambda who: int(EnrolmentItem.of_staff.count(who, None, of_sop)), guides))


def _rows(keys: list[EnrolmentItem]) -> Iterator[Row]:
    """The touches of these enrolments, in their order."""
    stored = {
        (row.subject, row.sop_id): row
        for row in EnrolmentItem.batch_get([(key.subject, key.sop_id) for key in keys])
    }
    enrolments = [stored[key.subject, key.sop_id] for key in keys if (key.subject, key.sop_id) in stored]
    sops = {sop_id: service.load(sop_id) for sop_id in {row.sop_id for row in enrolments}}
    plans = {sop_id: item.plan for sop_id, item in sops.items()}
    pushes = _pushes(enrolments)
    for enrolment in enrolments:
        item, plan = sops[enrolment.sop_id], plans[enrolment.sop_id]
        for number, step in reversed(list(enumerate(plan.steps))):
            entry = enrolment.step(step.step_id)
            if entry is None and step.step_id != enrolment.next_step:
                continue
            touch = _touch(enrolment, plan, step, entry)
            changes = _became(entry, enrolment.subject, pushes) if entry else _waiting(enrolment, item)
            yield Row(f"{enrolment.place}#{number:02}", replace(touch, **changes))


def _touch(enrolment: EnrolmentItem, plan: Plan, step: Step, entry: Mapping[str, Any] | None) -> TouchOut:
    """A touch that is still to come."""
    return TouchOut(
        touch_id=f"{enrolment.sop_id}.{step.step_id}.{enrolment.subject}",
        sop_id=enrolment.sop_id,
        step_id=step.step_id,
        external_userid=enrolment.subject,
        staff_id=enrolment.staff_id,
        status="scheduled",
        reason=None,
        due_at=clock.iso(rules.due_at(plan, step, clock.parse(enrolment.anchor_at))),
        at=entry["at"] if entry else None,
        push_id=entry.get("push_id") if entry else None,
        msgid=None,
    )


def _became(entry: Mapping[str, Any], subject: str, pushes: Mapping[str, Push]) -> dict[str, Any]:
    if "status" in entry:
        return {"status": entry["status"], "reason": entry.get("reason")}
    if entry["push_id"] not in pushes:
        return {}
    push, results = pushes[entry["push_id"]]
    if push.status in ("failed", "skipped"):
        return {"status": push.status, "reason": push.reason}
    if push.status != "handed_over":
        return {}
    result = results.get(subject, PENDING)
    status = {PENDING: "handed_over", SENT: "sent"}.get(result, "failed")
    return {"status": status, "reason": REASONS.get(result), "msgid": push.msgid}


def _waiting(enrolment: EnrolmentItem, item: SopItem) -> dict[str, Any]:
    if enrolment.status == "stopped":
        return {"status": "skipped", "reason": enrolment.reason}
    if item.status == "stopped":
        return {"status": "skipped", "reason": "sop_stopped"}
    return {}


def _pushes(enrolments: Iterable[EnrolmentItem]) -> dict[str, Push]:
    named = {
        entry["push_id"]
        for enrolment in enrolments
        for entry in enrolment.all_steps().values()
        if "push_id" in entry and "status" not in entry
    }
    keys = [key for push_id in named for key in (push_id, people_key(push_id))]
    items = {row.push_id: row for row in PushItem.batch_get(keys)}
    known: dict[str, Push] = {}
    for push_id in named & items.keys():
        people = unpack(items[people_key(push_id)]) if people_key(push_id) in items else People(to=[])
        known[push_id] = (items[push_id], dict(zip(people.to, people.results, strict=False)))
    return known
