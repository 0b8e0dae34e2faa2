"""Keys for signing and encrypting, one for each purpose, all from the stack's one master key.

The master key is made at the first deploy and kept by Secrets Manager (group `keys`); who may use
it is in stack.yaml. Purposes are separate keys: HMAC-SHA256(master, purpose), as HKDF-Expand has it.
"""

import hashlib
import hmac

from chalicelib.platform import settings


def key(purpose: str) -> bytes:
    """The 32 bytes for a purpose, e.g. `key("print-run")`. They never leave the process."""
    master = settings.secret("keys", "master").encode()
    return hmac.digest(master, purpose.encode() + b"\x01", hashlib.sha256)


def tag(purpose: str, text: str) -> bytes:
    """The 32-byte HMAC-SHA256 of a text under a purpose's key: an index of what must not be readable."""
    return hmac.digest(key(purpose), text.encode(), hashlib.sha256)
