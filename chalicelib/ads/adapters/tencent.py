"""腾讯广告: user_actions/add, by the landing page's `gdt_vid` (WeChat) or `qz_gdt` (datanexus.qq.com).

Credentials: `access_token`, and when the data source asks for them `account_id`, `user_action_set_id`.
Its key against repeats is (data source, outer_action_id, action_type). Codes:
developers.e.qq.com/v3.0/docs/errors.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chalicelib.ads.adapters.wire import (
    DONE,
    Conversion,
    Outcome,
    Request,
    answer_of,
    by_status,
    json_post,
    seconds,
)

BASE = "https://api.e.qq.com"
NEEDS = ("access_token",)
# System errors; tokens (somebody renews them); limits by second, minute and day.
_AGAIN = ((10_000, 10_999), (11_000, 11_005), (11_008, 11_008), (11_016, 11_019), (30_000, 30_099))


def check(event: str) -> str | None:
    """The code of what is wrong with an event's name; None for nothing."""
    return None if re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", event) else "ad_event_tencent"


def request(
    conversion: Conversion, credentials: Mapping[str, Any], base: str, now: datetime, nonce: str
) -> Request:
    action: dict[str, Any] = {
        "outer_action_id": conversion.conversion_id,
        "action_time": seconds(conversion.at),
        "action_type": conversion.event,
        "url": conversion.landing_url,
        "trace": {"click_id": conversion.click_id},
    }
    if conversion.amount_fen is not None:
        action["action_param"] = {"value": conversion.amount_fen}
    sources = {n: int(credentials[n]) for n in ("account_id", "user_action_set_id") if credentials.get(n)}
    query = {"access_token": credentials["access_token"], "timestamp": seconds(now), "nonce": nonce}
    return json_post(f"{base}/v3.0/user_actions/add?{urlencode(query)}", {**sources, "actions": [action]})


def outcome(status: int, body: bytes) -> Outcome:
    if outcome := by_status(status):
        return outcome
    code = (answer_of(body) or {}).get("code")
    if code == 0:
        return DONE
    if not isinstance(code, int):
        return Outcome("again", "no answer of theirs")
    passing = any(low <= code <= high for low, high in _AGAIN)
    return Outcome("again" if passing else "refused", f"code {code}"[:40])


def repeatable(kind: str) -> bool:
    return True
