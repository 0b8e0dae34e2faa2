"""百度 oCPC: uploadConvertData (ocpx.baidu.com/developer, 广告主回传转化数据接口).

It matches by `bd_vid` in the landing page's address. Credentials: `token`, one for each account.
Statuses: 0 taken, 1 partly and 2 wholly refused, 3 the token is wrong, 4 its own failure.
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
    seconds,
)

BASE = "https://ocpc.baidu.com"
NEEDS = ("token",)
MAX_URL = 1024


def check(event: str) -> str | None:
    """The code of what is wrong with an event's name; None for nothing."""
    return None if re.fullmatch(r"[0-9]{1,5}", event) else "ad_event_baidu"


def request(
    conversion: Conversion, credentials: Mapping[str, Any], base: str, now: datetime, nonce: str
) -> Request:
    conversion_type: dict[str, Any] = {
        "logidUrl": conversion.landing_url[:MAX_URL],
        "newType": int(conversion.event),
        "convertTime": seconds(conversion.at),
    }
    if conversion.amount_fen is not None:
        conversion_type["convertValue"] = conversion.amount_fen
    body = {"token": credentials["token"], "conversionTypes": [conversion_type]}
    return json_post(f"{base}/ocpcapi/api/uploadConvertData", body)


def outcome(status: int, body: bytes) -> Outcome:
    if outcome := by_status(status):
        return outcome
    header = (answer_of(body) or {}).get("header")
    code = header.get("status") if isinstance(header, dict) else None
    if code == 0:
        return DONE
    if code in (1, 2):  # one conversion a call: partly is wholly
        errors = header.get("errors") if isinstance(header, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else None
        why = first.get("code") if isinstance(first, dict) else code
        return Outcome("refused", f"status {why}"[:40])
    return Outcome("again", "no answer of theirs" if code is None else f"status {code}"[:40])


def repeatable(kind: str) -> bool:
    """A click is counted once for a type; several purchases can't be distinguished."""
    return kind != "bought"
