"""A list's rows as a table: its columns from the row's type, and what stands in a cell. Pure.

What has fields of its own becomes columns of them (`schedule.from`); a list of such things is one cell.
Which of them a list's file has: list_columns.py. An id is shown by the name of what it stands for, and stands
once more as it is behind all others.
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

from chalicelib.platform import durations
from chalicelib.platform.clock import SHANGHAI
from chalicelib.platform.column_texts import COLUMNS
from chalicelib.platform.list_columns import ORDERS, THINGS
from chalicelib.platform.messages import Language
from chalicelib.platform.value_texts import VALUES

Names = Mapping[str, Mapping[str, str]]  # by kind of thing and id
_NO_NAMES: Names = types.MappingProxyType({})
Cell = str | int | float | Decimal | date | datetime | None
_LEFT_OUT = frozenset({"avatar", "can_change", "result_url", "version", "warnings"})
_VALUED = frozenset({"kind", "role", "scene", "status", "event"})  # enums that are plain texts in a row
_UNIT_WORDS = {"zh": {"fen": "（元）", "bps": "（%）"}, "en": {"fen": " (CNY)", "bps": " (%)"}}
_UNITS = {"zh": ("天", "小时", "分钟", "秒"), "en": ("days", "hours", "minutes", "seconds")}
_TIMES = frozenset({"at", "from", "until", "since"})
_YES = {"zh": ("否", "是"), "en": ("no", "yes")}
_DEEPEST = 2  # levels of fields that become columns


class Column(Struct, frozen=True):
    """`path`: the fields that lead to it. `values`: whether it holds an enum's. `parts`: of a list of things,
    what each is made of. `of`: the kind of thing that its ids stand for, where its names are shown.
    `readable`: whether a cell can hold it in words.
    """

    path: tuple[str, ...]
    values: bool = False
    parts: tuple["Column", ...] = ()
    of: str = ""
    readable: bool = True

    def heading(self, language: Language) -> str:
        last = self.parts[0] if len(self.parts) == 1 else self
        unit = _UNIT_WORDS[language].get(last._unit, "")
        if language == "en":
            names = [_without_id(name) if last.of else name for name in last.words]
            return " · ".join(map(_humanized, names)) + unit
        whole = COLUMNS.get(self.whole)
        return (whole or " · ".join(COLUMNS[word] for word in last.words)) + unit

    @property
    def words(self) -> tuple[str, ...]:
        """What its heading is made of, where the whole path has no word of its own: keys of COLUMNS."""
        if self.of:
            return (f"{self.path[-1]}>",)
        return tuple(name.removesuffix("_fen").removesuffix("_bps") for name in self.path)

    @property
    def whole(self) -> str:
        """Its whole path, as a key of COLUMNS."""
        last = self.parts[0] if len(self.parts) == 1 else self
        path = (*self.path, *(last.path if last is not self else ()))
        return ".".join(path).removesuffix("_fen").removesuffix("_bps") + (">" if last.of else "")

    def cell(self, row: Any, language: Language, names: Names = _NO_NAMES) -> Cell:
        """What stands in a row's cell. row: as builtins. names: of what the ids of `ids` stand for."""
        if len(self.parts) == 1:
            cells = [self.parts[0].cell(part, language, names) for part in self._value(row) or ()]
            return (
                cells[0] if len(cells) == 1 else "; ".join("" if one is None else str(one) for one in cells)
            )
        value = self._value(row)
        if self.of:
            known = names.get(self.of, {})
            return "; ".join(known.get(one) or _no_channel(one, language) for one in _texts(value)) or None
        return self._shown(value, language)

    def ids(self, row: Any) -> list[tuple[str, str]]:
        """(kind, id) of all whose names it shows."""
        if self.of:
            return [(self.of, one) for one in _texts(self._value(row))]
        parts = self._value(row) or () if len(self.parts) == 1 else ()
        return [found for part in parts for found in self.parts[0].ids(part)]

    def _value(self, row: Any) -> Any:
        value = row
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

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
        return " · ".join(str(cell) for cell in cells if cell not in (None, ""))

    def _of_text(self, text: str, language: Language) -> Cell:
        if self.values:
            return value_in_words(text, language)
        name = self.path[-1]
        if name == "day" or name.endswith("_at") or name in _TIMES:
            return _local(text)
        if name in _VALUED:
            return value_in_words(text, language)
        return _duration(text, language) if text.startswith("P") else text


def columns(row: Any, path: str = "") -> list[Column]:
    """The columns of the file of a list, by the path behind /api/, whose rows are of that type."""
    return list(_columns(row, path))


@cache
def _columns(row: Any, path: str) -> tuple[Column, ...]:
    every = {".".join(column.path): column for column in _of_fields(row, ())}
    chosen = [_chosen(every, name) for name in (ORDERS.get(path) or " ".join(_in_words(every))).split()]
    ids = [column for column in every.values() if _is_id(column.path[-1]) and column not in chosen]
    return (*chosen, *ids)


def _in_words(every: Mapping[str, Column]) -> Iterator[str]:
    """All columns in their order: an id as the name of what it stands for, unless one stands beside it."""
    for name, column in every.items():
        last = column.path[-1]
        if not _is_id(last):
            if column.readable:
                yield name
        elif last in THINGS and f"{_without_id(name)}_name" not in every:
            yield f"{name}>"


def _chosen(every: Mapping[str, Column], name: str) -> Column:
    plain = name.removesuffix(">")
    if plain in every:
        column = every[plain]
    else:
        before, _, last = plain.rpartition(".")
        part = next(part for part in every[before].parts if part.path == (last,))
        column = replace(every[before], parts=(_named(part, name),))
    return column if column.parts else _named(column, name)


def _named(column: Column, name: str) -> Column:
    return replace(column, of=THINGS[column.path[-1]]) if name.endswith(">") else column


def _no_channel(one: str, language: Language) -> str:
    """What figures of no channel are counted under; any other text is itself."""
    return {"unknown": "未知渠道", "other": "其他"}.get(one, one) if language == "zh" else one


def _is_id(name: str) -> bool:
    return name.endswith(("_id", "_ids", "unionid", "userid"))


def _without_id(name: str) -> str:
    return name.removesuffix(">").removesuffix("s").removesuffix("_id")


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]


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
                readable=not _is_unreadable(part),
            )


def _plain(kind: Any) -> Any:
    """A type without what is noted of it, and without null."""
    if typing.get_origin(kind) is Annotated:
        return _plain(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        options = [part for part in typing.get_args(kind) if part not in (type(None), UnsetType)]
        return _plain(options[0]) if len(options) == 1 else kind
    return kind


def _is_unreadable(kind: Any) -> bool:
    """What no cell can hold in words: one of several things, or what has things in it (an SOP's steps)."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(isinstance(part, type) and issubclass(part, Struct) for part in typing.get_args(kind))
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return False
    inside = [_plain(_part(_plain(field.type))) for field in msgspec.structs.fields(kind)]
    return any(
        typing.get_origin(part) is dict
        or _is_unreadable(part)
        or (isinstance(part, type) and issubclass(part, Struct))
        for part in inside
    )


def _duration(text: str, language: Language) -> str:
    try:
        left = int(durations.parse(text).total_seconds())
    except ValueError:
        return text
    words = []
    for unit, seconds in zip(_UNITS[language], (86_400, 3_600, 60, 1), strict=True):
        count, left = divmod(left, seconds)
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words) or f"0 {_UNITS[language][-1]}"


def _part(kind: Any) -> Any:
    return typing.get_args(kind)[0] if typing.get_origin(kind) in (list, tuple) else kind


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
