"""Signed cookies, as pure rules: `<base64url JSON>.<base64url HMAC>`, made and read."""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone
from typing import Any

LOGIN_TIME = timedelta(minutes=10)  # of a sign-in that has begun; a code is good for five


def signed(key: bytes, kind: str, values: dict[str, Any]) -> str:
    """`kind` keeps one cookie from being taken for another."""
    body = base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")
    return f"{body}.{_mac(key, kind, body)}"


def read(key: bytes, kind: str, text: str | None) -> dict[str, Any] | None:
    """What was signed so; None for anything else."""
    body, _, mac = (text or "").partition(".")
    if not hmac.compare_digest(_mac(key, kind, body).encode(), mac.encode("utf-8", "replace")):
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        return None
    return values if isinstance(values, dict) else None


def login_of(key: bytes, kind: str, cookie: str | None, state: str, now: datetime) -> dict[str, Any] | None:
    """The sign-in that this browser began with this `state`, lately (`at`); None when it began none."""
    values = read(key, kind, cookie)
    if values is None or not state:
        return None
    if not hmac.compare_digest(str(values["state"]).encode(), state.encode("utf-8", "replace")):
        return None
    begun = datetime.fromtimestamp(int(values["at"]), timezone.utc)
    return values if begun - timedelta(minutes=1) <= now < begun + LOGIN_TIME else None


def _mac(key: bytes, kind: str, text: str) -> str:
    digest = hmac.digest(key, f"{kind}.{text}".encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
