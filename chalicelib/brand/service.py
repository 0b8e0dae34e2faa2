"""The brand kit: read and changed by operators, and seen by every page.

A page has it from its process, which asks anew after a minute: so a scan costs no read more, and a change is
on all pages within that minute.
"""

import time
from typing import Any

from chalicelib.brand import pictures, rules
from chalicelib.brand.rules import DEFAULT_COLOURS, Look
from chalicelib.brand.types import Brand
from chalicelib.platform import corp_settings, log
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.versions import IfMatch

_NAME = "brand"
_KEEP = 60.0  # seconds
_kept: tuple[float, Look] | None = None


def get() -> tuple[Brand, int]:
    """The brand, and its version; of one that nobody has set yet, 0."""
    value, version = corp_settings.read(_NAME)
    return _brand(value or {}), version


def put(brand: Brand, if_match: IfMatch) -> tuple[Brand, int]:
    """Set the whole of it. Invalid by field, Stale."""
    value = _checked(brand)
    version = corp_settings.save(
        _NAME, value, if_match, shown=lambda kept: _brand(kept or {}), action="brand.change"
    )
    forget()
    return _brand(value), version


def look() -> Look:
    """The brand as pages show it, at most a minute old. Never fails: a page without it is a page still."""
    global _kept
    now = time.monotonic()
    if _kept is None or now - _kept[0] > _KEEP:
        before = _kept[1] if _kept else Look()
        try:
            _kept = (now, _look(get()[0]))
        except Exception as error:  # noqa: BLE001 (a page in our own colours, and not a customer lost)
            log.failure("brand not read", error)
            _kept = (now, before)
    return _kept[1]


def forget() -> None:
    """Read it anew (a new process; it has changed)."""
    global _kept
    _kept = None


def logo_asset(found: Look) -> str | None:
    """The logo's id among the pictures of poster templates."""
    name = pictures.name_in(found.logo_url)
    return f"as_{name.partition('.')[0]}" if name else None


def _look(brand: Brand) -> Look:
    first, second = brand.colors
    return Look(brand.name, brand.logo_url, brand.avatar_url, (first, second))


def _checked(brand: Brand) -> dict[str, Any]:
    """What is stored. Invalid with all that is wrong."""
    names = {field: pictures.name_in(getattr(brand, field)) for field in ("logo_url", "avatar_url")}
    issues = [issue(field, "brand_picture") for field, name in names.items() if name == ""]
    issues += rules.find_issues(brand.colors)
    if issues:
        raise Invalid(*issues)
    colours = [colour.lower() for colour in brand.colors]
    return {
        "name": brand.name.strip(),
        "colors": colours,
        "logo": names["logo_url"],
        "avatar": names["avatar_url"],
    }


def _brand(value: dict[str, Any]) -> Brand:
    return Brand(
        name=value.get("name", ""),
        colors=[*(value.get("colors") or DEFAULT_COLOURS)],
        logo_url=pictures.url(value.get("logo")),
        avatar_url=pictures.url(value.get("avatar")),
    )
