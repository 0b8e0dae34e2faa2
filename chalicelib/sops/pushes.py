"""A push: one WeCom call for one step, one guide and up to 10,000 of their customers.

A state machine, so that a crash anywhere neither sends twice nor loses: the intent with its people
is stored; each person is claimed by a condition on their enrolment; the next step is put in `due`;
only then comes the call, under a lease; then its answer is stored. Whoever finds a call without its
answer asks WeCom what became of it before calling again; until then it stays `calling`, through
nights and pauses too. A push that must wait keeps its claims and comes back under its own id (kind
`push_again`).
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.customers import service as customers
from chalicelib.notices import service as notices
from chalicelib.platform import clock, due, ids, queues, storage
from chalicelib.platform.errors import Upstream
from chalicelib.sops import calls, results, rules, service
from chalicelib.sops.models import (
    PENDING,
    REFUSED,
    EnrolmentItem,
    People,
    PushItem,
    SopItem,
    people_key,
    unpack,
)
from chalicelib.sops.types import Plan, Step
from chalicelib.staff import service as staff
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

LEASE = timedelta(minutes=2)  # longer than a call with its retries can take
_WHILE_PAUSED = timedelta(minutes=10)
_SHORTLY = timedelta(minutes=2)
_SELDOM = timedelta(hours=1)
_GIVE_UP = timedelta(days=1)  # of errors that ought to pass; nights and pauses do not count
# As long as WeCom drops an equal task to a guide, less the time that asking again may take.
_ASK_AGAIN = timedelta(seconds=notices.SAME_SECONDS) - LEASE
_CHUNK = 1000  # people in one due item: 33 KB
_NO_RECEIVER = 41048
_PASSING = {Treatment.RETRY, Treatment.REFRESH_TOKEN, Treatment.WAIT}


class Claims(Struct, frozen=True):
    """What claiming came to: whom to send to, whom not and why, and who goes on to the next step."""

    to: list[str]
    skip: dict[str, str]
    halted: int
    onward: dict[datetime, list[str]]


def push(sop_id: str, step_id: str, staff_id: str, subjects: Collection[str]) -> None:
    """A step has fallen due for these customers of a guide. Twice is the same as once."""
    ordered = sorted(set(subjects))
    push_id = "p_" + ids.derived(sop_id, step_id, staff_id, *ordered)
    staff_id = staff.current_id(staff_id)  # after the push's own id: a repeat finds what was begun
    known = PushItem.find(push_id)
    if known is None:
        item = service.find(sop_id)
        step = rules.step_of(item.plan, step_id) if item else None
        if item is None or step is None or item.status == "stopped":
            return  # the SOP's own status tells what becomes of its touches
        if until := _waits_until(item.status, item.plan, clock.now()):
            _put_back(sop_id, step, staff_id, ordered, until)
            return
        known = _intend(push_id, sop_id, step, staff_id, ordered)
    if known is not None:
        _go_on(known)


def again(push_id: str) -> None:
    """A push that was put off comes back."""
    known = PushItem.find(push_id)
    if known is not None:
        _go_on(known)


def _go_on(push: PushItem) -> None:
    item = service.find(push.sop_id)
    step = rules.step_of(item.plan, push.step_id) if item else None
    if item is None or step is None:
        return
    if push.status == "calling":
        _resolve_lost_answer(push, item, step)
    elif push.status == "intended":
        _claim_and_call(push, item, step)
    elif push.status in ("handed_over", "failed"):
        _follow_up(push, step)


def _intend(push_id: str, sop_id: str, step: Step, staff_id: str, subjects: list[str]) -> PushItem | None:
    """Store whom the push is for, once; None when it is for nobody (any more)."""
    open_ = {
        subject: enrolment
        for subject, enrolment in _load_enrolments(sop_id, subjects).items()
        if enrolment.step(step.step_id) is None
    }
    if not open_:
        return None
    skip = {}
    if rules.asks_tags(step.when):
        with ThreadPoolExecutor(results.THREADS) as pool:
            known_customers = dict(zip(open_, pool.map(customers.get, open_), strict=True))
        skip = {
            s: "condition"
            for s, c in known_customers.items()
            if not rules.meets(step.when, c.tags if c else ())
        }
    to = [subject for subject in open_ if subject not in skip]
    people = People(to=to, skip=skip, results=PENDING * len(to))
    storage.put_once(PushItem(people_key(push_id), people=people.pack()), PushItem.push_id.does_not_exist())
    push = PushItem(
        push_id,
        sop_id=sop_id,
        created_at=clock.iso(clock.now()),
        step_id=step.step_id,
        staff_id=staff_id,
        status="intended",
    )
    if storage.put_once(push, PushItem.push_id.does_not_exist()):
        return push
    known: PushItem | None = PushItem.find(push_id)
    return known


def _claim_and_call(push: PushItem, item: SopItem, step: Step) -> None:
    if _is_held(push, item):
        return
    plan, known = item.plan, _load_people(push.push_id)
    claims = _claim(push, plan, step, known)
    if plan.stop_on:  # claiming takes its time: again, for who has been taken out meanwhile
        claims = _claim(push, plan, step, known)
    for at, subjects in claims.onward.items():
        following = rules.following(plan, step.step_id)
        assert following is not None
        _put_back(push.sop_id, following, push.staff_id, subjects, at)
    people = People(to=claims.to, skip=claims.skip, results=PENDING * len(claims.to))
    if people != known:
        _save_people(push, people)
    now = clock.now()
    actions = [
        PushItem.status.set("calling" if claims.to else "skipped"),
        PushItem.called_at.set(clock.iso(now)),
        PushItem.begun_at.set(push.begun_at or clock.iso(now)),
        PushItem.lease_until.set(clock.iso(now + LEASE)),
        PushItem.claimed.set(len(claims.to)),
        PushItem.skipped.set(len(claims.skip)),
        PushItem.halted.set(claims.halted),
    ]
    if claims.to and _is_held(push, service.find(push.sop_id)):  # claiming takes its time
        return
    if storage.update_if(push, actions, _is_unchanged(push)) and claims.to:
        _call(push, plan, step, people)


def _call(push: PushItem, plan: Plan, step: Step, people: People) -> None:
    try:
        answer = calls.call(push, plan, step, people.to)
    except AnswerLost:
        _look_for_call(push, step, people, clock.parse(push.lease_until))
    except calls.Unreachable:
        _give_up(push, step, people, "staff_unreachable")
    except WeComError as error:
        if error.treatment in _PASSING:
            _try_later(
                push, step, people, timedelta(seconds=error.retry_after or 0), f"wecom_{error.errcode}"
            )
        else:
            reason = "no_receiver" if error.errcode == _NO_RECEIVER else f"wecom_{error.errcode}"
            _give_up(push, step, people, reason)
    except Upstream:  # it never left
        _try_later(push, step, people, _SHORTLY, "wecom_unreachable")
    else:
        _store_answer(push, step, people, answer)


def _resolve_lost_answer(push: PushItem, item: SopItem, step: Step) -> None:
    """The call was begun and its answer is not there: whoever made it is at it still, or gone."""
    lease, now = clock.parse(push.lease_until), clock.now()
    if now < lease:
        _put_off(push, lease)
        return
    people = _load_people(push.push_id)
    if step.delivery != "staff_task":
        gone = _look_for_call(push, step, people, now + _SHORTLY) is False
    else:  # may be asked for again while WeCom drops the equal one; later the guide would do it twice
        gone = now - clock.parse(push.called_at) < _ASK_AGAIN
        if not gone:
            _store_answer(push, step, people, calls.Taken(None, frozenset()))
    if gone:
        _claim_and_call(push, item, step)


def _look_for_call(push: PushItem, step: Step, people: People, next_look: datetime) -> bool | None:
    """Whether WeCom has the mass send; when it has, it is ours from now on. None: it can't tell yet."""
    try:
        answer = calls.find(push, step, people.to)
    except Upstream:
        _put_off(push, next_look)
        return None
    if answer is not None:
        _store_answer(push, step, people, answer)
        return True
    if clock.now() < clock.parse(push.lease_until):
        _put_off(push, next_look)  # its list may lag behind
    return False


def _store_answer(push: PushItem, step: Step, people: People, answer: calls.Taken) -> None:
    if answer.msgid:
        calls.own(answer.msgid, push.push_id)
    people.results = "".join(REFUSED if subject in answer.refused else PENDING for subject in people.to)
    if answer.refused:
        _save_people(push, people)
    actions = [
        PushItem.status.set("handed_over"),
        PushItem.failed.set(people.results.count(REFUSED)),
        PushItem.sent.set(0),
        PushItem.polls.set(0),
    ]
    if answer.msgid:
        actions.append(PushItem.msgid.set(answer.msgid))
    if storage.update_if(push, actions, _is_unchanged(push)):
        _follow_up(push, step)


def _give_up(push: PushItem, step: Step, people: People, reason: str) -> None:
    actions = [PushItem.status.set("failed"), PushItem.reason.set(reason)]
    if storage.update_if(push, actions, _is_unchanged(push)):
        _follow_up(push, step)


def _try_later(push: PushItem, step: Step, people: People, wait: timedelta, reason: str) -> None:
    """WeCom will not have it now, and has not got it: again at growing gaps, or give up after a day."""
    now = clock.now()
    age = now - clock.parse(push.begun_at)
    if age > _GIVE_UP:
        _give_up(push, step, people, reason)
    elif storage.update_if(push, [PushItem.status.set("intended")], _is_unchanged(push)):
        _put_off(push, now + max(wait, _SHORTLY, min(age / 4, _SELDOM)))


def _follow_up(push: PushItem, step: Step) -> None:
    """What follows from the answer; done again, it changes nothing."""
    people, called = _load_people(push.push_id), clock.parse(push.called_at)
    if push.status == "failed":
        results.record(push, ((subject, REFUSED, called) for subject in people.to), push.reason)
        return
    pairs = list(zip(people.to, people.results, strict=True))
    results.record(push, ((s, REFUSED, called) for s, result in pairs if result == REFUSED))
    if push.msgid and not push.polls:
        results.schedule(push, clock.now())
    if step.then.add_tags or step.then.remove_tags:
        tag: dict[str, Any] = {"kind": "tag", "staff_id": push.staff_id}
        tag |= {"add": step.then.add_tags, "remove": step.then.remove_tags}
        reached = (s for s, result in pairs if result != REFUSED)
        queues.send_all("push", ((tag | {"external_userid": s}, s) for s in reached))


def _claim(push: PushItem, plan: Plan, step: Step, people: People) -> Claims:
    """Claim each person for this push; a repeat finds its own claims."""
    following = rules.following(plan, step.step_id)
    subjects = [*people.to, *people.skip]
    stored = _load_enrolments(push.sop_id, subjects)

    def claim(subject: str) -> tuple[EnrolmentItem, dict[str, Any]] | None:
        next_step = following.step_id if following else None
        return _claim_person(push, next_step, stored.get(subject), people.skip.get(subject))

    claims = Claims([], {}, 0, {})
    halted = 0
    with ThreadPoolExecutor(results.THREADS) as pool:
        for subject, claimed in zip(subjects, pool.map(claim, subjects), strict=True):
            if claimed is None:
                continue
            enrolment, entry = claimed
            if "reason" in entry:
                claims.skip[subject] = entry["reason"]
            else:
                claims.to.append(subject)
            if entry.get("halted"):
                halted += 1
            elif following:
                at = rules.due_at(plan, following, clock.parse(enrolment.anchor_at))
                claims.onward.setdefault(at, []).append(subject)
    return replace(claims, halted=halted)


def _claim_person(
    push: PushItem, next_step: str | None, enrolment: EnrolmentItem | None, reason: str | None
) -> tuple[EnrolmentItem, dict[str, Any]] | None:
    """The person's enrolment and what it now says of the step; None when the step is another push's."""
    path = EnrolmentItem.steps[push.step_id]
    while enrolment is not None:
        entry = enrolment.step(push.step_id)
        active = enrolment.status == "active"
        if entry is not None and (entry.get("push_id") != push.push_id or active or "reason" in entry):
            return (enrolment, entry) if entry.get("push_id") == push.push_id else None
        # Nothing is there yet; or ours is, and they have been taken out since.
        wanted: dict[str, Any] = {"push_id": push.push_id, "at": clock.iso(clock.now())}
        free = path.does_not_exist() if entry is None else path["push_id"] == push.push_id
        if not active:
            wanted |= {"status": "skipped", "reason": enrolment.reason, "halted": True}
            actions = [path.set(wanted)]
        else:
            wanted |= {"status": "skipped", "reason": reason} if reason else {}
            move = EnrolmentItem.next_step
            actions = [path.set(wanted), move.set(next_step) if next_step else move.remove()]
            free &= EnrolmentItem.status == "active"
        if storage.update_if(enrolment, actions, free):
            return enrolment, wanted
        enrolment = EnrolmentItem.find(enrolment.subject, enrolment.sop_id)
    return None


def _is_held(push: PushItem, item: SopItem | None) -> bool:
    """Whether the SOP has been stopped (the push ends), or the push must wait (and comes back)."""
    if item is None or item.status == "stopped":
        actions = [PushItem.status.set("skipped"), PushItem.reason.set("sop_stopped")]
        storage.update_if(push, actions, _is_unchanged(push))
        return True
    now = clock.now()
    until = _waits_until(item.status, item.plan, now)
    if until is not None:
        if push.begun_at:
            begun = clock.parse(push.begun_at) + (until - now)
            storage.update_if(push, [PushItem.begun_at.set(clock.iso(begun))], _is_unchanged(push))
        _put_off(push, until)
    return until is not None


def _waits_until(status: str, plan: Plan, now: datetime) -> datetime | None:
    """Until when nothing of the SOP may go out; None when it may now."""
    if status == "paused":
        return now + _WHILE_PAUSED
    return rules.quiet_until(plan, now)


def _put_back(sop_id: str, step: Step, staff_id: str, subjects: list[str], at: datetime) -> None:
    """Let a step fall due for these people, in chunks that a stored item holds.

    A chunk is known by its people: at a repeat some may be missing, and all behind them stand elsewhere.
    """
    for i in range(0, len(subjects), _CHUNK):
        chunk = subjects[i : i + _CHUNK]
        service.put_due(sop_id, step, staff_id, chunk, at, ids.derived(*chunk))


def _put_off(push: PushItem, at: datetime) -> None:
    due.put("push_again", at, push.push_id, {"push_id": push.push_id})


def _is_unchanged(push: PushItem) -> Any:
    """That nobody has moved it on since it was read."""
    called = PushItem.called_at
    same = called == push.called_at if push.called_at else called.does_not_exist()
    return (PushItem.status == push.status) & same


def _load_people(push_id: str) -> People:
    item = PushItem.find(people_key(push_id))
    assert item is not None  # written before its push
    return unpack(item)


def _save_people(push: PushItem, people: People) -> None:
    storage.update_if(PushItem(people_key(push.push_id)), [PushItem.people.set(people.pack())])


def _load_enrolments(sop_id: str, subjects: Collection[str]) -> Mapping[str, EnrolmentItem]:
    keys = [(subject, sop_id) for subject in subjects]
    return {item.subject: item for item in EnrolmentItem.batch_get(keys, consistent_read=True)}
