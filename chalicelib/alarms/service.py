"""From CloudWatch's word of an alarm to app messages for those who look after the stack.

The topic may say the same twice: a notice's key is the alarm and the moment that it went off.
"""

import json
from typing import Any

import msgspec

from chalicelib.alarms import messages, rules
from chalicelib.alarms.types import AlarmSettings
from chalicelib.notices import service as notices
from chalicelib.platform import auth, corp_settings, log, settings
from chalicelib.platform.stored import read_stored
from chalicelib.platform.versions import ANY_VERSION, IfMatch

_NAME = "alarms"
_FIRST = AlarmSettings(roles=["admin", "operator"])


def order_notices(text: str) -> None:
    """Of the alarm that a message of the topic says has gone off. Twice is once. Upstream."""
    try:
        message: Any = json.loads(text)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        log.logger.warning("no alarm in a message of the topic")
        return
    alarm = rules.alarm_of(message, settings.table(""), messages.KNOWN)
    if alarm is None:
        return
    data = {"code": alarm.code, "about": alarm.about, "name": alarm.name}
    chosen, _ = read()
    for staff_id in auth.with_roles(chosen.roles):
        notices.add(staff_id, "alarm", alarm.key, data)


def read() -> tuple[AlarmSettings, int]:
    """Who hears of them, and the version of that."""
    value, version = corp_settings.read(_NAME)
    return _shown(value), version


def save(wanted: AlarmSettings, if_match: IfMatch = ANY_VERSION) -> tuple[AlarmSettings, int]:
    """Stale."""
    kept = AlarmSettings(roles=sorted(set(wanted.roles)))
    return kept, corp_settings.save(_NAME, msgspec.to_builtins(kept), if_match, shown=_shown)


def _shown(value: dict[str, Any] | None) -> AlarmSettings:
    return read_stored(value, AlarmSettings) if value else _FIRST
