"""Why WeCom gives a member of staff no customers: as codes, with what WeCom says of each.

WeCom is asked about members of a new or changed code (or store, or campaign) whom it was not asked about
within a day: one list of all who may serve customers, and one call for each who is not in it, at most
`_MOST` and for `_TIME` together. When it does not answer, the member counts as not checked, until it does.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import UNSET, UnsetType

from chalicelib.platform import clock, due, log, messages, settings, storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.messages import Language
from chalicelib.staff import service, spelling
from chalicelib.staff.models import StaffItem
from chalicelib.staff.rules import INVISIBLE, NOT_ACTIVATED, NOT_REAL_NAMED, NOT_SERVING, problem_of
from chalicelib.staff.rules import NOT_CHECKED as NOT_CHECKED
from chalicelib.staff.rules import UNKNOWN as UNKNOWN
from chalicelib.staff.types import StaffWarning
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

BY_ERRCODE = {  # of one member: WeCom refuses a whole list for one, and does not say for whom
    40003: UNKNOWN,
    40031: UNKNOWN,
    40098: NOT_REAL_NAMED,
    41054: NOT_ACTIVATED,
    50002: INVISIBLE,
    60011: INVISIBLE,
    60021: INVISIBLE,
    60111: UNKNOWN,
    84074: NOT_SERVING,
}
_SEEN_BY_WAYS = (NOT_ACTIVATED, NOT_REAL_NAMED)  # that list does not tell; a contact way that is made does
_MOST, _TIME = 20, timedelta(seconds=3)


def of(row: StaffItem | None) -> str | None:
    """The member's problem; None: there is none that we know of."""
    if row is None:
        return None
    return problem_of(row.problem, int(row.status), row.name is not None)


def known(staff_ids: Iterable[str]) -> dict[str, str]:
    """The problems of those among them who have one, by id: 100 in a request."""
    rows = StaffItem.batch_get(list(set(staff_ids)))
    return {row.staff_id: problem for row in rows if (problem := of(row)) is not None}


def ask(staff_ids: Iterable[str]) -> dict[str, str]:
    """The problems of those among them who have one, asked at WeCom where that is not known of late.

    Never raises for WeCom's sake.
    """
    wanted = list(dict.fromkeys(staff_ids))
    rows = {row.staff_id: row for row in StaffItem.batch_get(wanted, consistent_read=True)}
    stale = [one for one in wanted if not _is_fresh(rows.get(one))]
    if stale:
        _ask(stale)
    return known(wanted)


def _is_fresh(row: StaffItem | None) -> bool:
    return row is not None and row.problem is None and service.is_fresh(row, clock.now())


def _ask(staff_ids: list[str]) -> None:
    until = clock.now() + _TIME
    try:
        client = wecom.default_client()
    except settings.Missing:  # WeCom is not connected: nothing is known of anybody
        return
    try:
        serving = set(client.get_follow_user_list(deadline=until))
        missing = [one for one in staff_ids if one not in serving]
        there = [one for one in missing[:_MOST] if _learn(one, until)]
        if there:  # some of them are new since the list was made
            serving |= set(client.get_follow_user_list(deadline=until))
    except Upstream as error:
        log.failure("members not asked for", error)
        for one in staff_ids:
            service.note_problem(one, NOT_CHECKED)
        return
    for one in missing[_MOST:]:
        service.note_problem(one, NOT_CHECKED)
    in_doubt = known(staff_ids)
    for one in {*there, *staff_ids} - set(missing[_MOST:]):
        if one not in serving and one in there:
            service.note_problem(one, NOT_SERVING)
        elif one in serving and in_doubt.get(one) not in _SEEN_BY_WAYS:
            service.note_problem(one, None)


def _learn(staff_id: str, until: datetime) -> bool:
    """Whether WeCom has the member, active. Upstream when it does not answer."""
    try:
        service.learn(staff_id, until)
    except WeComError as error:
        if error.errcode not in BY_ERRCODE:
            raise
        return False
    return service.status(staff_id) == 1


def warnings(
    named: Iterable[tuple[str, str]], found: Mapping[str, str], language: Language
) -> list[StaffWarning] | UnsetType:
    """named: (field, staff_id) of each; found: the problems there are. UNSET: there are none."""
    made = [
        StaffWarning(
            field=field,
            code=found[staff_id],
            message=messages.text(found[staff_id], language, {"staff_id": spelling.spell(staff_id)}),
        )
        for field, staff_id in named
        if staff_id in found
    ]
    return made or UNSET


def fields(name: str, staff_ids: Sequence[str]) -> list[tuple[str, str]]:
    """(field, staff_id) of a list of userids in a body."""
    return [(f"{name}[{number}]", staff_id) for number, staff_id in enumerate(staff_ids)]


def note(staff_id: str, problem: str | None) -> bool:
    """Keep the problem, or (None) that there is none any more. False: that was known."""
    return service.note_problem(staff_id, problem)


def note_refusal(staff_id: str, error: Exception) -> None:
    """Keep that WeCom refuses the member a contact way, if it is the member, and have it told."""
    problem = BY_ERRCODE.get(error.errcode) if isinstance(error, WeComError) else None
    if problem is not None and note(staff_id, problem):
        order_telling(staff_id)


def order_telling(staff_id: str) -> None:
    """Have those told whose codes count on the member (contactways.refusals)."""
    due.put("member_problem", clock.now(), staff_id, {"staff_id": staff_id})


def untold(staff_id: str) -> str | None:
    """The member's problem, if nobody was told of it."""
    row: StaffItem | None = StaffItem.find(staff_id)
    problem = of(row)
    return problem if row is not None and problem not in (NOT_CHECKED, row.told) else None


def mark_told(staff_id: str, problem: str) -> None:
    storage.update_if(StaffItem(staff_id), [StaffItem.told.set(problem)], StaffItem.staff_id.exists())
