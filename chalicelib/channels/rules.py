"""Costs of a channel, and the funnel of all its names."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from chalicelib.channels.types import ChannelOut, ChannelResult, Cost
from chalicelib.metrics.types import FunnelRow

_FIGURES = ("scans", "adds", "kept", "buyers", "orders", "gmv_fen")


def cost(costs: Iterable[Cost], start: date, end: date, adds: Mapping[str, int]) -> int:
    """What the days from `start` to `end` cost. adds: of each of them, by day."""
    return sum(_cost(one, start, end, adds) for one in costs)


def _cost(one: Cost, start: date, end: date, adds: Mapping[str, int]) -> int:
    if one.kind == "once":
        return one.amount_fen if start <= one.from_ <= end else 0
    first, last = max(start, one.from_), min(end, one.to or end)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if one.kind == "day":
        return one.amount_fen * len(days)
    return one.amount_fen * sum(adds.get(day.isoformat(), 0) for day in days)


def result(
    name: str, channel: ChannelOut | None, rows: Sequence[FunnelRow], cost_fen: int | None
) -> ChannelResult:
    """rows: of each of its names."""
    sums = {figure: sum(getattr(row, figure) for row in rows) for figure in _FIGURES}
    return ChannelResult(
        channel=name,
        channel_id=channel.channel_id if channel else None,
        cost_fen=cost_fen,
        per_add_fen=_per(cost_fen, sums["adds"]),
        per_kept_fen=_per(cost_fen, sums["kept"]),
        per_buyer_fen=_per(cost_fen, sums["buyers"]),
        **sums,
    )


def renamed(aliases: Sequence[str], before: str, name: str) -> tuple[str, ...]:
    """The aliases of a channel that had another name, which old codes and figures still have."""
    kept = (*aliases, before) if before != name else tuple(aliases)
    return tuple(dict.fromkeys(alias for alias in kept if alias != name))


def _per(cost_fen: int | None, count: int) -> int | None:
    return None if cost_fen is None or count <= 0 else cost_fen // count
