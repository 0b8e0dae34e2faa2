"""How an endpoint is declared: its method, its parameters with their limits, and the function that answers.

The declaration checks what WeCom checks before it looks at anything: presence, type, length, choice.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

_ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_LARGEST = 2**63 - 1


@dataclass
class Upload:
    filename: str
    data: bytes


@dataclass
class Call:
    """One call, its parameters checked. `app`: whose token it came with."""

    world: World
    args: dict[str, Any]
    app: str
    upload: Upload | None = None

    def __getitem__(self, name: str) -> Any:
        return self.args.get(name)


@dataclass(frozen=True)
class P:
    """A parameter. `most`: characters, items or value, `code`: the error when there is more; `items`: the
    kind of a list's members; `least`: of a number."""

    name: str
    kind: type
    required: bool = False
    most: int | None = None
    code: int = 40058
    choices: tuple[Any, ...] = ()
    items: type | None = None
    least: int = 0

    def take(self, args: dict[str, Any]) -> None:
        """Check the value; a number that came as text is one from here on. ApiError 40058, 40063, `code`."""
        value: Any = args.get(self.name)
        if value is None or (not isinstance(value, int | float) and not value):
            if self.required:
                raise ApiError(40063, self.name)
            return
        if self.kind is int:
            value = args[self.name] = whole(value, self.name)
            if not self.least <= value <= _LARGEST:
                raise ApiError(40058, self.name)
        elif not isinstance(value, self.kind) or (isinstance(value, bool) and self.kind is not bool):
            raise ApiError(40058, self.name)
        if self.items is int:
            value = args[self.name] = [whole(item, self.name) for item in value]
        elif self.items and not all(isinstance(item, self.items) for item in value):
            raise ApiError(40058, self.name)
        size = value if isinstance(value, int) else len(value)
        if self.most is not None and size > self.most:
            raise ApiError(self.code, self.name)
        if self.choices and value not in self.choices:
            raise ApiError(self.code, self.name)


def whole(value: Any, name: str) -> int:
    """An integer as WeCom reads one: 5, "5" and 5.0 are the same. ApiError 40058."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ApiError(40058, name)
    return int(value)


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    answer: Callable[[Call], "dict[str, Any] | Download"]
    params: tuple[P, ...] = ()
    only_app: bool = False  # refuses the customer-contact secret's token
    in_query: tuple[str, ...] = ()  # parameters of a POST that stand in its address

    def arguments(self, query: dict[str, str], body: Any, raw: bytes, strict: bool) -> dict[str, Any]:
        """The checked parameters: from the query of a GET, from the JSON of a POST."""
        if strict and _ESCAPED.search(raw):
            raise ApiError(40033)
        given: Any = dict(query) if self.method == "GET" else body
        if isinstance(given, dict) and self.in_query:
            given = {**given, **{name: query[name] for name in self.in_query if name in query}}
        if not isinstance(given, dict):
            raise ApiError(40058, "body")
        for param in self.params:
            param.take(given)
        return given


def ok(**values: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", **values}


@dataclass(frozen=True)
class Download:
    """Bytes instead of JSON."""

    data: bytes
    filename: str
    content_type: str


def page(rows: Any, call: Call, default: int) -> tuple[Any, str]:
    """The page that `cursor` and `limit` ask for, and the next cursor ("" at the end). ApiError 50100."""
    cursor = call["cursor"] or ""
    if cursor and not re.fullmatch(r"CUR\d+", cursor):
        raise ApiError(50100)
    start = int(cursor[3:]) if cursor else 0
    end = start + (call["limit"] or default)
    return rows[start:end], f"CUR{end}" if end < len(rows) else ""
