"""What is in an upload of codes, and where each code of a pool lies; pure.

A pool has 8 lanes, so that claims at the same moment seldom meet in one. A code belongs to the lane of
its digest, and there to one of 32 sets of the digests seen, by which a code that comes again is known.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from chalicelib.platform.errors import Issue, issue
from chalicelib.tables import cells
from chalicelib.tables.columns import Columns
from chalicelib.tables.reading import Table

LANES, SETS = 8, 32
MAX_UPLOAD = 100_000  # codes in one call
MAX_POOL = 1_000_000
BLOCK = 250  # codes in one item
_CODE = re.compile(r"[!-~]{1,64}")  # printable, without spaces; no quotes or commas, below
COLUMNS = Columns(
    {
        "code": "code coupon coupon_code couponcode 券码 优惠码 优惠券码 优惠券 兑换码 券号 卡号 卡密 序列号 "
        "券碼 優惠碼 優惠券碼 兌換碼 券號 卡號 序號"
    }
)
_LOW_SHARE, _LOW = 20, 100  # low: under a twentieth of what was ever loaded, or under 100


def parse(table: Table) -> tuple[list[str], list[Issue]]:
    """(codes in their order, each once; issues by line). BadTable."""
    place = table.where["code"]
    lines: list[tuple[int, str]] = []
    issues: list[Issue] = []
    for row in table.rows:
        if row.fault:
            issues.append(issue(f"line {row.line}", row.fault, line=row.line))
        elif place < len(row.values) and (code := cells.plain(row.values[place])):
            lines.append((row.line, code))
    rounded = cells.rounded(code for _, code in lines)
    for line, code in lines:
        if wrong := _wrong(code, rounded):
            issues.append(issue(f"line {line}", wrong, line=line))
    return list(dict.fromkeys(code for _, code in lines)), issues


def _wrong(code: str, rounded: Collection[str]) -> str:
    if damage := "cell_rounded" if code in rounded else cells.damage(code):
        return damage
    return "" if _CODE.fullmatch(code) and '"' not in code else "coupon_code"


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
