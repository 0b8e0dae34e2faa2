"""What is known of one customer, and what a rule asks of it (the contract's "Rules")."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct

DatedKind = Literal["order", "refund", "bought", "opened", "score", "points", "invited", "in_group", "added"]
FieldKind = Literal["single", "set", "time", "birthday", "number", "dated", "expanded"]


class Birthday(Struct, frozen=True):
    """`year` is unknown where they only named the day."""

    month: int
    day: int
    year: int | None = None

    @property
    def date(self) -> date | None:
        return None if self.year is None else date(self.year, self.month, self.day)


class Facts(Struct, frozen=True, kw_only=True):
    """One flat record of a customer. Money in fen. Tags as `group/name`; sets are sorted, each value once.

    tags, staff_ids: of bonds that stand. added_at: of the first bond; lost_at: the last one's end.
    """

    external_userid: str
    tags: tuple[str, ...] = ()
    staff_ids: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sop_ids: tuple[str, ...] = ()
    campaign_ids: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    channel: str | None = None
    live_code_id: str | None = None
    rfm: str | None = None
    level: str | None = None
    gender: str | None = None
    birthday: Birthday | None = None
    added_at: datetime | None = None
    lost_at: datetime | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    last_opened_at: datetime | None = None
    orders: int = 0
    paid_fen: int = 0
    refunded_fen: int = 0
    score: int = 0
    points: int = 0
    invited: int = 0


class DatedFact(Struct, frozen=True):
    """What a customer did at a time, for rules with a window: an order and a line bought, an opening, …

    what: an order, SKU, link, material or step. amount: fen of orders and refunds, points of a score; else 1.
    """

    kind: DatedKind
    at: datetime
    what: str
    amount: int = 1


class Change(Struct, frozen=True, kw_only=True):
    """All of a customer's facts as of one version, which grows with each change; `facts` null: erased."""

    external_userid: str
    version: int
    facts: Facts | None
    dated: tuple[DatedFact, ...] = ()


class Test(Struct, frozen=True):
    """One operator and what it is asked with. A timedelta is counted from now."""

    operator: str
    value: tuple[str, ...] | int | datetime | timedelta


class Condition(Struct, frozen=True):
    """One field; all of its tests are asked. `within` narrows what is counted to the time before now."""

    field: str
    tests: tuple[Test, ...]
    within: timedelta | None = None


class All(Struct, frozen=True):
    rules: tuple["Rule", ...]


class AnyOf(Struct, frozen=True):
    rules: tuple["Rule", ...]


class Not(Struct, frozen=True):
    rule: "Rule"


Rule: TypeAlias = Condition | All | AnyOf | Not


class FieldSpec(Struct, frozen=True, kw_only=True):
    """A field that rules may ask for. fact: its name in Facts. values: all there are, where that is fixed."""

    kind: FieldKind
    operators: tuple[str, ...]
    fact: str = ""
    values: tuple[str, ...] = ()


_IN = ("in", "not_in")
_TIMES = ("after", "before", "within", "not_within")
_NUMBERS = ("gte", "lte", "eq")


def _single(*values: str) -> FieldSpec:
    return FieldSpec(kind="single", operators=_IN, values=values)


def _set(fact: str, operators: tuple[str, ...] = _IN, values: tuple[str, ...] = ()) -> FieldSpec:
    return FieldSpec(kind="set", operators=operators, fact=fact, values=values)


_TIME = FieldSpec(kind="time", operators=_TIMES)
_NUMBER = FieldSpec(kind="number", operators=_NUMBERS)
_DATED = FieldSpec(kind="dated", operators=("any", "none"))

FIELDS: Mapping[str, FieldSpec] = {
    "tag": _set("tags", ("any", "all", "none")),
    "channel": _single(),
    "live_code_id": _single(),
    "staff_id": _set("staff_ids"),
    "store_id": FieldSpec(kind="expanded", operators=_IN),  # asked as the guides that it has now
    "sop_id": _set("sop_ids"),
    "campaign_id": _set("campaign_ids"),
    "rfm": _single(*"ABCDEFGH"),
    "level": _single(),
    "gender": _single("male", "female"),
    "group": _set("groups"),
    "added_at": _TIME,
    "last_order_at": _TIME,
    "first_order_at": _TIME,
    "last_opened_at": _TIME,
    "lost_at": _TIME,
    "birthday": FieldSpec(kind="birthday", operators=_TIMES),
    "orders": _NUMBER,
    "paid_fen": _NUMBER,
    "average_fen": _NUMBER,
    "refunded_fen": _NUMBER,
    "score": _NUMBER,
    "points": _NUMBER,
    "invited": _NUMBER,
    "bought": _DATED,
    "opened": _DATED,
    "has": _set("has", ("in",), ("unionid", "phone", "birthday", "address")),
    "segment": FieldSpec(kind="expanded", operators=_IN),
}
