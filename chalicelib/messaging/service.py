"""The welcome: the one deadline in the system. It needs nothing that another function writes.

WeCom takes a welcome once, within 20 s of the event, under the event's code. A try has 4 s, then its worker
is stopped and the message handed out again: a worker that is killed or hangs costs one of five tries. A
refusal that may pass goes on in the next try, as a message of its own that says what is known so far.
A second try of what did go out answers 41051, which is why a crash anywhere welcomes nobody twice;
after the 20 s it answers 41050, and whether the first one went out is not known any more. Then the
guide is asked to say hello; that, and a gift that is owed, is other queues' work.
The line's key is the code's digest; the code itself is kept nowhere.
"""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.livecodes import service as livecodes
from chalicelib.messaging import gifts, rules
from chalicelib.messaging.models import KEPT, WAITING, MissedWelcomeItem
from chalicelib.messaging.rules import Next, Welcome
from chalicelib.messaging.types import Add
from chalicelib.origins import service as origins
from chalicelib.platform import clock, corp_settings, log, queues, timeline
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.sops import service as sops
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError

_SETTING = "welcome"
_WINDOW = timedelta(seconds=20)
_WORK = timedelta(seconds=3.5)  # of the function's 4 s
_CALL = timedelta(seconds=2)  # for WeCom's answer, also when the window looks closed
_PAUSE = 1.0  # seconds; WeCom's own advice for 41096
_ENDS = ("welcome_sent", "welcome_missed", "welcome_unknown")


class Outcome(Struct, frozen=True):
    """What a try came to: how it went out ("full", "text", "already"), or why it did not.

    again: there is time for another. in_doubt: it may have gone out. bare: attachments were refused.
    """

    how: str | None = None
    reason: str = ""
    again: bool = False
    in_doubt: bool = False
    bare: bool = False


def welcome(message: Mapping[str, Any], again: bool = False) -> None:
    """Welcome a new customer: an `Add` from the queue. again: it was handed out before, and not finished.

    Upstream when a queue did not take what is left to do.
    """
    until = clock.now() + _WORK
    add = msgspec.convert(message, Add)
    key = hashlib.sha256(add.code.encode()).hexdigest()[:32]
    if _has_ended(add, key):
        return
    live_code_id, chosen = _choose(add)
    if not chosen:
        log.logger.info("no welcome is set")
        return
    gift = gifts.find(add, live_code_id, chosen.text)
    outcome = _send(add, chosen, gift.text, until, add.in_doubt or again)
    if outcome.again:
        _hand_on(add, key, outcome)
        return
    if gift.is_owed(outcome.how, outcome.reason):
        gifts.owe(add, gift)
    _record(add, key, live_code_id, outcome)


def _hand_on(add: Add, key: str, outcome: Outcome) -> None:
    """The next try, with what is known: at once, where a message that failed would wait."""
    following = msgspec.structs.replace(
        add, tries=add.tries + 1, in_doubt=outcome.in_doubt, bare=outcome.bare
    )
    message = msgspec.to_builtins(following)
    queues.send("welcome", message, group=add.external_userid, key=f"{key}-{following.tries}")


def _record(add: Add, key: str, live_code_id: str | None, outcome: Outcome) -> None:
    """The end of it, in the customer's timeline; before that, the word to the guide where one is needed."""
    data = {"staff_id": add.staff_id, "live_code_id": live_code_id}
    if outcome.how:
        ms = round((clock.now() - add.received_at).total_seconds() * 1000)
        timeline.record(_line(add, "welcome_sent", key, {**data, "ms": ms, "how": outcome.how}))
        log.measure("TimeToWelcome", ms, "Milliseconds")
        return
    if _has_ended(add, key):  # while this try was slow, its message was handed out again
        return
    if outcome.reason != Next.CONSENT.value:
        _ask_guide(add, key)
    if outcome.reason == rules.UNKNOWN:
        timeline.record(_line(add, "welcome_unknown", key, data))
        log.measure("WelcomeUnknown", 1, "Count")
        return
    _note_missed(add, key, {**data, "reason": outcome.reason})
    log.measure("WelcomeMissed", 1, "Count")


def _note_missed(add: Add, key: str, data: dict[str, Any]) -> None:
    """Its line, and an item for the list of those whom somebody has to greet. Twice is once."""
    line = _line(add, "welcome_missed", key, data)
    item = MissedWelcomeItem(
        key,
        listing=WAITING,
        at=clock.iso(line.at),
        external_userid=add.external_userid,
        expires_at=int((line.at + KEPT).timestamp()),
        **data,
    )
    tx = Transaction()
    timeline.add(tx, line)
    tx.put("missed", item, MissedWelcomeItem.missed_id.does_not_exist())
    with suppress(ConditionFailed):
        tx.commit()


def default_welcome() -> Welcome:
    """For adds that nothing else has a welcome for; an empty one when none is set."""
    return default_welcome_and_version()[0]


def default_welcome_and_version() -> tuple[Welcome, int]:
    value, version = corp_settings.read(_SETTING)
    return rules.welcome_of(value), version


def set_default_welcome(chosen: Welcome, if_match: IfMatch = ANY_VERSION) -> int:
    """Its version. Stale."""
    value = {"text": chosen.text, "attachments": [dict(a) for a in chosen.attachments]}
    return corp_settings.save(_SETTING, value, if_match)


def _choose(add: Add) -> tuple[str | None, Welcome]:
    """The live code's own welcome of that time, else that of an SOP the add starts, else the default one."""
    origin = origins.find(add.state)
    live_code_id, own = (origin.live_code_id or None) if origin else None, Welcome()
    if live_code_id:
        with suppress(NotFound):  # deleted, while its codes are still in use
            own = rules.welcome_of(livecodes.current(live_code_id).welcome_at(add.at))
    if own:
        return live_code_id, own
    message = sops.welcome_for(live_code_id, add.staff_id)
    of_sop = Welcome(message.text or "", tuple(message.attachments)) if message else Welcome()
    return live_code_id, of_sop or default_welcome()


def _send(add: Add, chosen: Welcome, coupon: str, until: datetime, in_doubt: bool) -> Outcome:
    """Try until `until`, at least once however late it seems: clocks differ, and WeCom decides.

    in_doubt: an earlier try may have gone out.
    """
    window = add.received_at + _WINDOW
    names = _names(add, chosen.text, until - _CALL)
    text = rules.fill(chosen.text, {**names, rules.COUPON: coupon})
    bare = add.bare and bool(text)
    while True:
        attachments = [] if bare else [dict(a) for a in chosen.attachments]
        code, treatment = None, "lost"
        try:
            wecom.default_client().send_welcome_msg(add.code, text, attachments, deadline=clock.now() + _CALL)
            return Outcome("text" if bare else "full")
        except WeComError as error:
            code, treatment = error.errcode, error.treatment.value
        except AnswerLost:
            in_doubt = True  # the next try tells
        except Upstream:
            pass  # it never left
        step = rules.after(code, treatment, bool(attachments and text))
        log.logger.info("welcome refused", extra={"errcode": code, "next": step.value})
        if step is Next.DONE:
            return Outcome("already")
        if step is Next.CONSENT:
            return Outcome(reason=step.value)
        if step is Next.MISSED:
            return Outcome(reason=rules.why_not(code, in_doubt))
        if step is Next.TEXT_ONLY:
            bare = True
        else:
            if clock.now() + timedelta(seconds=_PAUSE) >= window:
                return Outcome(reason=rules.why_not(None, in_doubt))
            time.sleep(_PAUSE)
        if clock.now() + _CALL > until:
            return Outcome(again=True, in_doubt=in_doubt, bare=bare)


def _names(add: Add, text: str, deadline: datetime) -> dict[str, str]:
    """Names for the placeholders that are there; a neutral word for a name that can't be had by then."""
    names = {rules.CUSTOMER: rules.NEUTRAL_CUSTOMER, rules.STAFF: rules.NEUTRAL_STAFF}
    if rules.STAFF in text:
        names[rules.STAFF] = _staff_name(add.staff_id)
    if rules.CUSTOMER in text:
        names[rules.CUSTOMER] = _customer_name(add, deadline) or rules.NEUTRAL_CUSTOMER
    return names


def _staff_name(staff_id: str) -> str:
    return staff.find_name(staff_id) or rules.NEUTRAL_STAFF


def _customer_name(add: Add, deadline: datetime) -> str:
    try:
        details = wecom.default_client().external_contact(add.external_userid, deadline=deadline)
    except Upstream:
        return ""
    return str(details["external_contact"].get("name") or "")


def _has_ended(add: Add, key: str) -> bool:
    return timeline.happened(*(_line(add, kind, key) for kind in _ENDS))


def _ask_guide(add: Add, key: str) -> None:
    """Have the guide greet by hand, once for each add. Upstream: the queue did not take it."""
    work = {
        "kind": "greet",
        "key": key,
        "external_userid": add.external_userid,
        "staff_id": add.staff_id,
        "at": clock.iso(add.at),
    }
    queues.send("notify", work, group=add.staff_id.lower())


def _line(add: Add, kind: str, key: str, data: dict[str, Any] | None = None) -> Line:
    return Line(add.external_userid, kind, add.at, key, data or {})
