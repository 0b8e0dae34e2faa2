"""Staff and the table of their ageing, on the wire."""

from typing import Annotated

from msgspec import Meta, Struct

_Cap = Annotated[int, Meta(ge=0, le=1_000_000)]
_Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", description="YYYY-MM-DD")]


class RampStep(Struct, frozen=True):
    """Up to this day of an account's life, its first being 1, so many new customers a day."""

    until_day: Annotated[int, Meta(ge=1, le=3650)]
    daily_cap: _Cap


class Ramp(Struct, kw_only=True, frozen=True):
    """After the last step an account is grown up. No steps: none ages."""

    steps: Annotated[list[RampStep], Meta(max_length=50)]


class StaffLimits(Struct, kw_only=True, frozen=True):
    """started_at: the account's first day; null: it is grown up. daily_cap: its own, over all codes."""

    started_at: _Day | None = None
    daily_cap: _Cap | None = None


class StoreName(Struct, frozen=True):
    store_id: str
    name: str


class StaffOut(Struct, kw_only=True, frozen=True):
    """`status` is WeCom's: 1 active, 2 disabled, 4 not activated, 5 left. cap_today: null for none.

    problem: why WeCom gives them no customers, as in the warnings of codes. stores: whose guide they are.
    """

    staff_id: str
    name: str
    status: int
    problem: str | None
    started_at: str | None
    daily_cap: int | None
    cap_today: int | None
    stores: list[StoreName]


class StaffSync(Struct, kw_only=True, frozen=True):
    """`serving`: whom WeCom lets have customers. `left`: of them, whom there was no time to ask for."""

    serving: int
    left: int


class StaffWarning(Struct, kw_only=True, frozen=True):
    """One of our people whom WeCom does not know, or gives no customers."""

    field: str
    code: str
    message: str
