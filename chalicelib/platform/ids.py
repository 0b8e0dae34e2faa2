"""Ids. Random ones for things that are made, derived ones wherever the same input must give the same id."""

import hashlib
import secrets
from datetime import UTC, datetime

# No 0/O, 1/l/I: people read these from paper.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def short(length: int = 8) -> str:
    """A random code for short links: 57**8 = 1.1e14 of them."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def derived_short(*parts: str, length: int = 8) -> str:
    """A code for short links that the same parts always give."""
    number = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest(), "big")
    code = ""
    for _ in range(length):
        number, rest = divmod(number, len(_ALPHABET))
        code += _ALPHABET[rest]
    return code


def derived(*parts: str, length: int = 20) -> str:
    """The same parts give the same id: `length` characters of [a-z2-7] (5 bits each)."""
    import base64

    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:length]


def ulid(at: datetime) -> str:
    """26 characters that sort by time (milliseconds), with 80 random bits. Spec: github.com/ulid/spec."""
    return ulid_floor(at) + "".join(secrets.choice(_CROCKFORD) for _ in range(16))


def ulid_floor(at: datetime) -> str:
    """The time part alone: not greater than any ulid made at that millisecond."""
    ms = int(at.timestamp() * 1000)
    return "".join(_CROCKFORD[(ms >> shift) & 31] for shift in range(45, -1, -5))


def ulid_time(ulid: str) -> datetime:
    """When it was made, to the millisecond."""
    ms = 0
    for character in ulid[:10]:
        ms = ms * 32 + _CROCKFORD.index(character)
    return datetime.fromtimestamp(ms / 1000, UTC)


def shard(key: str, shards: int) -> int:
    """A stable shard of a key: 0 … shards-1."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % shards
