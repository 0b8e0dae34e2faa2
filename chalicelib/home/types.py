"""What happens now, as the pulse shows it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from chalicelib.metrics.types import DayRow

Kind = Literal[
    "scanned",
    "customer_added",
    "customer_lost",
    "joined_group",
    "welcome_sent",
    "welcome_missed",
    "welcome_unknown",
    "order_paid",
    "order_refunded",
    "touch_sent",
    "touch_failed",
]


class LiveEvent(Struct, frozen=True, kw_only=True):
    """The newest of its kind, channel and guide. What is of a customer is `***` for an auditor."""

    kind: Kind
    at: str
    live_code_id: str | None
    live_code: str | None
    staff_id: str | None
    staff: str | None
    chat_id: str | None = None
    chat: str | None = None
    assignment_id: str | None
    external_userid: str | None
    customer: str | None
    order_id: str | None
    amount_fen: int | None


class Pulse(Struct, frozen=True, kw_only=True):
    """`today`: the figures of today that the scope sees; whatever counts changes `version`."""

    version: str
    today: DayRow
    events: list[LiveEvent]


class IfNoneMatch(Struct, kw_only=True):
    if_none_match: Annotated[str, Meta(description="The ETag that was read: 304 when nothing is new")] = (
        field(name="If-None-Match", default="")
    )


Unit = Literal["count", "fen"]


class Figure(Struct, frozen=True, kw_only=True):
    """A number, and what is behind it.

    `list`: the address whose rows make it up: their total, or where `field` is given, the sum of that field
    of theirs (of a single thing: that field). `exact` false: at least so many. `before`: of as many days
    before.
    """

    name: str
    value: int
    unit: Unit = "count"
    list: str
    field: str | None = None
    exact: bool = True
    before: int | None = None


class TileRow(Struct, frozen=True, kw_only=True):
    """`key`: a channel, a day, a guide, a status. `label`: its name, where it has one."""

    key: str
    label: str | None = None
    figures: list[Figure]


TileName = Literal[
    "needs",
    "failed",
    "funnel",
    "adds",
    "welcomes",
    "touches",
    "quota",
    "guides",
    "churn",
    "gmv",
    "money",
    "trial_balance",
    "payouts",
    "settlements",
    "journals",
    "changes",
    "access",
]


class Tile(Struct, frozen=True, kw_only=True):
    tile: TileName
    figures: list[Figure] = []
    rows: list[TileRow] = []


class Home(Struct, frozen=True, kw_only=True):
    """Tiles for whoever asks: what their role may read, of what their scope sees. None is empty of meaning:
    what has no figures yet has no tile.
    """

    as_of: str
    today: str
    tiles: list[Tile]
