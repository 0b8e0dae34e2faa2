"""What stands in a card's link, and the number beside it; pure.

A link's token is 16 characters of the house's alphabet (no look-alikes): the run's 4, the card's
number in 4, and 8 that only we can compute: HMAC-SHA256 of the first eight, cut to 57**8 values. A
guess is right once in 1.1e14 (46.7 bits), and each guess is a request. So a card needs no row: its
token proves that it was printed, and a forged one is refused before anything is read.
"""

import hashlib
import hmac
import re

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RUN_ALPHABET = ALPHABET[:32]  # digits and capitals: a run's code is also read aloud
RUN, NUMBER, MAC = 4, 4, 8  # characters
TOKEN = RUN + NUMBER + MAC
MAX_COUNT = 1_000_000  # below 57**4
THOUSAND = 1000

_TOKEN = re.compile(f"[{RUN_ALPHABET}]{{{RUN}}}[{ALPHABET}]{{{NUMBER + MAC}}}")
_LABEL = re.compile(r"([A-Z0-9]{1,8})-([0-9]{1,7})")
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_BASE = len(ALPHABET)
_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]


def is_token(text: str) -> bool:
    """Whether it is shaped like a card's token (a live code's own code is shorter)."""
    return len(text) == TOKEN


def make_token(key: bytes, run: str, number: int) -> str:
    """The token of a run's card. `run`: the run's code; `number`: from 1."""
    front = run + _encoded(number, NUMBER)
    return front + _mac(key, front)


def parse_token(key: bytes, text: str) -> tuple[str, int] | None:
    """(run's code, number) of a token that we made; None for any other text. In constant time."""
    if not _TOKEN.fullmatch(text):
        return None
    front = text[: RUN + NUMBER]
    if not hmac.compare_digest(_mac(key, front), text[RUN + NUMBER :]):
        return None
    return front[:RUN], _decoded(front[RUN:])


def make_label(prefix: str, number: int) -> str:
    """What people read beside the code: W26-000123."""
    return f"{prefix}-{number:06}"


def parse_label(text: str) -> tuple[str, int] | None:
    """(prefix, number) of what people typed: spaces around and small letters are forgiven."""
    match = _LABEL.fullmatch(text.strip().upper())
    return (match[1], int(match[2])) if match else None


def extract_token(text: str) -> str:
    """The token in what a packing desk's scanner read: the whole link, or the token alone."""
    return text.strip().split("?")[0].split("#")[0].rstrip("/").rsplit("/", 1)[-1]


def split_numbers(count: int, size: int) -> list[range]:
    """The cards' numbers 1 … count in pieces of `size`."""
    return [range(first, min(first + size, count + 1)) for first in range(1, count + 1, size)]


def thousand(number: int) -> int:
    """Which thousand a card is of: 0 for 1 … 1000."""
    return (number - 1) // THOUSAND


def _mac(key: bytes, front: str) -> str:
    digest = hmac.digest(key, front.encode(), hashlib.sha256)
    return _encoded(int.from_bytes(digest[:16], "big") % _BASE**MAC, MAC)


def _encoded(value: int, length: int) -> str:
    """`length` characters, an even number of them."""
    pairs = []
    for _ in range(length // 2):
        value, rest = divmod(value, _BASE * _BASE)
        pairs.append(_PAIRS[rest])
    return "".join(reversed(pairs))


def _decoded(text: str) -> int:
    value = 0
    for character in text:
        value = value * _BASE + _VALUE[character]
    return value
