"""Text as people write it: what no store, page or parser should get of it; the one form of a tag's name."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from chalicelib.platform.errors import Issue, issue

# XML 1.0 has no others; NUL to US without tab and line ends, half surrogate pairs, U+FFFE, U+FFFF.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# And what nobody types: DEL and C1, and what turns the direction of the text around it.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)
# Hangul, Khmer and Braille blanks and variation selectors are letters or marks to Unicode.
_INVISIBLE = (
    "\u00ad\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_BLANK = re.compile(rf"[\s{_INVISIBLE}]+")
_OPENS_BLANK = re.compile(rf'"(?:[\s{_INVISIBLE}]|\\[ntr])')
_ZERO_WIDTH = re.compile("[\u00ad\u180e\u200b\u200c\u2060-\u2064\ufeff]")
_BRACES = re.compile(r"\{[^{}]*\}|｛[^｛｝]*｝")


def clean(text: str) -> str:
    """Without the characters that XML 1.0 forbids."""
    return _NOT_XML.sub("", text)


def clean_json(value: Any) -> Any:
    """The same of every text in a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): clean_json(part) for name, part in value.items()}
    return [clean_json(part) for part in value] if isinstance(value, list) else value


def may_have_problems(raw: bytes) -> bool:
    """Whether `problems` of this body's JSON is worth asking for: the bytes are looked through first."""
    if b"\\u" in raw or b"\\b" in raw or b"\\f" in raw:
        return True
    body = raw.decode(errors="replace")
    return _CONTROL.search(body) is not None or _OPENS_BLANK.search(body) is not None


def problems(value: Any, field: str = "") -> Iterator[Issue]:
    """The texts in a JSON value that hold a control character, or nothing that can be seen."""
    if isinstance(value, str):
        if control := _CONTROL.search(value):
            yield issue(field or "body", "control_character", character=f"U+{ord(control[0]):04X}")
        elif _BLANK.fullmatch(value):
            yield issue(field or "body", "blank")
    elif isinstance(value, dict):
        for name, part in value.items():
            if control := _CONTROL.search(name):
                yield issue(field or "body", "control_character", character=f"U+{ord(control[0]):04X}")
            else:
                yield from problems(part, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from problems(part, f"{field}[{index}]")


def unknown_placeholders(text: str, known: Collection[str]) -> Iterator[str]:
    """What stands in braces, or in one, and is none of the placeholders, so would be sent as it is."""
    for match in _BRACES.finditer(text):
        if match[0] not in known and (match[0][0] == "{" or f"{{{match[0][1:-1].strip()}}}" in known):
            yield match[0]
    rest = _BRACES.sub(" ", text)
    for name in (placeholder.strip("{}") for placeholder in sorted(known)):
        if half := re.search(rf"[{{｛]\s*{name}|{name}\s*[}}｝]", rest):
            yield half[0]


def placeholder_problems(field: str, text: str, known: Collection[str]) -> Iterator[Issue]:
    """An issue that names those there are, for each that is none."""
    for name in dict.fromkeys(unknown_placeholders(text, known)):
        if known:
            yield issue(field, "unknown_placeholder", name=name, known=sorted(known))
        else:
            yield issue(field, "no_placeholders", name=name)


@lru_cache(maxsize=4096)
def tag_name(name: str) -> str:
    """A tag's `group/name` in its one form: composed, without spaces around its parts, single ones within,
    nothing invisible, and the full-width slash for a slash where there is no other."""
    name = _ZERO_WIDTH.sub("", _CONTROL.sub("", unicodedata.normalize("NFC", name)))
    if "/" not in name:
        name = name.replace("／", "/", 1)
    return "/".join(" ".join(part.split()) for part in name.split("/"))


def tag_names(names: Collection[str]) -> list[str]:
    """Each of them once, in its one form."""
    return list(dict.fromkeys(map(tag_name, names)))
