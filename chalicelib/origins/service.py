"""Whose add is this: the registry from WeCom's `state` to its origin.

A channel declares its states in `origins.py` of its package, as `ORIGINS`. Such a module imports what it
needs inside its functions: whoever asks for one origin does not bring the code of all channels.
"""

from functools import cache
from importlib import import_module
from pathlib import Path

from chalicelib.origins.types import Arrival, Channel, Confirmation, Origin
from chalicelib.platform.storage import Transaction


def find(state: str | None) -> Origin | None:
    """None: without a state, of a state that is not ours, or whose code is no more."""
    channel = _channel_of(state)
    return channel.find(state) if channel and state else None


def confirm(tx: Transaction, origin: Origin, arrival: Arrival) -> Confirmation:
    """Add to `tx` what the arrival confirms: the reservation of the scan that led to it."""
    channel = _channel_of(origin.state)
    return channel.confirm(tx, origin, arrival) if channel and channel.confirm else Confirmation()


def finish(origin: Origin, arrival: Arrival) -> None:
    """What follows once the arrival is committed; twice is once."""
    channel = _channel_of(origin.state)
    if channel and channel.after:
        channel.after(origin, arrival)


@cache
def channels() -> tuple[Channel, ...]:
    """What the packages declare."""
    modules = sorted(Path(__file__).parents[1].glob("*/origins.py"))
    return tuple(
        channel
        for module in modules
        for channel in import_module(f"chalicelib.{module.parent.name}.origins").ORIGINS
    )


def _channel_of(state: str | None) -> Channel | None:
    return next((channel for channel in channels() if state and state.startswith(channel.prefix)), None)
