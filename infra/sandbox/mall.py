"""A small mall: signs order messages as the contract says and posts them to the order door."""

import hashlib
import hmac
import json
from typing import Any

from infra.sandbox.outbox import post
from infra.sandbox.world import World


def headers(secret: str, timestamp: int, body: bytes) -> dict[str, str]:
    signature = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Timestamp": str(timestamp), "X-Signature": signature}


def send_order(world: World, message: dict[str, Any], repeat: int = 1) -> dict[str, Any]:
    """Post an order message `repeat` times, each up to 3 times until it is taken; the last status of each."""
    config = world.config
    if not config.mall_order_url:
        raise ValueError("mall_order_url is not set")
    body = json.dumps(message, ensure_ascii=False).encode()
    statuses = []
    for _ in range(repeat):
        for _ in range(3):
            signed = headers(config.mall_generic_secret, int(world.ts()), body)
            status = post(config.mall_order_url, signed, body)
            if 200 <= status < 300 or 400 <= status < 500:
                break
        statuses.append(status)
    return {"statuses": statuses}
