"""What names a tag: live codes, channels, SOPs and segments."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

import msgspec

from chalicelib.channels import service as channels
from chalicelib.livecodes import service as livecodes
from chalicelib.platform.lists import Page
from chalicelib.platform.plain_text import tag_name
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.segments import service as segments
from chalicelib.segments.types import SegmentsQuery
from chalicelib.sops import service as sops
from chalicelib.sops.queries import SopsQuery

_PAGE = 200


def find(names: Collection[str]) -> dict[str, list[str]]:
    """Tag → the names of what uses it."""
    found: dict[str, list[str]] = {}
    for what, definition in _definitions():
        for text in {tag_name(text) for text in _texts(definition) if "/" in text or "／" in text}:
            if text in names:
                found.setdefault(text, []).append(what)
    return found


def _definitions() -> Iterator[tuple[str, Any]]:
    for code in livecodes.read_all():
        yield code.name, code.definition
    for channel in channels.read_all():
        yield channel.name, list(channel.tags)
    for sop in _all(sops.page, SopsQuery):
        yield sop.name, msgspec.to_builtins(sop)
    for segment in _all(segments.page, SegmentsQuery):
        yield segment.name, segment.rule


def _all(page: Callable[[Any, Principal], Page[Any]], query: Callable[..., Any]) -> Iterator[Any]:
    cursor = None
    while True:
        listed = page(query(limit=_PAGE, cursor=cursor), SYSTEM)
        yield from listed.items
        cursor = listed.next_cursor
        if cursor is None:
            return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
