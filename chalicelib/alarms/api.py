"""Doors of alarms: who hears of them."""

from chalicelib.alarms import service
from chalicelib.alarms.types import AlarmSettings
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.versions import IfMatchHeader

door = http.Door(__name__, tag="Platform")


@door.route(
    "GET",
    "/api/settings/alarms",
    permission="settings.read",
    answer=AlarmSettings,
    summary="Who hears of alarms and dead letters by app message",
)
def get(call: Call) -> Answer:
    return http.versioned(*service.read())


@door.route(
    "PUT",
    "/api/settings/alarms",
    body=AlarmSettings,
    permission="settings.write",
    headers=IfMatchHeader,
    answer=AlarmSettings,
    summary="Change who hears of alarms and dead letters",
)
def put(call: Call) -> Answer:
    return http.versioned(*service.save(call.body, call.if_match))
