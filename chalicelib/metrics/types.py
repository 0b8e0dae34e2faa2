"""Figures as doors show them."""

from msgspec import Struct


class FunnelRow(Struct, frozen=True, kw_only=True):
    """Of a channel. `kept`: adds less losses. `gmv_fen`: what was paid less what was refunded."""

    channel: str
    scans: int
    adds: int
    kept: int
    buyers: int
    orders: int
    gmv_fen: int


class DayRow(Struct, frozen=True, kw_only=True):
    """Of a day in Asia/Shanghai. `welcomes_unknown`: whose answer was lost until the 20 s were over."""

    day: str
    scans: int
    adds: int
    lost: int
    kept: int
    joins: int
    buyers: int
    orders: int
    gmv_fen: int
    welcomes: int
    welcomes_missed: int
    welcomes_unknown: int
    touches: int
    touches_failed: int


class GuideRow(Struct, frozen=True, kw_only=True):
    """Of a guide, over the days that were asked for. `name`: null of who is not known to WeCom."""

    staff_id: str
    name: str | None
    scans: int
    adds: int
    lost: int
    kept: int
    welcomes: int
    welcomes_missed: int
    welcomes_unknown: int
    touches: int
    touches_failed: int
