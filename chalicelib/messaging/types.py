"""Messages as they travel: an add that is to be welcomed, and the default welcome as its door takes it."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from chalicelib.messaging import rules
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
