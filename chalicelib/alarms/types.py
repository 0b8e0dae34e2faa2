"""Alarms on the wire."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class AlarmSettings(Struct, kw_only=True):
    """Members of staff of these roles, for the whole corp, hear of alarms by app message."""

    roles: Annotated[list[Literal["admin", "operator"]], Meta(max_length=2)]
