"""What a guide is asked to do by hand: to greet whom the welcome may not have reached, to bring a code."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.coupons import service as coupons
from chalicelib.customers import service as customers
from chalicelib.notices import rules
from chalicelib.notices import service as notices
from chalicelib.platform import clock, log, timeline
from chalicelib.platform.errors import Upstream
from chalicelib.platform.timeline import Line
from chalicelib.wecom import client as wecom

_NAMES = 100  # of customers that are looked up for one text
_ASKED = 5  # of them, of WeCom: each may take `_TRY`, and the function has a minute
_TRY = timedelta(seconds=2)
_NAMELESS = "新客户"


def ask_to_greet(key: str, external_userid: str, staff_id: str, at: str) -> None:
    """A welcome was missed, or may have been: the guide hears of it. key: the add's."""
    data = {"key": key, "external_userid": external_userid, "staff_id": staff_id, "at": at}
    notices.add(staff_id, "greet", key, data)


def greeting(several: Sequence[Mapping[str, Any]]) -> str:
    """The same words whether the welcome is missed for certain or not."""
    known = _names([data["external_userid"] for data in several[:_NAMES]])
    whom = rules.names(known, len(several)) if known or len(several) > 1 else _NAMELESS
    return f"{whom} 刚刚添加了您，欢迎语可能未送达；聊天里若没有，请尽快手动问候。"


def note_greeting(data: Mapping[str, Any], outcome: str, at: str) -> None:
    """What became of the word to the guide, in the customer's timeline."""
    line_data = {"staff_id": data["staff_id"], "about": "welcome", "outcome": outcome}
    line = Line(data["external_userid"], "guide_notified", clock.parse(data["at"]), data["key"], line_data)
    timeline.record(line)


def bring_gift(pool_id: str, external_userid: str, staff_id: str, at: str) -> None:
    """Tell the guide the code that a customer is owed. Raised when it may pass: handed out again."""
    claim = coupons.claim(pool_id, external_userid, clock.parse(at))
    if claim.code is None:
        log.logger.warning("no gift left", extra={"pool_id": pool_id})
        return
    name = next(iter(_names([external_userid])), _NAMELESS)
    text = f"请把新人礼券码发给 {name}：{claim.code}（欢迎语可能没有带上；客户已收到则不必再发）"
    notices.add(staff_id, "gift", f"{pool_id}#{external_userid}", {"text": text})


def _names(external_userids: Sequence[str]) -> list[str]:
    """As we have them; WeCom is asked for a few of the others, until it fails. Who has none is left out."""
    names, left = [], _ASKED
    for external_userid in external_userids:
        known = customers.get(external_userid)
        name = (known and known.name) or ""
        if not name and left:
            name = _ask_name(external_userid)
            left = left - 1 if name else 0
        if name:
            names.append(name)
    return names


def _ask_name(external_userid: str) -> str:
    """Empty when it can't be had at once."""
    try:
        details = wecom.default_client().external_contact(external_userid, deadline=clock.now() + _TRY)
    except Upstream:
        return ""
    return str(details["external_contact"].get("name") or "")
