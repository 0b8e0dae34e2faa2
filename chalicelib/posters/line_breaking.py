"""Where a line may break: Unicode's rules (UAX #14, uniseg), China's on top, and words (rjieba).

W3C's Requirements for Chinese Text Layout, §3.1: no line begins with closing punctuation and none ends
with an opening bracket (避头尾); —— and …… stay whole. Amounts, times, phone numbers and Latin words stay
whole, an amount with its unit and with the 满 or 减 before it; so do Chinese words, where a line is
wide enough for them. Both libraries are imported by the first text that has to break (0.2 s).
"""

import re
from functools import lru_cache

LINES_KEPT = 0.7  # of its size: how much smaller a text may be for its own line feeds to be its only breaks
BLANK_AFTER = frozenset("，。！？、：；）］｝」』】》〉〕〗")
BLANK_BEFORE = frozenset("（［｛「『【《〈〔〖")
NOT_FIRST = BLANK_AFTER | frozenset("”’…—～·％‰℃、,.!?:;)]}%")
NOT_LAST = BLANK_BEFORE | frozenset("“‘￥＄([{$¥€£₩")
_HAN = r"\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ONE_HAN = re.compile(rf"\s*[{_HAN}][{re.escape(''.join(sorted(NOT_FIRST)))}]*\s*")
_ENDS_WITH_DIGIT = re.compile(r"[0-9０-９][.,:/–—~～%％-]?\s*$")
_NUMBER = r"(?:[¥￥$€£₩]\s?)?[0-9０-９][0-9０-９.,:/]*"
_LEAD = r"(?:(?:[立直满]减|[满减买送返抵第每约近转])\s?)?"
_COUNTED = "元块角折件张个人天日月年时分点号位次份倍只瓶盒包袋箱斤克升米岁层楼单期店省万亿"
_UNIT = rf"(?:\s?[{_COUNTED}]起?|[A-Za-z%％℃]{{1,3}}(?![A-Za-z]))?"
# A number with the character that leads to it and what it counts, and those that follow from it:
# 满 300 减 50 元, 第 2 件, 9:00–18:00, 1月1日.
_AMOUNT = re.compile(rf"(?:{_LEAD}{_NUMBER}(?:\s?[–~～-]\s?{_NUMBER})*{_UNIT}(?:\s(?=[减送返]))?)+")
_STARTS_WITH_DIGIT = re.compile(r"\s*[0-9０-９]")
_LATIN = re.compile(r"[!-~\u00a1-\u052f]")
_DASHES = frozenset("—…")


@lru_cache(maxsize=1024)
def units(text: str) -> tuple[str, ...]:
    """The pieces between which a line may break; a space belongs to the piece before it."""
    from uniseg.linebreak import line_break_units  # type: ignore[import-untyped]

    pieces: list[str] = []
    for unit in line_break_units(text):
        if pieces and not _may_part(pieces[-1], unit):
            pieces[-1] += unit
        else:
            pieces.append(unit)
    return tuple(pieces)


@lru_cache(maxsize=1024)
def phrases(text: str) -> tuple[str, ...]:
    """Of `units` those that belong together made one: words, and amounts with what they count."""
    ends = _find_ends(text)
    pieces: list[str] = []
    at = 0
    for unit in units(text):
        if pieces and at not in ends:
            pieces[-1] += unit
        else:
            pieces.append(unit)
        at += len(unit)
    return tuple(_with_lone_ends(pieces))


def graphemes(text: str) -> list[str]:
    """Characters as readers see them: a letter with its marks is one."""
    if text.isascii():
        return list(text)
    from uniseg.graphemecluster import grapheme_clusters  # type: ignore[import-untyped]

    return list(grapheme_clusters(text))


def _may_part(left: str, right: str) -> bool:
    bare = left.rstrip()
    if bare[-1:] in NOT_LAST or right[0] in NOT_FIRST or (bare[-1:] in _DASHES and right[0] in _DASHES):
        return False
    if _ENDS_WITH_DIGIT.search(left) and _STARTS_WITH_DIGIT.match(right):
        return False
    return bare != left or not (_LATIN.match(left[-1]) and _LATIN.match(right[0]))


def _find_ends(text: str) -> set[int]:
    """Where words and amounts end."""
    from rjieba import cut

    ends, at = set(), 0
    for amount in _AMOUNT.finditer(text):
        for word in cut(text[at : amount.start()]):
            at += len(word)
            ends.add(at)
        at = amount.end()
        ends.add(at)
    for word in cut(text[at:]):
        at += len(word)
        ends.add(at)
    return ends


def _with_lone_ends(pieces: list[str]) -> list[str]:
    """A word of one character at the end goes with the word before it: no line is that character alone."""
    if len(pieces) > 1 and _ONE_HAN.fullmatch(pieces[-1]):
        return [*pieces[:-2], pieces[-2] + pieces[-1]]
    return pieces
