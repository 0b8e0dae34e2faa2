"""Messages as they travel: an add that is to be welcomed, and the default welcome as its door takes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from chalicelib.messaging import rules
from chalicelib.platform.paging import Id, Paging
from chalicelib.platform.userids import fold_fields


class Add(Struct, frozen=True, kw_only=True):
    """What the welcome queue holds of an add. code: good once, for 20 s. received_at: at our door.

    tries: that were handed on; in_doubt, bare: what they came to (service.Outcome).
    """

    code: str
    external_userid: str
    staff_id: str
    state: str | None
    at: datetime
    received_at: datetime
    tries: int = 0
    in_doubt: bool = False
    bare: bool = False

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class WelcomeSetting(Struct, frozen=True, kw_only=True):
    """`{customer_name}` and `{staff_name}` in the text are replaced. Attachments: in WeCom's own shape."""

    text: Annotated[str, Meta(max_length=rules.MAX_TEXT)] = ""
    attachments: Annotated[list[dict[str, Any]], Meta(max_length=rules.MAX_ATTACHMENTS)] = []


class MissedWelcome(Struct, frozen=True, kw_only=True):
    """cause: over 20 s; the customer has not agreed to archiving yet; refused by WeCom, as `reason` says.

    live_code_id: the code that they came by. `external_userid`, `customer_name`: masked for an auditor.
    """

    missed_id: str
    status: Literal["waiting", "handled"]
    at: str
    external_userid: str
    customer_name: str
    staff_id: str
    staff_name: str
    store_names: list[str]
    live_code_id: str | None
    cause: Literal["too_late", "consent", "refused"]
    reason: str
    handled_at: str | None
    handled_by: str | None


class MissedQuery(Paging, kw_only=True):
    """Of the last 7 days, the newest first."""

    status: Literal["waiting", "handled"] = "waiting"
    staff_id: Id | None = None
    store_id: Id | None = None

    def __post_init__(self) -> None:
        fold_fields(self, "staff_id")


class Handled(Struct, frozen=True, kw_only=True):
    missed_ids: Annotated[list[Id], Meta(min_length=1, max_length=200)]


class HandledCount(Struct, frozen=True, kw_only=True):
    """handled: how many were not until now."""

    handled: int
