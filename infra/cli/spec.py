"""Commands from the OpenAPI document: what the API can do, the command line can, with nothing written twice.

`GET /api/live-codes/{live_code_id}` is `live-codes get LIVE_CODE_ID`, `POST /api/sops/{sop_id}/pause` is
`sops pause SOP_ID`, `POST /api/live-codes/{id}/print-runs` is `live-codes print-runs LIVE_CODE_ID`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import cleandoc
from typing import Any

from infra.cli.texts import say

_VERBS = {"get": "get", "put": "set", "patch": "change", "delete": "delete"}
_DEEP = 3  # levels of a body's fields that a help text names


@dataclass(frozen=True)
class Option:
    """Of the query or the body (`where`). `kind`: text, integer, number, boolean, json."""

    name: str
    where: str
    kind: str
    help: str
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class Command:
    """One call. `words`: what is typed; `ids`: the path's parameters; `takes`: the media type of a body that
    is a file as it is; `is_job`: its answer may be one; `uploads`: its answer has an `upload_url`.
    """

    words: tuple[str, ...]
    method: str
    path: str
    ids: tuple[str, ...]
    options: tuple[Option, ...]
    summary: str
    about: str
    takes: str | None
    paged: bool
    is_job: bool
    uploads: bool


def commands(document: Mapping[str, Any]) -> list[Command]:
    """Every call under /api/, sorted by its words."""
    paths = document["paths"]
    made = [
        _command(path, method, operation, paths, document)
        for path, methods in paths.items()
        if path.startswith("/api/")
        for method, operation in methods.items()
    ]
    shortest: dict[tuple[str, ...], int] = {}
    for command in made:
        shortest[command.words] = min(len(command.ids), shortest.get(command.words, len(command.ids)))
    # `POST /x/preview` and `POST /x/{id}/preview` are `x preview` and `x preview-of ID`.
    commands = [c if len(c.ids) == shortest[c.words] else _of(c) for c in made]
    return sorted(commands, key=lambda command: command.words)


def _of(command: Command) -> Command:
    return replace(command, words=(*command.words[:-1], command.words[-1] + "-of"))


def _command(
    path: str,
    method: str,
    operation: Mapping[str, Any],
    paths: Mapping[str, Any],
    document: Mapping[str, Any],
) -> Command:
    parts = path.removeprefix("/api/").split("/")
    words = [part for part in parts if not part.startswith("{")]
    ids = tuple(part.strip("{}") for part in parts if part.startswith("{"))
    queries = [p for p in operation["parameters"] if p["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    schema = _resolved(content.get("application/json", {}).get("schema"), document) or {}
    options = [
        Option(p["name"], "query", "text", _help(p.get("schema", {}) | p, document), _choices(p, document))
        for p in queries
    ]
    taken = {option.name for option in options}
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        if name not in taken:
            text = _help(field, document, needed=name in needed)
            options.append(Option(name, "body", _kind(field, document), text, _choices(field, document)))
    verb = _verb(path, parts, method, paths)
    status, answer = next(iter(operation["responses"].items()))
    answered = answer.get("content", {}).get("application/json", {}).get("schema")
    return Command(
        words=(*words, verb) if verb else tuple(words),
        method=method.upper(),
        path=path,
        ids=ids,
        options=tuple(options),
        summary=operation.get("summary", ""),
        about=cleandoc(str(schema.get("description", ""))),
        takes=next((kind for kind in content if kind != "application/json"), None),
        paged="cursor" in {p["name"] for p in queries},
        is_job=status == "202",
        uploads="upload_url" in (_resolved(answered, document) or {}).get("properties", ()),
    )


def _verb(path: str, parts: list[str], method: str, paths: Mapping[str, Any]) -> str | None:
    """What is added to the path's words; None when the last says what is done (`pause`, `poster.png`)."""
    collection = not parts[-1].startswith("{")
    of_one = any(re.fullmatch(re.escape(path) + r"/{\w+}", other) for other in paths)
    if method == "post":
        return "create" if "get" in paths[path] or of_one or not collection else None
    if method == "get" and collection:
        if "post" in paths[path] or of_one:
            return "list"
        return "get" if len(paths[path]) > 1 else None
    return _VERBS[method]


def _resolved(schema: Any, document: Mapping[str, Any]) -> Any:
    while isinstance(schema, Mapping) and "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def _kind(field: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    field = _resolved(field, document)
    choices = [_kind(c, document) for c in field.get("anyOf", []) if c.get("type") != "null"]
    if choices:
        return choices[0] if len(set(choices)) == 1 else "json"
    if "enum" in field:
        return "text"
    return {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}.get(
        field.get("type", ""), "json"
    )


def _choices(field: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[str, ...]:
    """The values of an enum, or of yes and no."""
    schema = _resolved(field.get("schema", field), document)
    for each in (schema, *(_resolved(part, document) for part in schema.get("anyOf", ()))):
        if "enum" in each:
            return tuple(map(str, each["enum"]))
        if each.get("type") == "boolean":
            return ("true", "false")
    return ()


def _help(field: Mapping[str, Any], document: Mapping[str, Any], needed: bool = False) -> str:
    """What it means, what it may be, whether it is needed."""
    schema = _resolved(field, document)
    meaning = str(field.get("description") or schema.get("description", "")).split("\n")[0].rstrip(".")
    shape = _shape(schema, document, _DEEP)
    default = field.get("default")
    parts = [
        *([say("needed")] if needed else []),
        *([meaning] if meaning else []),
        *([shape] if shape else []),
        *([f"{say('default')} {default}"] if default not in (None, "", [], {}) else []),
    ]
    return "; ".join(parts)


def _shape(schema: Any, document: Mapping[str, Any], deep: int) -> str:
    """`a | b` of an enum, `{name, members: [{staff_id, …}]}` of what has fields; "" for plain values."""
    schema = _resolved(schema, document)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if choices := [c for c in schema.get("anyOf", []) if c.get("type") != "null"]:
        return _shape(choices[0], document, deep)
    if "items" in schema:
        return f"[{_shape(schema['items'], document, deep) or '…'}]"
    if not schema.get("properties"):
        return ""
    if not deep:
        return "{…}"
    inside = {name: _shape(field, document, deep - 1) for name, field in schema["properties"].items()}
    return "{" + ", ".join(f"{name}: {shape}" if shape else name for name, shape in inside.items()) + "}"
