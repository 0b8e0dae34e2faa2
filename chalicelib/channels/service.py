"""Channels: made, changed, listed with the names that nobody has made one of, and what they cost and bring.

A live code says its channel by name, and figures are counted under that name. A channel is found by its name
or one of its aliases, so codes and figures of before belong to it from the moment it is made.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.channels import rules
from chalicelib.channels.models import LISTED, ChannelItem, key_of_name
from chalicelib.channels.types import (
    ChannelOut,
    ChannelResult,
    ChannelRow,
    ChannelsQuery,
    NewChannel,
)
from chalicelib.livecodes import service as livecodes
from chalicelib.metrics import rules as figures
from chalicelib.metrics import service as metrics
from chalicelib.metrics.types import DayRow, FunnelRow
from chalicelib.platform import audit, clock, ids, lists, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.stored import read_stored
from chalicelib.platform.validation import convert
from chalicelib.platform.versions import IfMatch
from chalicelib.staff import service as staff

_SEEN_DAYS = 90  # so far back figures are looked at for names of channels


def create(channel: NewChannel) -> ChannelOut:
    """A new channel. Invalid; Conflict for a name that is another's."""
    channel = _clean(channel)
    now = clock.iso(clock.now())
    item = ChannelItem(f"ch_{ids.short(10)}", listing=LISTED, created_at=now, updated_at=now, version=1)
    item.definition = msgspec.to_builtins(channel)
    tx = Transaction()
    tx.put("channel", item, ChannelItem.channel_id.does_not_exist())
    _claim_names(tx, item.channel_id, _names(channel))
    audit.add(tx, "channels.create", item.channel_id, None, item.definition)
    _commit(tx)
    return _show(item)


def get(channel_id: str) -> ChannelOut:
    """NotFound."""
    return _show(_find(channel_id))


@storage.retrying("others keep changing this channel")
def change(channel_id: str, patch: Mapping[str, Any], if_match: IfMatch) -> ChannelOut:
    """Apply a merge patch; a name that it had stays an alias. NotFound, Invalid, Stale, Conflict."""
    item = _find(channel_id)
    before = _show(item)
    if_match.check(before.version, lambda: before)
    wanted: NewChannel = convert(merged(item.definition, patch), NewChannel)
    wanted = _clean(replace(wanted, aliases=rules.renamed(wanted.aliases, before.name, wanted.name)))
    after, names = msgspec.to_builtins(wanted), _names(wanted)
    now = clock.iso(clock.now())
    tx = Transaction()
    actions = [
        ChannelItem.definition.set(after),
        ChannelItem.updated_at.set(now),
        ChannelItem.version.set(before.version + 1),
    ]
    tx.update("channel", ChannelItem(channel_id), actions, ChannelItem.version == before.version)
    _claim_names(tx, channel_id, names - _names(before))
    for name in sorted(_names(before) - names):
        tx.delete(f"name {name}", ChannelItem(key_of_name(name)))
    audit.add(tx, "channels.change", channel_id, item.definition, after)
    _commit(tx)
    item.definition, item.updated_at, item.version = after, now, before.version + 1
    return _show(item)


@storage.retrying("others keep changing this channel")
def remove(channel_id: str, if_match: IfMatch) -> None:
    """Delete it; codes and figures keep its name. NotFound, Stale."""
    item = _find(channel_id)
    before = _show(item)
    if_match.check(before.version, lambda: before)
    tx = Transaction()
    tx.delete("channel", ChannelItem(channel_id), ChannelItem.version == before.version)
    for name in sorted(_names(before)):
        tx.delete(f"name {name}", ChannelItem(key_of_name(name)))
    audit.add(tx, "channels.delete", channel_id, item.definition, None)
    _commit(tx)


def page(query: ChannelsQuery, principal: Principal) -> Page[ChannelRow]:
    """Channels, and names in use that are none."""
    channels = read_all()
    codes = Counter(code.channel for code in livecodes.read_all(principal=principal))
    rows = [_row(channel, codes) for channel in channels]
    end = figures.day_of(clock.now())
    counted = metrics.funnel(end - timedelta(days=_SEEN_DAYS - 1), end, principal)
    known = frozenset[str]().union(*map(_names, channels))
    for name in sorted({*codes, *(row.channel for row in counted)} - known - {figures.UNKNOWN}):
        rows.append(
            ChannelRow(
                channel_id=None, name=name, aliases=(), owner_id=None, owner=None, tags=(), codes=codes[name]
            )
        )
    listed = lists.whole(
        [row for row in rows if query.known in (None, row.channel_id is not None)],
        query,
        key=lambda row: row.channel_id or row.name,
        sorts={"name": lambda row: row.name, "codes": lambda row: row.codes},
        sort=query.sort,
        texts=lambda row: (row.name, *row.aliases, *row.tags),
    )
    owners = staff.names({row.owner_id for row in listed.items if row.owner_id})
    return listed.map(lambda row: replace(row, owner=owners.get(row.owner_id or "")))


def results(start: date, end: date, principal: Principal) -> list[ChannelResult]:
    """The funnel by channel, with costs; by name, what came through none last."""
    channels = by_name()
    rows: dict[str, list[FunnelRow]] = {channel.name: [] for channel in channels.values()}
    for row in metrics.funnel(start, end, principal):
        named = channels.get(row.channel)
        rows.setdefault(named.name if named else row.channel, []).append(row)
    found = []
    for name, parts in sorted(rows.items(), key=lambda pair: (pair[0] == figures.UNKNOWN, pair[0])):
        channel = channels.get(name)
        cost = _cost(channel, start, end, principal)
        if parts or cost:
            found.append(rules.result(name, channel, parts, cost))
    return found


def days(channel_id: str, start: date, end: date, principal: Principal) -> list[DayRow]:
    """Its figures under all of its names, day by day. NotFound."""
    return metrics.days(start, end, principal, _names(get(channel_id)))


def by_name() -> dict[str, ChannelOut]:
    """The channel of each name and alias."""
    return {name: channel for channel in read_all() for name in _names(channel)}


def names(ids: Collection[str]) -> dict[str, str]:
    """The present name of the channel of each of these names, where there is one."""
    return {name: channel.name for name, channel in by_name().items() if name in ids}


def read_all() -> list[ChannelOut]:
    return [_show(item) for item in lists.partition(partial(ChannelItem.by_creation.query, LISTED))]


def _cost(channel: ChannelOut | None, start: date, end: date, principal: Principal) -> int | None:
    if principal.is_scoped:
        return None
    if channel is None or not channel.costs:
        return None  # nobody knows
    adds: dict[str, int] = {}
    if any(cost.kind == "add" for cost in channel.costs):
        adds = {row.day: row.adds for row in metrics.days(start, end, principal, _names(channel))}
    return rules.cost(channel.costs, start, end, adds)


def _row(channel: ChannelOut, codes: Mapping[str, int]) -> ChannelRow:
    return ChannelRow(
        channel_id=channel.channel_id,
        name=channel.name,
        aliases=channel.aliases,
        owner_id=channel.owner_id,
        owner=None,
        tags=channel.tags,
        codes=sum(codes.get(name, 0) for name in _names(channel)),
    )


def _clean(channel: NewChannel) -> NewChannel:
    """Without spaces around names. Invalid."""
    name = channel.name.strip()
    problems = [] if name and name != figures.UNKNOWN else [issue("name", "channel_name")]
    aliases = rules.renamed([alias.strip() for alias in channel.aliases if alias.strip()], name, name)
    problems += [
        issue(f"costs[{number}].to", "after", other="from")
        for number, cost in enumerate(channel.costs)
        if cost.to is not None and cost.to < cost.from_
    ]
    if problems:
        raise Invalid(*problems)
    return replace(channel, name=name, aliases=aliases)


def _names(channel: NewChannel) -> frozenset[str]:
    return frozenset((channel.name, *channel.aliases))


def _claim_names(tx: Transaction, channel_id: str, names: Iterable[str]) -> None:
    for name in sorted(names):
        claim = ChannelItem(key_of_name(name), owner=channel_id)
        tx.put(f"name {name}", claim, ChannelItem.channel_id.does_not_exist())


def _commit(tx: Transaction) -> None:
    """Conflict for a name that is another's; ConditionFailed when the channel was changed meanwhile."""
    try:
        tx.commit()
    except ConditionFailed as error:
        taken = sorted(name.removeprefix("name ") for name in error.names if name.startswith("name "))
        if taken:
            raise Conflict(code="channel_exists", name=taken[0]) from error
        raise


def _find(channel_id: str) -> ChannelItem:
    item: ChannelItem | None = ChannelItem.find(channel_id)
    if item is None or item.definition is None:
        raise NotFound(code="no_channel", channel_id=channel_id)
    return item


def _show(item: ChannelItem) -> ChannelOut:
    fields = dict(item.definition or {})
    times = {"created_at": str(item.created_at), "updated_at": str(item.updated_at)}
    return read_stored(
        {**fields, "channel_id": item.channel_id, "version": int(item.version or 0), **times}, ChannelOut
    )
