"""The funnel as its door shows it."""

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
