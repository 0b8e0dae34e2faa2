"""Any other platform: a JSON POST to the campaign's `report_url`, signed as the contract's orders are.

X-Timestamp: Unix seconds. X-Signature: lower-case hex HMAC-SHA256(`secret`, X-Timestamp + "." + body).
Any 2xx is taken. Idempotency-Key is the conversion's id: the same conversion may come again.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.ads.adapters.wire import DONE, Conversion, Outcome, Request, by_status, json_post, seconds

BASE = ""
NEEDS = ("secret",)


def check(event: str) -> str | None:
    """The code of what is wrong with an event's name; None for nothing."""
    return None if re.fullmatch(r"[!-~]{1,64}", event) else "ad_event_generic"


def request(
    conversion: Conversion, credentials: Mapping[str, Any], base: str, now: datetime, nonce: str
) -> Request:
    """base: the campaign's `report_url`, whole."""
    body = {
        "conversion_id": conversion.conversion_id,
        "ad_campaign_id": conversion.ad_campaign_id,
        "kind": conversion.kind,
        "event": conversion.event,
        "click_id": conversion.click_id,
        "landing_url": conversion.landing_url,
        "at": conversion.at.isoformat(timespec="seconds"),
        "amount_fen": conversion.amount_fen,
    }
    unsigned = json_post(base, body)
    stamp = str(seconds(now))
    signature = hmac.new(
        str(credentials["secret"]).encode(), f"{stamp}.".encode() + unsigned.body, hashlib.sha256
    ).hexdigest()
    headers = {"X-Timestamp": stamp, "X-Signature": signature, "Idempotency-Key": conversion.conversion_id}
    return replace(unsigned, headers={**unsigned.headers, **headers})


def outcome(status: int, body: bytes) -> Outcome:
    if 200 <= status < 300:
        return DONE
    return by_status(status) or DONE


def repeatable(kind: str) -> bool:
    return True
