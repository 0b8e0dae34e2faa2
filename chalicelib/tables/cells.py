"""What stands in a cell, and what a spreadsheet has done to it. Pure.

A spreadsheet keeps 15 digits of a number and shows longer ones as 1.23E+15: what it has rounded is nobody's
id, code or number any more, and is refused with that reason. The readers leave such marks as they are, so
one look at the text finds them, whatever the file was.
"""

import re
import unicodedata
from collections.abc import Iterable

FORMULA = "=?"  # of a formula of which the workbook keeps neither text nor value
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_FORMULA = re.compile(r"=\s*[A-Za-z0-9_(\[{+\-@'$\"?#]")
_AS_TEXT = re.compile(r'="([^"]*)"')  # how a CSV keeps Excel from making a number of it
_EXPONENT = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+\d{1,3}")
_ERRORS = frozenset("#N/A #REF! #VALUE! #DIV/0! #NAME? #NULL! #NUM! #SPILL! #CALC! #GETTING_DATA".split())
_KEPT = 15  # digits of a number


def plain(text: str) -> str:
    """An id, a code, a number or a time as it is meant: full-width signs, invisible ones, `="001"`."""
    return unicodedata.normalize("NFKC", unwrapped(_INVISIBLE.sub("", text))).strip()


def unwrapped(text: str) -> str:
    """A text without spaces around it, and without `="…"`."""
    text = text.strip()
    if text.startswith("=") and (told := _AS_TEXT.fullmatch(text)):
        return told[1].strip()
    return text


def damage(text: str) -> str:
    """The code of why an id, a code or a number is none; empty when nothing is to be seen. text: `plain`."""
    if _EXPONENT.fullmatch(text):
        return "cell_rounded"
    return formula(text)


def formula(text: str) -> str:
    """The code of why a text is none: a formula without its value, or one that failed."""
    if text.startswith("=") and _FORMULA.match(text):
        return "cell_formula"
    return "cell_error" if text.startswith("#") and text.upper() in _ERRORS else ""


def rounded(texts: Iterable[str]) -> frozenset[str]:
    """Those of a column's numbers whose digits end in zeros where a spreadsheet would have made them zeros.

    None, when any other of the column is exact: then it was kept as text, and they end so by chance.
    """
    long = {text for text in texts if len(text) > _KEPT and text.isascii() and text.isdigit()}
    suspected = frozenset(text for text in long if not text[_KEPT:].strip("0"))
    return suspected if len(suspected) == len(long) else frozenset()
