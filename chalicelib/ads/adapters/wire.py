"""What adapters take and give. No I/O in here, nor in any adapter."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True)
class Conversion:
    """What is reported. `event`: the platform's own name or number of it, as the campaign says.

    landing_url: our page as the click reached it, with the platform's own parameters. amount_fen: of a
    purchase. at: when it happened.
    """

    conversion_id: str
    ad_campaign_id: str
    kind: str
    event: str
    click_id: str = field(repr=False)
    landing_url: str = field(repr=False)
    at: datetime
    amount_fen: int | None = None


@dataclass(frozen=True)
class Request:
    """One HTTP request. Its URL and headers may hold a credential: never logged."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """done: the platform has it. again: may succeed later. refused: never will. `reason`: a code, no text."""

    kind: Literal["done", "again", "refused"]
    reason: str = ""


DONE = Outcome("done")
_PASSING = (408, 425, 429)
_CREDENTIALS = (401, 403)  # somebody mends them while we try


def by_status(status: int) -> Outcome | None:
    """What an HTTP status alone says; None for 200: the body says it."""
    if status == 200:
        return None
    again = status >= 500 or status in _PASSING or status in _CREDENTIALS
    return Outcome("again" if again else "refused", f"http {status}")


def answer_of(body: bytes) -> dict[str, Any] | None:
    """An answer's JSON object; None when it is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def json_post(url: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Request("POST", url, {"Content-Type": "application/json", **(headers or {})}, raw)


def seconds(at: datetime) -> int:
    return int(at.timestamp())
