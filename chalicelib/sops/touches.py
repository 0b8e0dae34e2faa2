"""Touches as the API shows them: read from the enrolments and from the pushes that claimed them.

A touch has no item of its own. Whether it was sent is in its push; that it is to come, or was
skipped, in its enrolment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from chalicelib.platform import clock, storage
from chalicelib.platform.errors import Invalid
from chalicelib.sops import rules, service
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

STATUSES = ("scheduled", "handed_over", "sent", "skipped", "failed")
Push = tuple[PushItem, dict[str, str]]  # a push and each person's result


def of_sop(sop_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """A SOP's touches, by person, and the next cursor. NotFound.

    Reads a page of enrolments and the pushes that they name.
    """
    item = service.load(sop_id)
    last, skip = _position(cursor)
    start = {"sop_id": {"S": sop_id}, "subject": {"S": last}} if last else None
    keys = [
        (row.subject, row.sop_id)
        for row in EnrolmentItem.by_sop.query(sop_id, limit=limit + 1, last_evaluated_key=start)
    ]
    stored = {row.subject: row for row in EnrolmentItem.batch_get(keys)}
    enrolments = [stored[subject] for subject, _ in keys if subject in stored]
    return _page(_touches({sop_id: item}, enrolments, _pushes(enrolments)), limit, last, skip)


def of_customer(
    external_userid: str, sop_id: str | None, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """One person's touches, of all SOPs or of one."""
    skip = _position(cursor)[1]
    condition = EnrolmentItem.sop_id == sop_id if sop_id else None
    enrolments = list(EnrolmentItem.query(external_userid, condition))
    sops = {row.sop_id: service.load(row.sop_id) for row in enrolments}
    touches = list(_touches(sops, enrolments, _pushes(enrolments)))
    page = touches[skip : skip + limit]
    more = _cursor(external_userid, skip + limit) if skip + limit < len(touches) else None
    return page, more


def counts(item: SopItem) -> dict[str, dict[str, int]]:
    """Touches by step and status.

    Costs one small read for each push, and a count over the index of enrolments (some 40 a read
    unit), not a read for each person: somebody who was taken out counts as scheduled until their
    time comes, and as skipped from then on.
    """
    plan = item.plan
    found = {step.step_id: dict.fromkeys(STATUSES, 0) for step in plan.steps}
    arrived = dict.fromkeys(found, 0)
    onward = dict.fromkeys(found, 0)
    enrolled = int(EnrolmentItem.by_sop.count(item.sop_id))
    for push in PushItem.by_sop.query(item.sop_id):
        if push.claimed is None or push.step_id not in found:
            continue
        claimed, skipped = int(push.claimed), int(push.skipped or 0)
        arrived[push.step_id] += claimed + skipped
        onward[push.step_id] += claimed + skipped - int(push.halted or 0)
        figures = found[push.step_id]
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
            found[step.step_id]["handed_over"] = enrolled
            continue
        waiting = max(coming - arrived[step.step_id], 0)
        found[step.step_id]["skipped" if item.status == "stopped" else "scheduled"] += waiting
        coming = onward[step.step_id]
    return found


def _touches(
    sops: Mapping[str, SopItem], enrolments: Iterable[EnrolmentItem], pushes: Mapping[str, Push]
) -> Iterator[dict[str, Any]]:
    for enrolment in enrolments:
        item = sops[enrolment.sop_id]
        plan = item.plan
        for step in plan.steps:
            entry = enrolment.step(step.step_id)
            touch: dict[str, Any] = {
                "touch_id": f"{enrolment.sop_id}.{step.step_id}.{enrolment.subject}",
                "sop_id": enrolment.sop_id,
                "step_id": step.step_id,
                "external_userid": enrolment.subject,
                "staff_id": enrolment.staff_id,
                "status": "scheduled",
                "reason": None,
                "due_at": clock.iso(rules.due_at(plan, step, clock.parse(enrolment.anchor_at))),
                "at": entry["at"] if entry else None,
                "push_id": entry.get("push_id") if entry else None,
                "msgid": None,
            }
            if entry is not None:
                yield touch | _became(entry, enrolment.subject, pushes)
            elif step.step_id == enrolment.next_step:
                yield touch | _waiting(enrolment, item)


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
    found: dict[str, Push] = {}
    for push_id in named & items.keys():
        people = unpack(items[people_key(push_id)]) if people_key(push_id) in items else People(to=[])
        found[push_id] = (items[push_id], dict(zip(people.to, people.results, strict=False)))
    return found


def _page(
    touches: Iterable[dict[str, Any]], limit: int, last: str | None, skip: int
) -> tuple[list[dict[str, Any]], str | None]:
    """`limit` touches after `skip` of the first person after `last`. A cursor is such a place."""
    page: list[dict[str, Any]] = []
    before, current, of_current = last, None, 0
    for touch in touches:
        if touch["external_userid"] != current:
            before, current, of_current = current or before, touch["external_userid"], 0
        of_current += 1
        if before == last and of_current <= skip:
            continue
        if len(page) == limit:
            return page, _cursor(before, of_current - 1)
        page.append(touch)
    return page, None


def _cursor(last: str | None, skip: int) -> str | None:
    place = {"last": {"S": last}} if last else {}
    return storage.cursor_of({**place, "skip": {"N": str(skip)}})


def _position(cursor: str | None) -> tuple[str | None, int]:
    key = storage.key_of(cursor)
    if key is None:
        return None, 0
    last, skip = key.get("last", {"S": ""}).get("S"), key.get("skip", {}).get("N")
    if last is None or len(last) > 256 or not re.fullmatch("[0-9]{1,9}", skip or ""):
        raise Invalid(("cursor", "not a cursor that was given out"))
    return last or None, int(skip)
