"""Prospects as pure rules: statuses, who gets whom, what a day holds, what may be shown."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import gcd

from msgspec import Struct

TO_ADD, ASKED, ADDED = "to_add", "asked", "added"
REFUSED, UNREACHABLE, EXPIRED, ERASED = "refused", "unreachable", "expired", "erased"
STATUSES = (TO_ADD, ASKED, ADDED, REFUSED, UNREACHABLE, EXPIRED)
OPEN = (TO_ADD, ASKED)  # what a guide who leaves hands on
# What people may make of what. Who is added stays added; who is erased is nobody any more.
_MOVES: Mapping[str, frozenset[str]] = {
    TO_ADD: frozenset({ASKED, REFUSED, UNREACHABLE}),
    ASKED: frozenset({TO_ADD, REFUSED, UNREACHABLE}),
    REFUSED: frozenset({TO_ADD, ASKED}),
    UNREACHABLE: frozenset({TO_ADD, ASKED}),
    EXPIRED: frozenset({TO_ADD, ASKED, REFUSED, UNREACHABLE}),
    ADDED: frozenset(),
    ERASED: frozenset(),
}
RULES = ("round_robin", "weighted", "by_store", "by_column")
CODE_LENGTH = 8
REMARK_LENGTH = 20  # WeCom: characters in a remark
_CODE = re.compile(r"(?<![A-Za-z0-9])([A-Za-z2-7]{8})(?![A-Za-z0-9])")
# A Chinese mobile number, or a foreign one with its +; among digits that are no part of it, too.
_NUMBERS = re.compile(r"1[3-9](?:[\s.-]?\d){9}|\+\d[\d\s()-]{6,18}\d", re.ASCII)
NOBODY = "-"  # whose tasks nobody has: all guides of their rule have left


def may(before: str, after: str) -> bool:
    """Whether a guide or an operator may move a prospect so."""
    return after in _MOVES.get(before, frozenset())


def may_be_added(status: str) -> bool:
    """Whether an arrival can still be this prospect's."""
    return status in STATUSES and status != ADDED


class Rule(Struct, frozen=True):
    """Who gets the prospects of an import.

    members: (staff_id, weight); for `by_store` and `by_column` those who get what names nobody known.
    """

    kind: str
    members: tuple[tuple[str, int], ...] = ()

    @property
    def staff_ids(self) -> tuple[str, ...]:
        return tuple(staff_id for staff_id, _ in self.members)

    def without(self, gone: Iterable[str]) -> "Rule":
        left = set(gone)
        return Rule(self.kind, tuple(m for m in self.members if m[0] not in left))


def guide_of(rule: Rule, number: int, named: str = "", of_store: Sequence[str] = ()) -> str | None:
    """The guide of the import's new prospect `number` (0, 1, …); the same one for the same input.

    named: the guide in the row's own column (`by_column`); of_store: the guides of its store (`by_store`).
    None when there is nobody.
    """
    if rule.kind == "by_column" and named:
        return named
    if rule.kind == "by_store" and of_store:
        return of_store[number % len(of_store)]
    if not rule.members:
        return None
    if rule.kind == "weighted":
        return _weighted(rule.members, number)
    return rule.members[number % len(rule.members)][0]


def _weighted(members: Sequence[tuple[str, int]], number: int) -> str:
    """Exact over each round of the weights' sum; within it the members are mixed, not one after another."""
    divisor = gcd(*(weight for _, weight in members))
    ends = list(accumulate(weight // divisor for _, weight in members))
    total = ends[-1]
    step = next(s for s in range(max(1, round(total * 0.618)), 2 * total + 1) if gcd(s, total) == 1)
    return members[bisect_right(ends, number * step % total)][0]


def day_list(
    listed: Sequence[tuple[str, str]],
    waiting: Iterable[tuple[str, str]],
    pace: int,
    paces: Mapping[str, int],
) -> list[str]:
    """A guide's day: what is listed already, then the oldest that wait, within the paces.

    listed, waiting: (prospect_id, import_id), oldest first. pace: of the guide over all imports;
    paces: of each import. Nothing is listed twice, and what is listed stays.
    """
    chosen = dict.fromkeys(prospect_id for prospect_id, _ in listed)
    used: dict[str, int] = {}
    for _, import_id in listed:
        used[import_id] = used.get(import_id, 0) + 1
    for prospect_id, import_id in waiting:
        if len(chosen) >= pace:
            break
        if prospect_id in chosen or used.get(import_id, 0) >= paces.get(import_id, pace):
            continue
        chosen[prospect_id] = None
        used[import_id] = used.get(import_id, 0) + 1
    return list(chosen)


def dialled(e164: str) -> str:
    """As a guide in China searches for it: a Chinese number without its country's code."""
    return e164.removeprefix("+86")


def masked(e164: str) -> str:
    """`138****1234`; other countries keep their code and the last three digits."""
    if re.fullmatch(r"\+861\d{10}", e164):
        return f"{e164[3:6]}****{e164[-4:]}"
    return f"{e164[:3]}{'*' * max(4, len(e164) - 6)}{e164[-3:]}"


def masked_text(text: str) -> str:
    """What was given for a phone number and is none, for a report: few of its digits, nothing else."""
    digits = re.sub(r"\D", "", text, flags=re.ASCII)[:20]
    if len(digits) < 8:
        return "*" * len(digits)
    return f"{digits[:3]}{'*' * (len(digits) - 5)}{digits[-2:]}"


def hidden(text: str) -> str:
    """A name or a note with what look like phone numbers in it masked, full-width ones too."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _NUMBERS.sub(_masked_match, plain) if _NUMBERS.search(plain) else text


def _masked_match(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0], flags=re.ASCII)
    return masked(f"+{digits}" if found[0].startswith("+") else f"+86{digits}")


def codes_in(remark: str) -> list[str]:
    """What may be our codes in a remark, at most five."""
    return list(dict.fromkeys(code.lower() for code in _CODE.findall(remark)))[:5]


def remark(name: str, code: str) -> str:
    """What the guide pastes as the customer's remark, so that the arrival is known by it."""
    room = REMARK_LENGTH - CODE_LENGTH - 1
    return f"{name[:room].strip()} {code}".strip()


def cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text
