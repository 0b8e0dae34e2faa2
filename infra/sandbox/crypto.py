"""WeCom's callback cryptography, written from wecom-api.md §1.4 and from nothing in chalicelib.

The product has its own in `chalicelib.wecom`: two witnesses, each held against the published vectors.
"""

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32  # WeCom pads to 32 bytes although AES's block is 16


class BadBox(Exception):
    """Not a message for us: wrong key, broken padding or length."""


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode()).hexdigest()  # noqa: S324


def verify(token: str, timestamp: str, nonce: str, encrypted: str, given: str) -> bool:
    return hmac.compare_digest(signature(token, timestamp, nonce, encrypted), given)


def seal(aes_key: str, message: bytes, receive_id: str, random16: bytes | None = None) -> str:
    """base64(AES-256-CBC(random16 ‖ length ‖ message ‖ receive_id ‖ padding))."""
    key = base64.b64decode(aes_key + "=")
    block = (random16 or os.urandom(16)) + len(message).to_bytes(4, "big") + message + receive_id.encode()
    pad = _BLOCK - len(block) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(block + bytes([pad]) * pad) + encryptor.finalize()).decode()


def unseal(aes_key: str, encrypted: str) -> tuple[bytes, str]:
    """The message and its receive id. BadBox when it does not open."""
    key = base64.b64decode(aes_key + "=")
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        block = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
    except ValueError as error:
        raise BadBox(str(error)) from error
    pad = block[-1] if block else 0
    if not 1 <= pad <= _BLOCK or len(block) - pad < 20:
        raise BadBox("padding")
    block = block[:-pad]
    length = int.from_bytes(block[16:20], "big")
    if 20 + length > len(block):
        raise BadBox("length")
    return block[20 : 20 + length], block[20 + length :].decode()


def envelope(encrypted: str, corp_id: str, agent_id: int) -> bytes:
    """The body that WeCom posts."""
    return (
        f"<xml><ToUserName><![CDATA[{corp_id}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
        f"<AgentID><![CDATA[{agent_id}]]></AgentID></xml>"
    ).encode()
