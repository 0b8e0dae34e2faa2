"""What is in an upload of codes, and where each code of a pool lies; pure.

A pool has 8 lanes, so that claims at the same moment seldom meet in one. A code belongs to the lane of
its digest, and there to one of 32 sets of the digests seen, by which a code that comes again is known.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from chalicelib.platform.errors import Issue, issue

LANES, SETS = 8, 32
MAX_UPLOAD = 100_000  # codes in one call
MAX_POOL = 1_000_000
BLOCK = 250  # codes in one item
_CODE = re.compile(r"[!-~]{1,64}")  # printable, without spaces; no quotes or commas, below
_HEADINGS = {"code", "coupon", "coupon_code", "券码", "优惠码"}
_LOW_SHARE, _LOW = 20, 100  # low: under a twentieth of what was ever loaded, or under 100


def parse(text: str) -> tuple[list[str], list[Issue]]:
    """(codes in their order, each once; issues by line) of plain lines or CSV with the codes first."""
    codes: dict[str, None] = {}
    issues: list[Issue] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        code = line.split(",", 1)[0].strip().strip('"').strip()
        if not code or (number == 1 and code.lower() in _HEADINGS):
            continue
        if not _CODE.fullmatch(code) or '"' in code:
            issues.append(issue(f"line {number}", "coupon_code"))
        codes[code] = None
    return list(codes), issues


def digest(code: str) -> str:
    """24 hex digits; two codes of a million share one by a chance of 1e-17."""
    return hashlib.sha256(code.encode()).hexdigest()[:24]


def lane_of(digest: str) -> int:
    return int(digest[:4], 16) % LANES


def set_of(digest: str) -> int:
    return int(digest[4:8], 16) % SETS


def choose(heads: Mapping[int, tuple[int, int]], first: int) -> int | None:
    """The lane to take from: `first` if it has any left, else the fullest. heads: lane → (loaded, given)."""
    left = {lane: loaded - given for lane, (loaded, given) in heads.items() if loaded > given}
    if not left:
        return None
    return first if first in left else max(sorted(left), key=lambda lane: left[lane])


def is_low(loaded: int, left: int) -> bool:
    """Whether a pool is running out: reported at each claim while it is so."""
    return left < max(_LOW, loaded // _LOW_SHARE) and loaded > 0


def mask(code: str) -> str:
    """A code as others than its owner may see it."""
    return "…" + code[-4:] if len(code) > 8 else "…" + code[-2:]


def blocks(codes: Sequence[str]) -> Iterable[Sequence[str]]:
    return (codes[at : at + BLOCK] for at in range(0, len(codes), BLOCK))
