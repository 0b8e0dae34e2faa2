"""From CloudWatch's word of an alarm to app messages for those who look after the stack.

The topic may say the same twice: a notice's key is the alarm and the moment that it went off.
"""

import json
from typing import Any

import msgspec

from chalicelib.alarms import messages, rules
from chalicelib.alarms.models import SettingItem
from chalicelib.alarms.types import AlarmSettings
from chalicelib.notices import service as notices
from chalicelib.platform import audit, auth, log, settings
from chalicelib.platform.storage import Transaction

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
    for staff_id in auth.with_roles(read().roles):
        notices.add(staff_id, "alarm", alarm.key, data)


def read() -> AlarmSettings:
    item: SettingItem | None = SettingItem.find(_NAME)
    return msgspec.convert(item.value, AlarmSettings) if item else _FIRST


def save(wanted: AlarmSettings) -> AlarmSettings:
    kept = AlarmSettings(roles=sorted(set(wanted.roles)))
    tx = Transaction()
    tx.put("setting", SettingItem(_NAME, value=msgspec.to_builtins(kept)))
    audit.add(tx, "settings.change", _NAME, read(), kept)
    tx.commit()
    return kept
