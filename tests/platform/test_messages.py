"""The words of errors: every code that is used has them, once, and none is left over."""

import re
import string
from collections import Counter
from pathlib import Path

import pytest

from chalicelib.platform import declared, messages

SOURCES = "\n".join(
    path.read_text()
    for path in (Path(__file__).parents[2] / "chalicelib").rglob("*.py")
    if path.name != "messages.py"
)
TABLES = [messages._TEXTS, *declared.find("messages", "TEXTS")]
CODES = Counter(code for table in TABLES for code in table)
USED = set(
    re.findall(r'(?:code=|issue\([^"()]*?(?:"[^"]*"|\([^()]*\)|\w[\w.\[\]]*|f"[^"]*"),\s*)"(\w+)"', SOURCES)
)


def test_each_code_has_its_words_in_one_place() -> None:
    assert [code for code, count in CODES.items() if count > 1] == []
    assert sorted(USED - set(CODES)) == []


def test_no_words_are_left_over() -> None:
    ours = [code for code in CODES if not code.isupper()]  # the others are WeChat Pay's own reasons
    assert [c for c in ours if f'"{c}"' not in SOURCES and f"{c.split('_')[0]}_" not in SOURCES] == []


@pytest.mark.parametrize("code", CODES)
def test_both_languages_name_the_same_params(code: str) -> None:
    chinese, english = next(table[code] for table in TABLES if code in table)

    def params(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert params(chinese) == params(english)
