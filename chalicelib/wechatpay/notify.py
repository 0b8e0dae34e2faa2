"""WeChat Pay's notifications: verified first, opened then, and even so only a hint."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chalicelib.platform import clock, settings
from chalicelib.platform.errors import Forbidden, Malformed, TooLarge
from chalicelib.wechatpay.signer import Verifier

MAX_BODY = 1_048_576  # bytes
TRANSFER_FINISHED = "MCHTRANSFER.BILL.FINISHED"


def open_received(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """`open_notification` with the settings' keys, now. The merchant's private key is not among them."""
    public_key, apiv3_key = (
        settings.secret("wechatpay_notify", name) for name in ("public_key", "apiv3_key")
    )
    verifier = Verifier(settings.env("WECHATPAY_PUBLIC_KEY_ID"), public_key)
    return open_notification(headers, body, verifier, apiv3_key, clock.now())


def open_notification(
    headers: Mapping[str, str], body: bytes, verifier: Verifier, apiv3_key: str, now: datetime
) -> dict[str, Any]:
    """`{"id", "event_type", "resource": {…the decrypted bill…}}`.

    TooLarge over 1 MiB, Forbidden when it is not signed by WeChat within 5 minutes or does not
    open with our key, Malformed when it is signed and yet no notification.
    """
    if len(body) > MAX_BODY:
        raise TooLarge("a notification is at most 1 MiB")
    verifier.verify(headers, body, now)
    try:
        outer = json.loads(body)
        box = outer["resource"]
        plain = AESGCM(apiv3_key.encode()).decrypt(
            box["nonce"].encode(),
            base64.b64decode(box["ciphertext"], validate=True),
            (box.get("associated_data") or "").encode(),
        )
        return {"id": outer["id"], "event_type": outer["event_type"], "resource": json.loads(plain)}
    except InvalidTag:
        raise Forbidden("the notification does not open with the APIv3 key") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Malformed("not a WeChat Pay notification") from None
