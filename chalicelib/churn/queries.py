"""What lists of losses can be asked."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.churn.types import By, Of
from chalicelib.metrics.periods import PeriodQuery, PeriodSearch
from chalicelib.platform.paging import Id
from chalicelib.platform.userids import fold_fields


class LossesQuery(PeriodSearch, kw_only=True):
    """Newest first. `q`: in the customer's and the guide's name."""

    staff_id: Id | None = None
    store_id: Id | None = None
    by: By | None = None
    channel: Id | None = None
    after: (
        Annotated[Id, Meta(description="Type of the last contact before it; `none`: there was none")] | None
    ) = None
    sop_id: Annotated[Id, Meta(description="Whose message was the last before it")] | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class PeriodOnly(PeriodQuery, kw_only=True):
    """At most 92 days."""


class RatesQuery(PeriodSearch, kw_only=True):
    of: Of = "staff"
    sort: Literal["-lost", "-rate_bps", "name"] = "-lost"
