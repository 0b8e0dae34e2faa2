"""WeChat Pay v3's signatures and encryption, the platform's side (wecom-api.md §6.1, §6.2)."""

import base64
import re
import secrets
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SCHEME = "WECHATPAY2-SHA256-RSA2048"
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_SHA256 = hashes.SHA256()
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303  as WeChat Pay has it


@cache  # OpenSSL checks a private key when it loads it: 40 ms
def private_key(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def public_key(pem: str) -> RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, RSAPublicKey)
    return key


def sign(key: RSAPrivateKey, *lines: str) -> str:
    """base64(RSA-SHA256(each line and a newline))."""
    message = "".join(f"{line}\n" for line in lines).encode()
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), _SHA256)).decode()


def verify(key: RSAPublicKey, signature: str, message: bytes) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), _SHA256)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_headers(key: RSAPrivateKey, key_id: str, at: float, body: str) -> dict[str, str]:
    """The headers that prove an answer or a notification comes from WeChat Pay."""
    stamp, nonce = str(int(at)), secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": sign(key, stamp, nonce, body),
        "Wechatpay-Serial": key_id,
        "Wechatpay-Signature-Type": SCHEME,
    }


def authorization(header: str) -> dict[str, str]:
    """The parts of a merchant's Authorization header; empty when it is of another scheme."""
    scheme, _, rest = header.partition(" ")
    return dict(_FIELD.findall(rest)) if scheme == SCHEME else {}


def encrypt(apiv3_key: str, plain: str, associated: str) -> dict[str, str]:
    """A notification's `resource`."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(apiv3_key.encode()).encrypt(nonce.encode(), plain.encode(), associated.encode())
    return {
        "original_type": associated, "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(), "associated_data": associated, "nonce": nonce,
    }  # fmt: skip


def decrypt_field(key: RSAPrivateKey, value: str) -> str | None:
    """A sensitive field (user_name) that the merchant encrypted for us; None when it does not open."""
    try:
        return key.decrypt(base64.b64decode(value, validate=True), _OAEP).decode()
    except ValueError:
        return None
