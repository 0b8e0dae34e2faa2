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
    """A parameter. `most`: characters, items or value; `code`: the error when there is more."""

    name: str
    kind: type
    required: bool = False
    most: int | None = None
    code: int = 40058
    choices: tuple[Any, ...] = ()

    def check(self, args: dict[str, Any]) -> None:
        value = args.get(self.name)
        if value is None or value in ("", [], {}):
            if self.required and not (self.kind is bool and value is False):
                raise ApiError(40063, self.name)
            return
        wrong_bool = isinstance(value, bool) and self.kind is not bool
        if wrong_bool or not isinstance(value, self.kind):
            raise ApiError(40058, self.name)
        size = value if isinstance(value, int) else len(value)  # type: ignore[arg-type]
        if self.most is not None and size > self.most:
            raise ApiError(self.code, self.name)
        if self.choices and value not in self.choices:
            raise ApiError(self.code, self.name)


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    answer: Callable[[Call], dict[str, Any]]
    params: tuple[P, ...] = ()
    only_app: bool = False  # refuses the customer-contact secret's token

    def arguments(self, query: dict[str, str], body: Any, raw: bytes, strict: bool) -> dict[str, Any]:
        """The checked parameters: from the query of a GET, from the JSON of a POST."""
        if strict and _ESCAPED.search(raw):
            raise ApiError(40033)
        given: dict[str, Any] = dict(query) if self.method == "GET" else body
        if not isinstance(given, dict):
            raise ApiError(40058, "body")
        for param in self.params:
            if self.method == "GET" and param.kind is int and param.name in given:
                given[param.name] = _integer(given[param.name], param.name)
            param.check(given)
        return given


def _integer(text: str, name: str) -> int:
    if not text.isdigit():
        raise ApiError(40058, name)
    return int(text)


def ok(**values: Any) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", **values}


def page(rows: list[Any], call: Call, default: int) -> tuple[list[Any], str]:
    """The page that `cursor` and `limit` ask for, and the next cursor ("" at the end). ApiError 50100."""
    cursor = call["cursor"] or ""
    if cursor and not re.fullmatch(r"CUR\d+", cursor):
        raise ApiError(50100)
    start = int(cursor[3:]) if cursor else 0
    end = start + (call["limit"] or default)
    return rows[start:end], f"CUR{end}" if end < len(rows) else ""
