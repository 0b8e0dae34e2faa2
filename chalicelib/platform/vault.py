"""Field encryption: AES-256-GCM under a purpose's key (platform.keys), bound to the row it lies in.

A sealed text that is copied into another row does not open there: the row's key is its associated
data. Layout: base64url(nonce of 12 random bytes + ciphertext + tag of 16). Under one key 2**32
random nonces are safe (NIST SP 800-38D, 8.3).
"""

import base64
import binascii
import os

from chalicelib.platform import keys

_NONCE = 12


class Broken(ValueError):
    """It was not sealed under this key for this row, or was changed since."""


def seal(purpose: str, text: str, bound_to: str) -> str:
    """`text` so that only `unseal` with the same purpose and row reads it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 20 ms of a cold start

    nonce = os.urandom(_NONCE)
    locked = AESGCM(keys.key(purpose)).encrypt(nonce, text.encode(), bound_to.encode())
    return base64.urlsafe_b64encode(nonce + locked).decode()


def unseal(purpose: str, sealed: str, bound_to: str) -> str:
    """The text that was sealed. Broken."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        raw = base64.urlsafe_b64decode(sealed)
        return AESGCM(keys.key(purpose)).decrypt(raw[:_NONCE], raw[_NONCE:], bound_to.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise Broken("not sealed for this row") from error
