"""The welcome: the one deadline in the system. It needs nothing that another function writes.

WeCom takes a welcome once, within 20 s of the event, under the event's code. So: try at once, try
again while there is time whatever passes, and when it cannot be, ask the guide to say hello. A
second try of what did go out answers 41051, which is why a crash anywhere welcomes nobody twice;
after the 20 s it answers 41050, and whether the first one went out is not known any more.
The line's key is the code's digest; the code itself is kept nowhere.
"""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.livecodes import service as livecodes
from chalicelib.messaging import gifts, models, rules
from chalicelib.messaging.rules import Next, Welcome
from chalicelib.messaging.types import Add
from chalicelib.origins import service as origins
from chalicelib.platform import clock, log, timeline
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.platform.timeline import Line
from chalicelib.sops import service as sops
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import AnswerLost, WeComError

_WINDOW = timedelta(seconds=20)
_TRY = timedelta(seconds=5)  # what the last try may take, even when the window looks closed
_NAME = timedelta(seconds=2)
_PAUSE = 1.0  # seconds; WeCom's own advice for 41096
_DUPLICATES = 14_400  # seconds in which WeCom drops an equal message to the guide, its maximum


def welcome(message: Mapping[str, Any], again: bool = False) -> None:
    """Welcome a new customer: an `Add` from the queue. again: it was handed out before.

    Upstream when neither the welcome nor the word to the guide got through.
    """
    add = msgspec.convert(message, Add)
    key = hashlib.sha256(add.code.encode()).hexdigest()[:32]
    if timeline.happened(*(_line(add, kind, key) for kind in ("welcome_sent", "welcome_missed"))):
        return
    live_code_id, chosen = _choose(add)
    if not chosen:
        log.logger.info("no welcome is set")
        return
    gift = gifts.find(add, live_code_id, chosen.text)
    how, reason = _send(add, chosen, add.received_at + _WINDOW, gift.text, again)
    if gift.is_owed(how, reason):
        gifts.owe(add, gift)
    data = {"staff_id": add.staff_id, "live_code_id": live_code_id}
    if how:
        ms = round((clock.now() - add.received_at).total_seconds() * 1000)
        timeline.record(_line(add, "welcome_sent", key, {**data, "ms": ms, "how": how}))
        log.measure("TimeToWelcome", ms, "Milliseconds")
        return
    if reason != Next.CONSENT.value:
        _ask_guide(add)
    if reason == rules.UNKNOWN:
        timeline.record(_line(add, "welcome_unknown", key, data))
        log.measure("WelcomeUnknown", 1, "Count")
        return
    timeline.record(_line(add, "welcome_missed", key, {**data, "reason": reason}))
    log.measure("WelcomeMissed", 1, "Count")


def default_welcome() -> Welcome:
    """For adds that nothing else has a welcome for; an empty one when none is set."""
    return rules.welcome_of(models.load(models.WELCOME))


def set_default_welcome(chosen: Welcome) -> None:
    value = {"text": chosen.text, "attachments": [dict(a) for a in chosen.attachments]}
    models.save(models.WELCOME, value)


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


def _send(add: Add, chosen: Welcome, window: datetime, coupon: str, in_doubt: bool) -> tuple[str | None, str]:
    """How it went out ("full", "text", "already"), or None and why not.

    Tried at least once however late it seems: clocks differ, and WeCom decides. in_doubt: an earlier
    try may have gone out.
    """
    text = rules.fill(chosen.text, {**_names(add, chosen.text), rules.COUPON: coupon})
    attachments, how = [dict(a) for a in chosen.attachments], "full"
    while True:
        deadline = max(window, clock.now() + _TRY)
        code, treatment = None, "lost"
        try:
            wecom.default_client().send_welcome_msg(add.code, text, attachments, deadline=deadline)
            return how, ""
        except WeComError as error:
            code, treatment = error.errcode, error.treatment.value
        except AnswerLost:
            in_doubt = True  # the next try tells
        except Upstream:
            pass  # it never left
        step = rules.after(code, treatment, bool(attachments and text))
        log.logger.info("welcome refused", extra={"errcode": code, "next": step.value})
        if step is Next.DONE:
            return "already", ""
        if step is Next.TEXT_ONLY:
            attachments, how = [], "text"
        elif step is not Next.AGAIN:
            return None, step.value if step is Next.CONSENT else rules.why_not(code, in_doubt)
        elif clock.now() + timedelta(seconds=_PAUSE) >= window:
            return None, rules.why_not(None, in_doubt)
        else:
            time.sleep(_PAUSE)


def _names(add: Add, text: str) -> dict[str, str]:
    """Names for the placeholders that are there; a neutral word for a name that can't be had at once."""
    names = {rules.CUSTOMER: rules.NEUTRAL_CUSTOMER, rules.STAFF: rules.NEUTRAL_STAFF}
    if rules.STAFF in text:
        names[rules.STAFF] = _staff_name(add.staff_id)
    if rules.CUSTOMER in text:
        names[rules.CUSTOMER] = _customer_name(add) or rules.NEUTRAL_CUSTOMER
    return names


def _staff_name(staff_id: str) -> str:
    return staff.find_name(staff_id) or rules.NEUTRAL_STAFF


def _customer_name(add: Add) -> str:
    try:
        details = wecom.default_client().external_contact(add.external_userid, deadline=clock.now() + _NAME)
    except Upstream:
        return ""
    return str(details["external_contact"].get("name") or "")


def _ask_guide(add: Add) -> None:
    """A word to the guide. WeCom drops an equal one, so a crash before the line sends no second: the
    words are the same whether the welcome is missed for certain or not.

    Raised when it may pass: the message is handed out again. A guide whom we can't reach is logged.
    """
    name = _customer_name(add) or "新客户"
    text = f"{name} 刚刚添加了您，欢迎语可能未送达；聊天里若没有，请尽快手动问候。"
    task = {
        "touser": add.staff_id,
        "msgtype": "text",
        "text": {"content": text},
        "enable_duplicate_check": 1,
        "duplicate_check_interval": _DUPLICATES,
    }
    try:
        wecom.default_client().message_send(task, deadline=clock.now() + _TRY)
    except WeComError as error:
        if error.retryable:
            raise
        log.logger.warning("guide not told of a missed welcome", extra={"errcode": error.errcode})


def _line(add: Add, kind: str, key: str, data: dict[str, Any] | None = None) -> Line:
    return Line(add.external_userid, kind, add.at, key, data or {})
