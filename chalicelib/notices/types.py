"""What a capability declares of the notices that it has for guides, in its `staff_notices.py`."""

from msgspec import Struct

SENT = "sent"  # WeCom has taken it
REFUSED = "refused"  # WeCom can't reach the guide: gone, or outside of the app's visible range
EXPIRED = "expired"  # it could not be sent for a day
UNKNOWN = "unknown"  # its answer was lost, and WeCom drops an equal one no longer


class NoticeKind(Struct, frozen=True, kw_only=True):
    """`gather`: "module:function" that makes one text of the data of several notices of this kind; without,
    each notice's data has its own `text`, or `card` (a message of WeCom's that goes alone).

    `after`: "module:function" called with the data of a notice, and what became of it, when. Twice is once.
    """

    kind: str
    gather: str | None = None
    after: str | None = None
