"""WeChat Pay v3 signatures: ours on requests, WeChat's on answers and notifications.

WeChat's are checked with its public key (微信支付公钥), the only mode that new merchants have.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from chalicelib.platform.errors import Forbidden

FRESH_SECONDS = 300
_REFUSED = "not signed by WeChat Pay"


class Signer:
    """The merchant's side: `serial` is that of the merchant's own certificate, the key PEM text."""

    def __init__(self, mch_id: str, serial: str, private_key: str):
        key = load_pem_private_key(private_key.encode(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("the merchant's private key is not an RSA key")
        self._mch_id, self._serial, self._key = mch_id, serial, key

    def authorization(
        self, method: str, path: str, body: bytes, now: datetime, nonce: str | None = None
    ) -> str:
        """The Authorization header for a request; `path` with its query, `body` the very bytes sent."""
        nonce = nonce or secrets.token_hex(16)
        timestamp = int(now.timestamp())
        message = f"{method}\n{path}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode(self._key.sign(message, padding.PKCS1v15(), SHA256())).decode()
        return (
            f'WECHATPAY2-SHA256-RSA2048 mchid="{self._mch_id}",nonce_str="{nonce}",'
            f'signature="{signature}",timestamp="{timestamp}",serial_no="{self._serial}"'
        )


class Verifier:
    """WeChat's side: its public key (PEM text) and that key's id (`PUB_KEY_ID_…`)."""

    def __init__(self, key_id: str, public_key: str):
        key = load_pem_public_key(public_key.encode())
        if not isinstance(key, RSAPublicKey):
            raise TypeError("WeChat Pay's public key is not an RSA key")
        self.key_id, self._key = key_id, key

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Forbidden unless `body` (as received) is signed by WeChat and at most 5 minutes off `now`."""
        given = {name.lower(): value for name, value in headers.items()}
        timestamp, nonce = given.get("wechatpay-timestamp", ""), given.get("wechatpay-nonce", "")
        serial = given.get("wechatpay-serial", "")
        if not hmac.compare_digest(serial.encode("utf-8", "replace"), self.key_id.encode()):
            raise Forbidden(_REFUSED)
        message = f"{timestamp}\n{nonce}\n".encode("utf-8", "replace") + body + b"\n"
        try:
            signature = base64.b64decode(given.get("wechatpay-signature", ""), validate=True)
            self._key.verify(signature, message, padding.PKCS1v15(), SHA256())
            age = abs(now.timestamp() - int(timestamp))
        except (ValueError, InvalidSignature):
            raise Forbidden(_REFUSED) from None
        if age > FRESH_SECONDS:
            raise Forbidden(_REFUSED)

    def conceal(self, text: str) -> str:
        """A sensitive field as WeChat alone can read it: RSA-OAEP (SHA-1 is its rule), base64."""
        oaep = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)  # noqa: S303  # nosec B303
        return base64.b64encode(self._key.encrypt(text.encode(), oaep)).decode()
