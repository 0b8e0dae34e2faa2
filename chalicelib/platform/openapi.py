"""The OpenAPI 3.1 document, made from what the doors declare; nothing is written twice."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chalicelib.platform.auth import SESSION_COOKIE

_PAGE = {
    "limit": ("Items on a page", {"type": "integer", "minimum": 1, "maximum": 200}),
    "cursor": ("`next_cursor` of the page before", {"type": "string"}),
}
# What may be wrong with a call; a public door has the statuses of its own kind besides, so `default` too.
_WRONG = {
    "400": "The body is not what its type says",
    "401": "No API key, or one that is not known",
    "403": "The key's role may not do this",
    "404": "There is no such thing",
    "409": "It is not in the state for this, somebody was faster, or the Idempotency-Key had another body",
    "413": "The body is too large",
    "422": "Bad input: `errors` names each field",
    "default": "Another problem (RFC 9457)",
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def document(routes: Sequence[Any]) -> dict[str, Any]:
    """`routes`: `platform.http.Route`s."""
    bodies = [r.body for r in routes if r.body is not None]
    structs = [r.answer for r in routes if r.answer is not None]
    schemas, components = msgspec.json.schema_components(
        [*bodies, *structs], ref_template="#/components/schemas/{name}"
    )
    schemas, components = _told(schemas), _told(components)
    schema_of = {id(kind): schema for kind, schema in zip([*bodies, *structs], schemas, strict=True)}
    problem = _content("application/problem+json", {"$ref": "#/components/schemas/Problem"})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Millrace",
            "version": "1",
            "description": "Private-domain operations (私域运营) on WeCom. Money: whole fen. Time: ISO 8601.",
        },
        "servers": [{"url": "/"}],
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
                status: {"description": text, "content": problem} for status, text in _WRONG.items()
            },
            "schemas": {**components, "Problem": _PROBLEM},
        },
    }


def _told(schema: Any) -> Any:
    r"""Patterns as JSON Schema has them, which are JavaScript's: our `\Z` is its `$`."""
    if isinstance(schema, dict):
        return {
            name: value.replace(r"\Z", "$") if name == "pattern" and isinstance(value, str) else _told(value)
            for name, value in schema.items()
        }
    return [_told(one) for one in schema] if isinstance(schema, (list, tuple)) else schema


def _operation(route: Any, schema_of: Mapping[int, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if not 300 <= route.status < 400:
        done["content"] = _content(route.gives, schema_of[id(route.answer)] if route.answer else None)
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": f"{route.tag}.{route.view.__name__}".replace(" ", "_").lower(),
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {
            str(route.status): done,
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _wrong(route)},
        },
    }
    if route.permission:
        operation["security"] = [{"key": []}, {"session": []}]
        operation["description"] = f"Permission: {route.permission}."
    if route.body is not None:
        needed = any(field.required for field in msgspec.structs.fields(route.body))
        content = _content("application/json", schema_of[id(route.body)])
        operation["requestBody"] = {"required": needed, "content": content}
    elif route.takes:
        operation["requestBody"] = {"required": True, "content": _content(route.takes, None)}
    return operation


def _content(kind: str, schema: Any) -> dict[str, Any]:
    """JSON of that schema, or of any; text or bytes of another kind, beside the JSON if there is a schema."""
    if kind.endswith("json"):
        return {kind: {"schema": schema or {}}}
    other = {"type": "string"} if kind.startswith("text/") or kind.endswith("yaml") else {}
    return {kind: {"schema": other}, **({"application/json": {"schema": schema}} if schema else {})}


def _wrong(route: Any) -> list[str]:
    body = route.body is not None or route.takes
    return [
        *(["400"] if body else []),
        *(["401", "403"] if route.permission else []),
        *(["404"] if "{" in route.path else []),
        *(["409"] if route.permission and route.method != "GET" else []),
        *(["413"] if body else []),
        *(["422"] if body or route.query else []),
        "default",
    ]


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(query: Mapping[str, str]) -> list[dict[str, Any]]:
    found = []
    for name, meaning in query.items():
        text, schema = _PAGE.get(name, (meaning, {"type": "string"}))
        found.append(
            {
                "name": name,
                "in": "query",
                "description": meaning or text,
                "schema": schema,
            }
        )
    return found
