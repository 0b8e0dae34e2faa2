"""Words to a guide by app message: bundled, within WeCom's limit, and none counted that did not arrive.

A capability adds a notice under a natural key; the queue `notify` (in order per guide) sends what waits,
at once when the guide got nothing in the last minute, else together with what comes until then. Each
message is counted before it is sent (rules.py), and stored as `sending`: whoever finds it again after
a crash sends the very same, and WeCom drops an equal one for four hours. Only WeCom's own word that it was
taken, for this guide, makes a notice sent; its capability hears what became of it (types.NoticeKind).

| we | WeCom |
|---|---|
| count, store what is being sent | |
| send | takes it; the answer is lost |
| again in a minute: the same, equal | drops it, answers as if taken |
| tell the capability, move the notices to `done#`, forget `sending` | |
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct

from chalicelib.notices import models, rules
from chalicelib.notices.models import NoticeItem
from chalicelib.notices.rules import Bundle, Part
from chalicelib.notices.types import EXPIRED, REFUSED, SENT, UNKNOWN, NoticeKind
from chalicelib.platform import clock, declared, due, log, queues
from chalicelib.platform.errors import Upstream
from chalicelib.platform.userids import fold
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

SAME_SECONDS = 14_400  # in which WeCom drops an equal message, its maximum
_LIFE = timedelta(days=1)
_TRY = timedelta(seconds=5)
_IN_DOUBT = timedelta(seconds=SAME_SECONDS) - timedelta(minutes=5)
_SHORTLY, _CONFIGURED = timedelta(minutes=1), timedelta(minutes=10)
_RATE = 45009


class OverLimit(WeComError):
    """WeCom would drop it: the guide has got as many messages as it hands over in this time."""

    def __init__(self) -> None:
        super().__init__("message/send", _RATE)


class Later(Struct, frozen=True):
    """It was not sent, or (in_doubt) may have been: when to try again."""

    wait: timedelta
    in_doubt: bool = False


def add(staff_id: str, kind: str, key: str, data: Mapping[str, Any]) -> None:
    """Order a notice for a guide, once for each kind and key. `kind`: of a `staff_notices.py`. Upstream."""
    notice_id = f"{kind}#{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    if kind not in _kinds():
        raise ValueError(f"there is no notice {kind}")
    models.add(staff_id, notice_id, kind, data)
    owner = staff_id.lower()
    queues.send("notify", {"kind": "notify", "staff_id": owner, "notice_id": notice_id}, group=owner)


def send_now(staff_id: str, message: Mapping[str, Any]) -> bool:
    """One message that can't be bundled, counted as all are; False when WeCom can't reach the guide.

    WeComError (OverLimit: again in a minute), AnswerLost, Upstream.
    """
    if not models.count(staff_id.lower(), clock.now()):
        raise OverLimit
    return _is_reached(_send(staff_id, message), staff_id)


def deliver(staff_id: str) -> None:
    """Send what waits for a guide, if it may go now; else have this come again. Twice is the same as once."""
    now, known = clock.now(), models.state(staff_id)
    bundled_at = clock.parse(known.bundled_at) if known.bundled_at else None
    until = rules.held_until(bundled_at, now)
    if until and not known.sending:
        _come_again(staff_id, until)
        return
    rows = {row.notice_id: row for row in models.waiting(staff_id)}
    if known.sending and not rows.keys() & set(known.sending["notice_ids"]):
        models.forget_bundle(staff_id)  # all of it was finished before the crash
        known.sending = None
    if known.sending and now - clock.parse(known.sending["at"]) > _IN_DOUBT:
        _finish(staff_id, rows, tuple(known.sending["notice_ids"]), UNKNOWN)
        _come_again(staff_id, now)
        return
    bundles, more = _bundles(staff_id, known.sending, rows, now)
    for bundle in bundles:
        if not models.count(staff_id, clock.now(), bundle):
            _come_again(staff_id, clock.now() + rules.WINDOW)
            return
        outcome = _try(_address(rows, bundle, staff_id), bundle)
        if isinstance(outcome, Later):
            if not outcome.in_doubt:
                models.forget_bundle(staff_id)
            _come_again(staff_id, clock.now() + outcome.wait)
            return
        _finish(staff_id, rows, bundle.notice_ids, outcome)
    if more:
        _come_again(staff_id, clock.now() + rules.WINDOW)


def _bundles(
    staff_id: str, sending: Mapping[str, Any] | None, rows: Mapping[str, NoticeItem], now: datetime
) -> tuple[list[Bundle], bool]:
    """What to send now, and whether there is more: first what was being sent when all ended."""
    if sending:
        ids = tuple(sending["notice_ids"])
        return [Bundle(sending["message"], ids)], len(rows) > len(ids)
    old = [notice_id for notice_id, row in rows.items() if now - clock.parse(row.at) > _LIFE]
    _finish(staff_id, rows, tuple(old), EXPIRED)
    bundles = rules.pack(_parts(row for row in rows.values() if row.notice_id not in old), now)
    return bundles[: rules.AT_ONCE], len(bundles) > rules.AT_ONCE or len(rows) >= models.READ


def _parts(rows: Iterable[NoticeItem]) -> Iterator[Part]:
    """What is to be said, the kinds in the order of their oldest notices."""
    by_kind: defaultdict[str, list[NoticeItem]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    for kind, several in by_kind.items():
        gather = _kinds()[kind].gather
        if gather:
            text = declared.resolve(gather)([row.data for row in several])
            yield Part(text, tuple(row.notice_id for row in several))
        else:
            for row in several:
                yield Part(row.data.get("card") or str(row.data["text"]), (row.notice_id,))


def _try(address: str, bundle: Bundle) -> str | Later:
    """Send; what became of it, or when to try again."""
    try:
        answer = _send(address, bundle.message)
    except WeComError as error:
        if error.treatment is Treatment.DATA:
            log.logger.warning("guide not reached", extra={"errcode": error.errcode})
            return REFUSED
        shortly = _CONFIGURED if error.treatment is Treatment.CONFIGURE else _SHORTLY
        return Later(max(shortly, timedelta(seconds=error.retry_after or 0)))
    except AnswerLost:
        return Later(_SHORTLY, in_doubt=True)
    except Upstream:  # it never left
        return Later(_SHORTLY)
    return SENT if _is_reached(answer, address) else REFUSED


def _send(address: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
    same = {"enable_duplicate_check": 1, "duplicate_check_interval": SAME_SECONDS}
    client = wecom.default_client()
    return client.message_send({"touser": address, **message, **same}, deadline=clock.now() + _TRY)


def _is_reached(answer: Mapping[str, Any], address: str) -> bool:
    """WeCom answers 0 also for those whom it can't reach: they are named, in small letters."""
    named = "|".join(str(answer.get(field) or "") for field in ("invaliduser", "unlicenseduser"))
    return address.lower() not in named.lower().split("|")


def _finish(staff_id: str, rows: Mapping[str, NoticeItem], notice_ids: tuple[str, ...], outcome: str) -> None:
    """Tell the capabilities, and count; a repeat after a crash tells again."""
    now = clock.now()
    for row in (rows[notice_id] for notice_id in notice_ids if notice_id in rows):
        if after := _kinds()[row.kind].after:
            declared.resolve(after)(row.data, outcome, clock.iso(now))
    models.finish(staff_id, notice_ids, outcome, now)
    models.forget_bundle(staff_id)
    if notice_ids:
        log.measure("NoticesSent" if outcome == SENT else "NoticesNotSent", len(notice_ids), "Count")


def _address(rows: Mapping[str, NoticeItem], bundle: Bundle, staff_id: str) -> str:
    """The userid as a capability knows it, or the one that WeCom has given them since."""
    known = str(next((rows[i].address for i in bundle.notice_ids if i in rows), staff_id))
    current = staff.current_id(fold(known))
    return known if current == fold(known) else current


def _come_again(staff_id: str, at: datetime) -> None:
    due.put("notify", at, staff_id, {"staff_id": staff_id})


@cache
def _kinds() -> Mapping[str, NoticeKind]:
    return {each.kind: each for each in chain.from_iterable(declared.find("staff_notices", "NOTICES"))}
