"""Doors of alarms: who hears of them."""

from chalicelib.alarms import service
from chalicelib.alarms.types import AlarmSettings
from chalicelib.platform import http
from chalicelib.platform.http import Call

door = http.Door(__name__, tag="Platform")


@door.route(
    "GET",
    "/api/settings/alarms",
    permission="settings.read",
    answer=AlarmSettings,
    summary="Who hears of alarms and dead letters by app message",
)
def get(call: Call) -> AlarmSettings:
    return service.read()


@door.route(
    "PUT",
    "/api/settings/alarms",
    body=AlarmSettings,
    permission="settings.write",
    answer=AlarmSettings,
    summary="Change who hears of alarms and dead letters",
)
def put(call: Call) -> AlarmSettings:
    return service.save(call.body)
