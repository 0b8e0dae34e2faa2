"""Which characters of a text can be drawn: emoji are left out, and that is said; any other that no font
has is refused by its name, and so is a name of which nothing is left."""

import unicodedata
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.platform.errors import Invalid, Issue, issue
from chalicelib.posters import fonts, rules
from chalicelib.posters.rules import Request
from chalicelib.posters.types import Template

_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


class Cleaned(Struct, frozen=True):
    """A text that can be drawn; the emoji that it had; the characters that no font has."""

    text: str
    emoji: str = ""
    missing: str = ""


def clean(text: str) -> Cleaned:
    kept, emoji, missing = "", "", ""
    for character in unicodedata.normalize("NFC", text):
        if character == "\n" or not fonts.is_missing(character):
            is_bound = fonts.is_joiner(character) and emoji
            kept += "" if character in _DIRECTIONS or is_bound else character
        elif fonts.is_emoji(character):
            emoji += character
        else:
            missing += character
    lines = (" ".join(line.split()) for line in kept.split("\n"))
    text = "\n".join(lines).strip()
    return Cleaned(text if any(map(_is_seen, text)) else "", emoji, "".join(dict.fromkeys(missing)))


def _is_seen(character: str) -> bool:
    """Whether it leaves a mark by itself: a nickname may be a zero-width space or a Hangul filler."""
    kind = unicodedata.category(character)
    return (kind[0] in "LNPS" or kind == "Co") and character not in _FILLERS


def find_issues(texts: Mapping[str, str]) -> list[Issue]:
    """What of the texts, by field, can't be drawn; emoji as well: for texts that somebody lays out."""
    issues = []
    for field, text in texts.items():
        cleaned = clean(text)
        if lacking := cleaned.missing + "".join(dict.fromkeys(cleaned.emoji)):
            issues.append(_issue(field, lacking))
    return issues


def clean_request(request: Request) -> tuple[Request, dict[str, str]]:
    """The request without emoji, and what was left out of which field. Invalid by field."""
    words: dict[str, str] = {}
    left_out: dict[str, str] = {}
    issues = []
    for field in rules.WORDS:
        cleaned = clean(given := getattr(request, field))
        words[field] = cleaned.text
        if cleaned.missing:
            issues.append(_issue(field, cleaned.missing))
        elif given and not cleaned.text:
            issues.append(issue(field, "nothing_to_print", text=given))
        elif cleaned.emoji:
            left_out[field] = cleaned.emoji
    if issues:
        raise Invalid(*issues)
    return replace(request, **words), left_out


def find_template_issues(template: Template) -> list[Issue]:
    """Characters in a template's own words that no font has."""
    own = {f"layers[{n}].value": getattr(layer, "value", "") for n, layer in enumerate(template.layers)}
    return find_issues({"title": template.title, "subtitle": template.subtitle, **own})


def _issue(field: str, characters: str) -> Issue:
    return issue(field, "no_glyph", characters=[f"「{c}」(U+{ord(c):04X})" for c in characters])
