"""巨量引擎: the conversion API of 事件管理 (event-manager.oceanengine.com), by the landing page's `clickid`.

Credentials: none are needed for a click's own callback; `access_token`, when there is one, goes along.
`code` 0 is taken; others are refused, but for the server's own (from 50000 on).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.ads.adapters.wire import (
    DONE,
    Conversion,
    Outcome,
    Request,
    answer_of,
    by_status,
    json_post,
)

BASE = "https://analytics.oceanengine.com"
NEEDS: tuple[str, ...] = ()
_SERVERS = 50_000


def check(event: str) -> str | None:
    """The code of what is wrong with an event's name; None for nothing."""
    return None if re.fullmatch(r"[a-z][a-z0-9_]{0,63}", event) else "ad_event_oceanengine"


def request(
    conversion: Conversion, credentials: Mapping[str, Any], base: str, now: datetime, nonce: str
) -> Request:
    body: dict[str, Any] = {
        "event_type": conversion.event,
        "context": {"ad": {"callback": conversion.click_id}},
        "timestamp": int(conversion.at.timestamp() * 1000),
    }
    if conversion.amount_fen is not None:
        body["properties"] = {"pay_amount": conversion.amount_fen}
    token = credentials.get("access_token")
    return json_post(f"{base}/api/v2/conversion", body, {"Access-Token": str(token)} if token else None)


def outcome(status: int, body: bytes) -> Outcome:
    if outcome := by_status(status):
        return outcome
    code = (answer_of(body) or {}).get("code")
    if code == 0:
        return DONE
    if not isinstance(code, int):
        return Outcome("again", "no answer of theirs")
    return Outcome("again" if code >= _SERVERS else "refused", f"code {code}"[:40])


def repeatable(kind: str) -> bool:
    """It has no key of ours: a purchase reported twice could be two."""
    return kind != "bought"
