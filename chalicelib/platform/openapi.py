"""The OpenAPI 3.1 document, made from what the doors declare; nothing is written twice."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.platform import messages, validation
from chalicelib.platform.auth import SESSION_COOKIE
from chalicelib.platform.http import CSV, JSON, XLSX

# What may be wrong with a call, and the status of it.
_PROBLEMS = {
    400: "The body is not what its media type says, or has a key twice",
    401: "No API key, or one that is not known",
    403: "The role may not do this",
    404: "There is no such thing",
    405: "Another method: `Allow` has those that there are",
    409: "It is not in the state for this, somebody was faster, or the Idempotency-Key had another body",
    413: "The body is too large",
    422: "Bad input: `errors` names each field",
    429: "Used up: waiting helps",
    500: "A bug here; it has been logged",
    503: "Temporarily unavailable: the same call may succeed later",
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body give the first answer again, for a day",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_ID = {"type": "string", "minLength": 1, "maxLength": 256}


class FieldError(Struct, kw_only=True):
    """`message`: in the language of `Accept-Language` (zh, en), made of `code` and `params`."""

    field: str
    code: str
    params: dict[str, Any]
    message: str


class Problem(Struct, kw_only=True):
    """RFC 9457. `errors`: with 422."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


def document(routes: Sequence[Any]) -> dict[str, Any]:
    """`routes`: `platform.http.Route`s."""
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = route.path.replace("+}", "}")  # the rest of a path: OpenAPI has no word for it
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    problem = {"application/problem+json": {"schema": schemas.of(Problem)}}
    headers = {
        405: {"Allow": {"schema": {"type": "string"}}},
        429: {"Retry-After": {"schema": {"type": "integer"}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Millrace",
            "version": "1",
            "description": "Private-domain operations (私域运营) on WeCom. Money: whole fen. Time: ISO 8601.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": "A write carries X-CSRF-Token too, from GET /api/me",
                },
            },
            "responses": {
                _name(status): {
                    "description": text,
                    "content": problem,
                    **({"headers": headers[status]} if status in headers else {}),
                }
                for status, text in _PROBLEMS.items()
            },
            "schemas": schemas.components,
        },
    }


class _Schemas:
    """Each type's schema, under a name of its own that holds no Python path."""

    def __init__(self, routes: Sequence[Any]):
        bodies = [r.body for r in routes if r.body is not None]
        kinds = list(dict.fromkeys([*bodies, *(r.answer for r in routes if r.answer is not None), Problem]))
        refs, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
        names = _short_names(components)
        closed = _reachable([refs[kinds.index(r.body)] for r in routes if r.body and not r.open], components)
        self.components = {
            names[name]: _rename(validation.schema(part, closed=name in closed), names)
            for name, part in components.items()
        }
        self._refs = {
            kind: _rename(validation.schema(ref), names) for kind, ref in zip(kinds, refs, strict=True)
        }

    def of(self, kind: Any) -> Any:
        """The schema of a body's or an answer's type."""
        return self._refs[kind]


def _short_names(components: Mapping[str, Any]) -> dict[str, str]:
    """chalicelib.stores.types.Hours → StoresHours, Listing_StoreOut_ → StoreOutListing."""
    names: dict[str, str] = {}
    for name in components:
        *packages, last = re.sub(r"\[.*", "", name).split(".")
        generic, _, argument = last.rstrip("_").partition("_")
        short = f"{argument}{generic}" if argument else last
        if packages:
            short = packages[1].title() + short
        if short in names.values():
            raise ValueError(f"two schemas have the name {short}")
        names[name] = short
    return names


def _reachable(refs: Sequence[Any], components: Mapping[str, Any]) -> set[str]:
    """The components that stand in these schemas, however deep."""
    reached: set[str] = set()
    waiting = [name for ref in refs for name in _references(ref)]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _references(components[name])
    return reached


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, part in schema.items():
            if name == "$ref":
                yield part.rpartition("/")[2]
            else:
                yield from _references(part)
    elif isinstance(schema, (list, tuple)):
        for part in schema:
            yield from _references(part)


def _rename(schema: Any, names: Mapping[str, str]) -> Any:
    if isinstance(schema, dict):
        made = {name: _rename(part, names) for name, part in schema.items()}
        made.pop("title", None) if isinstance(made.get("title"), str) else None
        for name in ("$ref", "discriminator"):
            if name in made:
                made[name] = _rename_references(made[name], names)
        return made
    return [_rename(part, names) for part in schema] if isinstance(schema, list) else schema


def _rename_references(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        head, slash, name = value.rpartition("/")
        return f"{head}{slash}{names[name]}" if name in names else value
    mapping = {tag: _rename_references(ref, names) for tag, ref in value.get("mapping", {}).items()}
    return {**value, "mapping": mapping}


def _operation(route: Any, schemas: _Schemas) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if not 300 <= route.status < 400 and route.status != 204:
        done["content"] = _content(route.gives, schemas.of(route.answer) if route.answer else None)
        if route.is_list:
            done["content"] |= _content(CSV, None) | _content(XLSX, None)
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": _operation_id(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": {
            str(route.status): done,
            **{str(status): _response(route, status, text, schemas) for status, text in route.others.items()},
            **{
                str(status): _response(route, status, _PROBLEMS[status], schemas)
                if route.page
                else {"$ref": f"#/components/responses/{_name(status)}"}
                for status in _problem_statuses(route)
                if status not in route.others
            },
        },
        "security": [{"key": []}, {"session": []}] if route.permission else [],
    }
    if route.permission:
        operation["description"] = f"Permission: {route.permission}."
    if route.body is not None:
        needed = any(field.required for field in msgspec.structs.fields(route.body))
        content = _content("application/json", schemas.of(route.body))
        if route.takes and route.takes != "application/json":
            content |= _content(route.takes, None)
        operation["requestBody"] = {"required": needed, "content": content}
    elif route.takes:
        operation["requestBody"] = {"required": True, "content": _content(route.takes, None)}
    return operation


def _response(route: Any, status: int, text: str, schemas: _Schemas) -> dict[str, Any]:
    """A problem of a page is another page to a browser."""
    if status < 400:
        return {"description": text}
    content = _content("application/problem+json", schemas.of(Problem))
    return {"description": text, "content": content | (_content("text/html", None) if route.page else {})}


def _operation_id(route: Any) -> str:
    """By what client generators name a call, e.g. livecodes_create."""
    package = route.view.__module__.removeprefix("chalicelib.").partition(".")[0]
    return f"{package}_{route.view.__name__}"


def _content(kind: str, schema: Any) -> dict[str, Any]:
    """JSON or YAML of the schema, or of any; else text or bytes, after JSON if there is a schema."""
    if kind.endswith(("json", "yaml")):
        return {kind: {"schema": schema if schema is not None else {}}}
    text = kind.startswith("text/") or kind.endswith("xml")
    other = {"type": "string"} if text else {"type": "string", "format": "binary"}
    # JSON first: a client generator takes the first kind that it knows.
    return {**({"application/json": {"schema": schema}} if schema else {}), kind: {"schema": other}}


def _problem_statuses(route: Any) -> list[int]:
    body = route.body is not None or route.takes
    return [
        *([400] if body else []),
        *([401, 403] if route.permission else []),
        *([404] if "{" in route.path or route.query or route.body else []),
        405,
        *([409] if route.permission and route.method != "GET" else []),
        *([413] if body or route.is_list else []),
        *([422] if body or route.query or _is_kept(route) else []),
        *([429] if route.permission and route.method != "GET" else []),
        500,
        503,
    ]


def _name(status: int) -> str:
    """A response's name among the components, e.g. NotFound."""
    return messages.title(status, "en").title().replace(" ", "")


def _path_parameters(route: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _inline(route.parameters[name]) if name in route.parameters else _ID,
        }
        for name in re.findall(r"{(\w+)\+?}", route.path)
    ]


def _query_parameters(route: Any) -> list[dict[str, Any]]:
    return list(_fields(route.query, "query")) if route.query else []


def _header_parameters(route: Any) -> list[dict[str, Any]]:
    own = list(_fields(route.headers, "header")) if route.headers else []
    return [*own, _IDEMPOTENCY] if _is_kept(route) else own


def _is_kept(route: Any) -> bool:
    """Whether its answers are kept for an Idempotency-Key: a file is made anew."""
    return bool(route.permission and route.method == "POST" and route.gives == JSON)


def _fields(kind: type[Struct], place: str) -> Iterator[dict[str, Any]]:
    """The parameters of a Struct. A string that may be null is one that may be absent."""
    for field in msgspec.structs.fields(kind):
        schema = _inline(field.type)
        options = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
        if len(options) == 1:
            schema = {**{k: v for k, v in schema.items() if k != "anyOf"}, **options[0]}
        default = field.default
        if default not in (msgspec.NODEFAULT, msgspec.UNSET, None, ""):
            schema["default"] = default
        description = schema.pop("description", None)
        yield {
            "name": field.encode_name,
            "in": place,
            "required": field.required,
            **({"description": description} if description else {}),
            "schema": schema,
        }


def _inline(kind: Any) -> dict[str, Any]:
    return dict(validation.schema(msgspec.json.schema(kind)))
