"""What a click is, when a page switches over, when a report is tried again. No clock, no chance, no store."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from msgspec import Struct

from chalicelib.platform import ids

ADDED, CHATTED, BOUGHT, REFUNDED = "added", "chatted", "bought", "refunded"
KINDS = (ADDED, CHATTED, BOUGHT)  # what can be reported to a platform
WAITING, SENT, REFUSED, FAILED, UNKNOWN, UNREPORTED = (
    "waiting", "sent", "refused", "failed", "unknown", "unreported"
)  # fmt: skip
STATUSES = (WAITING, SENT, REFUSED, FAILED, UNKNOWN, UNREPORTED)
RETRIABLE = (REFUSED, FAILED, UNKNOWN)

DAY = timedelta(days=1)
EARLY_ORDER = timedelta(hours=1)  # an order dated so little before the add is the click's, too
CLICK_TIME = 90 * DAY
MAX_STATE = 64  # bytes of WeCom's customer_channel; the rest is cut silently
MAX_LINK_NAME = 30
MAX_TRIES = 8
_BACKOFF = timedelta(minutes=1)
_BACKOFF_MOST = timedelta(hours=6)
MAX_DAYS = 366
STAT_SHARDS = 8
FIGURES = (
    "views",
    "clicks",
    "adds",
    "chats",
    "buyers",
    "orders",
    "gmv_fen",
    "reports_sent",
    "reports_failed",
    "reports_unknown",
)
# Which of them counts the conversions that are in a status.
COUNTED = {
    SENT: "reports_sent",
    REFUSED: "reports_failed",
    FAILED: "reports_failed",
    UNKNOWN: "reports_unknown",
}

# A platform's own name of the click id, the first that is there; others of its parameters, kept beside it.
CLICK_IDS = {
    "baidu": ("bd_vid",),
    "oceanengine": ("clickid",),
    "tencent": ("gdt_vid", "qz_gdt"),
    "generic": ("click_id",),
}
_BESIDE = {"oceanengine": ("adid", "creativeid")}
_CLICK_ID = re.compile(r"[A-Za-z0-9_\-.~+/=%:,|]{1,512}")
_BESIDE_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_CODE = r"[2-9A-HJ-NP-Za-km-z]{8}"
_TOKEN = re.compile(rf"ma({_CODE})([a-z2-7]{{20}})?")
CODE = re.compile(_CODE)


class Click(Struct, frozen=True):
    """A visit that came with the platform's click id. landing_url: our page with that id."""

    token: str
    click_id: str
    landing_url: str


def click_of(platform: str, code: str, page_url: str, query: Mapping[str, str]) -> Click | None:
    """The click that a visit of `page_url` tells of; None without the platform's own, well-formed click id.

    The same click id is the same click. A macro that the platform did not fill in (`__CLICKID__`) is none.
    """
    for name in CLICK_IDS[platform]:
        value = query.get(name, "")
        if _CLICK_ID.fullmatch(value) and not (value.startswith("__") and value.endswith("__")):
            beside = {
                n: query[n] for n in _BESIDE.get(platform, ()) if _BESIDE_ID.fullmatch(query.get(n, ""))
            }
            token = f"ma{code}" + ids.derived("ad-click", code, value, length=20)
            return Click(token, value, f"{page_url}?{urlencode({name: value, **beside})}")
    return None


def visitor_token(code: str) -> str:
    """The mark of those who came without a click id: the campaign is known, the click is not."""
    return f"ma{code}"


def code_of(state: str | None) -> str | None:
    """The campaign's code in a callback's `State`; None for one that is not ours."""
    match = _TOKEN.fullmatch(state or "")
    return match[1] if match else None


def is_click(token: str) -> bool:
    """Whether it is one click's token, and not that of all who came without one."""
    match = _TOKEN.fullmatch(token)
    return bool(match and match[2])


def conversion_id(token: str, kind: str, what: str) -> str:
    """The natural key: one of a kind for a click; one for each order, whichever click's it is; one for
    each refund; one for each person when the click is not known.

    Letters and digits only, since it is also Tencent's outer_action_id.
    """
    return "cv" + ids.derived("ad-conversion", "" if kind == BOUGHT else token, kind, what, length=30)


def link_name(name: str, code: str) -> str:
    """WeCom's 30 characters; the code at the end finds the link again."""
    return f"{name[: MAX_LINK_NAME - len(code) - 1]} {code}"


def backoff(tries: int) -> timedelta:
    """How long after the `tries`-th try: 1, 4, 16, 64 min, … at most 6 h; 8 tries are 18 h."""
    return min(_BACKOFF * int(4 ** max(0, tries - 1)), _BACKOFF_MOST)


def is_within(window: timedelta, begun: datetime, at: datetime) -> bool:
    """Whether an order of time `at` is the click's."""
    return begun - EARLY_ORDER <= at <= begun + window


def next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def why_closed(
    *, active: bool, has_staff: bool, link_url: str | None, unavailable: str | None, is_quota_exhausted: bool
) -> str | None:
    """Why the page can't lead to the acquisition link; None when it can."""
    if not active:
        return "archived"
    if not has_staff:
        return "no_staff"
    if unavailable:
        return unavailable
    if not link_url:
        return "no_link"
    return "quota_exhausted" if is_quota_exhausted else None


def button_url(link_url: str, token: str) -> str:
    """The link with its mark; WeCom gives it back as `State`."""
    joint = "&" if "?" in link_url else "?"
    return f"{link_url}{joint}{urlencode({'customer_channel': token})}"
