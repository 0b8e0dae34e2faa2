"""Doors of channels."""

from chalicelib.channels import service
from chalicelib.channels.types import (
    ChannelOut,
    ChannelPatch,
    ChannelResult,
    ChannelRow,
    ChannelsQuery,
    DeletedChannel,
    NewChannel,
)
from chalicelib.metrics.periods import PeriodQuery, period
from chalicelib.metrics.types import DayRow
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader

door = http.Door(__name__, tag="Channels")


@door.route(
    "POST",
    "/api/channels",
    body=NewChannel,
    status=201,
    permission="channels.write",
    summary="A new channel",
    answer=ChannelOut,
)
def create(call: Call) -> ChannelOut:
    return service.create(call.body)


@door.route(
    "GET",
    "/api/channels",
    permission="channels.read",
    query=ChannelsQuery,
    summary="Channels by name, with those names in use that are none",
    answer=Page[ChannelRow],
)
def list_channels(call: Call) -> Page[ChannelRow]:
    return service.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/channels/results",
    permission="metrics.read",
    query=PeriodQuery,
    summary="What each channel brought, and what it cost",
    answer=Page[ChannelResult],
)
def results(call: Call) -> Page[ChannelResult]:
    rows = service.results(*period(call.query), call.principal)
    return Page(rows, len(rows))


@door.route(
    "GET",
    "/api/channels/{channel_id}",
    permission="channels.read",
    summary="A channel",
    answer=ChannelOut,
)
def get(call: Call, channel_id: str) -> Answer:
    channel = service.get(channel_id)
    return http.versioned(channel, channel.version)


@door.route(
    "GET",
    "/api/channels/{channel_id}/days",
    permission="metrics.read",
    query=PeriodQuery,
    summary="A channel's figures under all of its names, day by day",
    answer=Page[DayRow],
)
def days(call: Call, channel_id: str) -> Page[DayRow]:
    rows = service.days(channel_id, *period(call.query), call.principal)
    return Page(rows, len(rows))


@door.route(
    "PATCH",
    "/api/channels/{channel_id}",
    body=ChannelPatch,
    takes="application/json",
    headers=IfMatchHeader,
    permission="channels.write",
    summary="Change a channel; a name that it had stays an alias",
    answer=ChannelOut,
)
def change(call: Call, channel_id: str) -> Answer:
    http.convert(call.json(), ChannelPatch)
    channel = service.change(channel_id, call.json(), call.if_match)
    return http.versioned(channel, channel.version)


@door.route(
    "DELETE",
    "/api/channels/{channel_id}",
    headers=IfMatchHeader,
    permission="channels.write",
    summary="Delete a channel; codes and figures keep its name",
    answer=DeletedChannel,
)
def remove(call: Call, channel_id: str) -> DeletedChannel:
    service.remove(channel_id, call.if_match)
    return DeletedChannel(channel_id=channel_id)
