"""A welcome: which text goes out, and what an errcode of `send_welcome_msg` means for the next step.

Source: WeCom's document 92599 (发送新客户欢迎语).
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

from msgspec import Struct

from chalicelib.platform.errors import Issue, issue
from chalicelib.platform.plain_text import placeholder_problems
from chalicelib.wecom import attachments

MAX_TEXT = 4000  # bytes
MAX_ATTACHMENTS = 9
CUSTOMER, STAFF, COUPON = "{customer_name}", "{staff_name}", "{coupon_code}"
NEUTRAL_CUSTOMER, NEUTRAL_STAFF = "您", "您的专属顾问"

_PLACEHOLDER = re.compile("|".join(re.escape(name) for name in (CUSTOMER, STAFF, COUPON)))


class Next(Enum):
    """What to do after a refusal."""

    DONE = "done"  # somebody has welcomed the customer: perhaps we ourselves, before a crash
    AGAIN = "again"  # the same once more, while there is time
    TEXT_ONLY = "text_only"  # an attachment is bad and kills the whole call: the text alone
    MISSED = "missed"
    CONSENT = "consent"  # no message before the customer agrees to archiving; a new code comes then


UNKNOWN = "unknown"  # why no welcome is known to have gone out: one may have

_TOO_LATE = 41050
_OVER = "window over"
_ONLY_HERE = {_TOO_LATE: Next.MISSED, 41051: Next.DONE, 41053: Next.CONSENT}


class Welcome(Struct, frozen=True):
    """`text` may hold placeholders; `attachments` are in WeCom's shape."""

    text: str = ""
    attachments: tuple[Mapping[str, Any], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.attachments)


def welcome_of(value: Mapping[str, Any] | None) -> Welcome:
    """From `{"text","attachments"}`; None is an empty one."""
    value = value or {}
    return Welcome(value.get("text") or "", tuple(value.get("attachments") or ())[:MAX_ATTACHMENTS])


def check(welcome: Welcome) -> list[Issue]:
    """All that WeCom would not take of it."""
    wrong = []
    if len(welcome.text.encode()) > MAX_TEXT:
        wrong.append(issue("text", "max_bytes", max_bytes=MAX_TEXT))
    wrong += placeholder_problems("text", welcome.text, (CUSTOMER, STAFF))
    for number, attachment in enumerate(welcome.attachments):
        if not attachments.well_formed(attachment):
            wrong.append(issue(f"attachments[{number}]", "attachment_kind", kinds=attachments.KINDS))
    return wrong


def fill(text: str, names: Mapping[str, str]) -> str:
    """With names for the placeholders, cut to what WeCom takes. A name that looks like one stays as it is."""
    filled = _PLACEHOLDER.sub(lambda match: names.get(match[0], ""), text)
    return filled.encode()[:MAX_TEXT].decode(errors="ignore")


def after(errcode: int | None, treatment: str, can_drop: bool) -> Next:
    """What a failed try leads to.

    errcode: None when no answer came. treatment: what the wire's table says of it ("retry", "data", …).
    can_drop: whether there are attachments to leave away and a text to send without them.
    """
    if errcode in _ONLY_HERE:
        return _ONLY_HERE[errcode]
    if errcode is None or treatment in ("retry", "refresh_token"):
        return Next.AGAIN
    if can_drop and treatment in ("data", "reupload"):
        return Next.TEXT_ONLY
    return Next.MISSED


def kind_of(reason: str) -> Literal["too_late", "consent", "refused"]:
    """A reason as a list shows it: the code's time was over, nobody may write yet, WeCom refused."""
    if reason == Next.CONSENT.value:
        return "consent"
    return "too_late" if reason in (_OVER, why_not(_TOO_LATE, False)) else "refused"


def why_not(errcode: int | None, in_doubt: bool) -> str:
    """The reason of a welcome that was refused for good, or (None) had no more time.

    in_doubt: an earlier try may have gone out. Of that, a code that is over tells nothing.
    """
    if in_doubt and errcode in (None, _TOO_LATE):
        return UNKNOWN
    return _OVER if errcode is None else f"errcode {errcode}"
