"""Links of a guide's or a store's own poster: `<a code's url>?g=<whose>`, signed and short.

`g` is one letter (g: a guide, s: a store), six characters (36 bits) of a MAC over the code and whose it is,
and the id. A guess is right once in 6.9e10, and gains no more than a choice among the code's own guides.
"""

import base64
import hashlib
import hmac
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import keys

Kind = Literal["guide", "store"]
MAX = 100  # characters of `g`: an id has up to 64
_LETTERS: dict[Kind, str] = {"guide": "g", "store": "s"}
_MAC = 6
_PURPOSE = "poster-link"


class Owner(Struct, frozen=True):
    """Whose poster it is."""

    kind: Kind
    id: str


def url(code: LiveCode, kind: Kind, owner_id: str) -> str:
    """What the poster of that guide or store holds."""
    return f"{code.url}?{urlencode({'g': sign(code.live_code_id, kind, owner_id)})}"


def sign(live_code_id: str, kind: Kind, owner_id: str) -> str:
    letter = _LETTERS[kind]
    return letter + _mac(live_code_id, letter, owner_id) + owner_id


def read(live_code_id: str, text: str) -> Owner | None:
    """Whose poster of this code it is; None for a text that we did not sign for it. In constant time."""
    letter, mac, owner_id = text[:1], text[1 : 1 + _MAC], text[1 + _MAC :]
    kind = next((kind for kind, known in _LETTERS.items() if known == letter), None)
    if kind is None or not owner_id or len(text) > MAX:
        return None
    expected = _mac(live_code_id, letter, owner_id)
    return Owner(kind, owner_id) if hmac.compare_digest(expected.encode(), mac.encode()) else None


def _mac(live_code_id: str, letter: str, owner_id: str) -> str:
    signed = "\n".join((live_code_id, letter, owner_id)).encode("utf-8", "surrogatepass")
    digest = hmac.digest(keys.key(_PURPOSE), signed, hashlib.sha256)
    return base64.urlsafe_b64encode(digest)[:_MAC].decode()
