"""A channel as its doors have it."""

from datetime import date
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.metrics.types import FunnelRow
from chalicelib.platform.paging import Searching

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Fen = Annotated[int, Meta(ge=0, le=100_000_000_00)]


class Cost(Struct, frozen=True, kw_only=True):
    """`once`: paid at `from`. `day`: for each day from `from` to `to`. `add`: for each add of those days.

    `to`: included; null: it goes on.
    """

    kind: Literal["once", "day", "add"]
    amount_fen: Fen
    from_: date = field(name="from")
    to: date | None = None


class NewChannel(Struct, frozen=True, kw_only=True):
    """`aliases`: other names that codes and figures have it under; one that it had stays there.

    `rules`: what the platform allows, for whoever posts there.
    """

    name: Name
    aliases: Annotated[tuple[Name, ...], Meta(max_length=20)] = ()
    owner_id: Annotated[str, Meta(max_length=64, description="Who answers for it")] | None = None
    tags: Annotated[
        tuple[Annotated[str, Meta(min_length=3, max_length=61, pattern="^[^/]+/.+$")], ...],
        Meta(max_length=20, description="`group/name`: proposed for new codes of it"),
    ] = ()
    costs: Annotated[tuple[Cost, ...], Meta(max_length=100)] = ()
    rules: Annotated[str, Meta(max_length=2000)] = ""


class ChannelPatch(Struct, frozen=True, kw_only=True):
    """A JSON merge patch."""

    name: Any | UnsetType = UNSET
    aliases: Any | UnsetType = UNSET
    owner_id: Any | UnsetType = UNSET
    tags: Any | UnsetType = UNSET
    costs: Any | UnsetType = UNSET
    rules: Any | UnsetType = UNSET


class ChannelOut(NewChannel, frozen=True, kw_only=True):
    channel_id: str
    version: int
    created_at: str
    updated_at: str


class ChannelRow(Struct, frozen=True, kw_only=True):
    """`channel_id` null: a name that codes or figures have, and that nobody has made a channel of.

    `codes`: active live codes of it that the caller sees.
    """

    channel_id: str | None
    name: str
    aliases: tuple[str, ...]
    owner_id: str | None
    owner: str | None
    tags: tuple[str, ...]
    codes: int


class ChannelsQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "codes", "-codes"] = "name"
    known: Annotated[bool | None, Meta(description="Made as channels, or not")] = None


class ChannelResult(FunnelRow, frozen=True, kw_only=True):
    """The funnel under all names of a channel, and its costs in that time.

    Costs are the corp's: null for who is kept to a scope, and where none are noted. Per add, kept customer,
    buyer: rounded down; null without any.
    """

    channel_id: str | None
    cost_fen: int | None
    per_add_fen: int | None
    per_kept_fen: int | None
    per_buyer_fen: int | None


class DeletedChannel(Struct, frozen=True, kw_only=True):
    channel_id: str
