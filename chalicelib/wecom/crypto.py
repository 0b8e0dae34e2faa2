"""The lock on WeCom's callbacks: signature, AES box, and the envelope around them.

The order is what keeps it safe: take `Encrypt` out of the envelope without building a tree, check
the signature, open the box, check whom it was sent to, and only then let anybody parse XML.
Source: developer.work.weixin.qq.com, documents 91144 and 96466.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from chalicelib.platform.errors import Forbidden, Malformed, TooLarge

MAX_BODY = 1_048_576  # bytes
FRESH = timedelta(minutes=15)  # generous: WeCom's retries carry a new timestamp, clocks differ
_BLOCK = 32  # WeCom pads to 32 bytes, not to AES's 16: library unpadders refuse half of its messages
_ENCRYPT = re.compile(
    rb"<Encrypt>\s*(?:<!\[CDATA\[([A-Za-z0-9+/]+={0,2})\]\]>|([A-Za-z0-9+/]+={0,2}))\s*</Encrypt>"
)
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Refused(Forbidden):
    """One answer for every way of being false, so that nothing is learnt from it. `why` is for ourselves."""

    def __init__(self, why: str):
        self.why = why
        super().__init__(code="not_from_wecom")


def verify(token: str, timestamp: str, nonce: str, encrypt: str, signature: str) -> None:
    """Forbidden unless `signature` is WeCom's for the other four; compared in constant time."""
    if not hmac.compare_digest(sign(token, timestamp, nonce, encrypt).encode(), _bytes(signature)):
        raise Refused("signature")


def extract_encrypt(body: bytes) -> str:
    """The one `Encrypt` of a callback's XML envelope, as it stands there (base64).

    Malformed when there is not exactly one, or the envelope declares a document type or entities.
    """
    match = _ENCRYPT.search(body)
    if match is None or body.count(b"<Encrypt") != 1 or _DECLARATION.search(body):
        raise Malformed(code="no_callback")
    return (match[1] or match[2]).decode("ascii")


def decrypt(aes_key: str, encrypt: str, receive_id: str) -> bytes:
    """The message in the box. Forbidden when it does not open or was not sent to `receive_id`."""
    cipher = _cipher(aes_key)
    try:
        opener = cipher.decryptor()
        raw = opener.update(binascii.a2b_base64(encrypt, strict_mode=True)) + opener.finalize()
    except ValueError:
        raise Refused("receiver") from None
    pad = raw[-1] if raw else 0
    end = 20 + int.from_bytes(raw[16:20], "big")
    whole = (
        1 <= pad <= _BLOCK
        and raw.endswith(bytes([pad]) * pad)
        and end <= len(raw) - pad
        and hmac.compare_digest(raw[end : len(raw) - pad], receive_id.encode())
    )
    if not whole:
        raise Refused("receiver")
    return raw[20:end]


def encrypt(aes_key: str, message: bytes, receive_id: str, random16: bytes | None = None) -> str:
    """The box WeCom would make of `message`, base64. `random16` is given only by test vectors."""
    plain = (random16 or os.urandom(16)) + len(message).to_bytes(4, "big") + message + receive_id.encode()
    pad = _BLOCK - len(plain) % _BLOCK
    sealer = _cipher(aes_key).encryptor()
    return base64.b64encode(sealer.update(plain + bytes([pad]) * pad) + sealer.finalize()).decode("ascii")


def reply(
    token: str,
    aes_key: str,
    receive_id: str,
    message: bytes,
    timestamp: str,
    nonce: str,
    random16: bytes | None = None,
) -> bytes:
    """A passive reply: `message` (XML) in a signed envelope, to answer a callback with."""
    box = encrypt(aes_key, message, receive_id, random16)
    return (
        f"<xml><Encrypt><![CDATA[{box}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{sign(token, timestamp, nonce, box)}]]></MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    ).encode()


def open_callback(
    token: str, aes_key: str, corp_id: str, query: Mapping[str, str] | None, body: bytes, now: datetime
) -> bytes:
    """The verified message of a callback (POST), XML bytes.

    TooLarge over 1 MiB; Malformed when it is not a callback at all (a parameter or `Encrypt`
    missing); Forbidden when it is forged, for another corp, or its timestamp is more than 15
    minutes off `now`.
    """
    if len(body) > MAX_BODY:
        raise TooLarge(code="body_too_large", limit=MAX_BODY)
    signature, timestamp, nonce = _parameters(query, "msg_signature", "timestamp", "nonce")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise Malformed(code="no_callback")
    box = extract_encrypt(body)
    verify(token, timestamp, nonce, box, signature)
    if abs(now.timestamp() - float(timestamp)) > FRESH.total_seconds():
        raise Refused("timestamp")
    return decrypt(aes_key, box, corp_id)


def verify_url(token: str, aes_key: str, corp_id: str, query: Mapping[str, str] | None) -> str:
    """The answer to WeCom's URL check (GET): the decrypted `echostr`, to be sent plain.

    Malformed when a parameter is missing, Forbidden when it is forged. Its age is not asked: an
    old one tells nothing and changes nothing.
    """
    signature, timestamp, nonce, echo = _parameters(query, "msg_signature", "timestamp", "nonce", "echostr")
    box = echo.replace(" ", "+")  # a query that was decoded twice
    verify(token, timestamp, nonce, box, signature)
    try:
        return decrypt(aes_key, box, corp_id).decode()
    except UnicodeDecodeError:
        raise Refused("receiver") from None


def _parameters(query: Mapping[str, str] | None, *names: str) -> list[str]:
    values = [(query or {}).get(name) for name in names]
    if not all(values):
        raise Malformed(code="no_callback")
    return [value for value in values if value]


def sign(*parts: str) -> str:
    """WeCom's signature of these parts, in whatever order."""
    # SHA-1 is what WeCom's protocol says; the token in it is the secret.
    return hashlib.sha1(b"".join(sorted(map(_bytes, parts))), usedforsecurity=False).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a lone surrogate from a hostile query is no crash


@cache
def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    if len(key) != 32:
        raise ValueError("the callback's EncodingAESKey is not one: 43 characters are expected")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))
