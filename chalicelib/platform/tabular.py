"""A list's rows as a table: its columns from the row's type, and what stands in a cell. Pure.

What has fields of its own becomes columns of them (`schedule.from`); a list of such things is one cell.
Money is in yuan, a rate in percent, a time as clocks in Shanghai show it, a value of an enum in words.
"""

import json
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct, UnsetType
from msgspec.structs import replace

from chalicelib.platform.clock import SHANGHAI
from chalicelib.platform.column_texts import COLUMNS
from chalicelib.platform.messages import Language
from chalicelib.platform.value_texts import VALUES

Cell = str | int | float | Decimal | date | datetime | None
_LEFT_OUT = frozenset({"avatar", "result_url", "version", "warnings"})
_TIMES = frozenset({"at", "from", "until", "since"})
_YES = {"zh": ("否", "是"), "en": ("no", "yes")}
_DEEPEST = 2  # levels of fields that become columns


class Column(Struct, frozen=True):
    """`path`: the fields that lead to it. `values`: whether it holds an enum's. `parts`: of a list of things,
    what each is made of.
    """

    path: tuple[str, ...]
    values: bool = False
    parts: tuple["Column", ...] = ()

    def heading(self, language: Language) -> str:
        names = [name.removesuffix("_fen").removesuffix("_bps") for name in self.path]
        if language == "zh":
            words = " · ".join(COLUMNS.get(name) or _humanized(name) for name in names)
            unit = {"fen": "（元）", "bps": "（%）"}.get(self._unit, "")
        else:
            words = " · ".join(map(_humanized, names))
            unit = {"fen": " (CNY)", "bps": " (%)"}.get(self._unit, "")
        return words + unit

    def cell(self, row: Any, language: Language) -> Cell:
        """What stands in a row's cell. row: as builtins."""
        value = row
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return self._shown(value, language)

    @property
    def _unit(self) -> str:
        return self.path[-1].rpartition("_")[2]

    def _shown(self, value: Any, language: Language) -> Cell:
        if value is None:
            return None
        if isinstance(value, bool):
            return _YES[language][value]
        if isinstance(value, (int, float)):
            return Decimal(str(value)) / 100 if self._unit in ("fen", "bps") else value
        if isinstance(value, str):
            return self._of_text(value, language)
        if isinstance(value, Sequence):
            return "; ".join(self._in_one_cell(part, language) for part in value)
        return _json(value)

    def _in_one_cell(self, part: Any, language: Language) -> str:
        cells = [column.cell(part, language) for column in self.parts] or [self._shown(part, language)]
        return " ".join(str(cell) for cell in cells if cell not in (None, ""))

    def _of_text(self, text: str, language: Language) -> Cell:
        if self.values:
            return value_in_words(text, language)
        name = self.path[-1]
        if name == "day" or name.endswith("_at") or name in _TIMES:
            return _local(text)
        return text


def columns(row: Any) -> list[Column]:
    """The columns of a list whose rows are of that type."""
    return list(_columns(row))


@cache
def _columns(row: Any) -> tuple[Column, ...]:
    return tuple(_of_fields(row, ()))


def value_in_words(value: str, language: Language) -> str:
    """An enum's value as people say it."""
    return VALUES.get(value, value) if language == "zh" else value.replace("_", " ")


def _of_fields(kind: Any, before: tuple[str, ...]) -> Iterator[Column]:
    for field in msgspec.structs.fields(kind):
        if field.encode_name in _LEFT_OUT:
            continue
        path, inner = (*before, field.encode_name), _plain(field.type)
        if isinstance(inner, type) and issubclass(inner, Struct) and len(before) < _DEEPEST:
            yield from _of_fields(inner, path)
        else:
            part = _plain(_part(inner))
            is_thing = part is not inner and isinstance(part, type) and issubclass(part, Struct)
            parts = tuple(_of_fields(part, ("",) * _DEEPEST)) if is_thing else ()
            yield Column(
                path,
                values=typing.get_origin(part) is Literal,
                parts=tuple(replace(each, path=each.path[_DEEPEST:]) for each in parts),
            )


def _plain(kind: Any) -> Any:
    """A type without what is noted of it, and without null."""
    if typing.get_origin(kind) is Annotated:
        return _plain(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        options = [part for part in typing.get_args(kind) if part not in (type(None), UnsetType)]
        return _plain(options[0]) if len(options) == 1 else kind
    return kind


def _part(kind: Any) -> Any:
    return typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind


def _local(text: str) -> Cell:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0) if at.tzinfo else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""


def _humanized(name: str) -> str:
    words = name.replace("_", " ").strip()
    return re.sub(
        r"\b(id|ids|url|sop)\b",
        lambda found: found[0].upper().replace("IDS", "IDs"),
        words[:1].upper() + words[1:],
    )
