"""The OpenAPI 3.1 document, made from what the doors declare; nothing is written twice."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_PAGE = {
    "limit": ("Items on a page", {"type": "integer", "minimum": 1, "maximum": 200}),
    "cursor": ("`next_cursor` of the page before", {"type": "string"}),
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
    schema_of = {id(kind): schema for kind, schema in zip([*bodies, *structs], schemas, strict=True)}
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
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {**components, "Problem": _PROBLEM},
        },
    }


def _operation(route: Any, schema_of: Mapping[int, Any]) -> dict[str, Any]:
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    answer = {"schema": schema_of[id(route.answer)]} if route.answer is not None else {"schema": {}}
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": f"{route.tag}.{route.view.__name__}".replace(" ", "_").lower(),
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {
            str(route.status): {
                "description": "Done",
                "content": {"application/json": answer},
            },
            "default": {"description": "A problem (RFC 9457)", **problem},
        },
    }
    if route.scope:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Scope: {route.scope}."
    if route.body is not None:
        content = {"application/json": {"schema": schema_of[id(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


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
