"""The OpenAPI document is whole and true: every route, and nothing else; what each takes, gives and refuses."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

import app
from chalicelib.platform import openapi
from chalicelib.platform.http import JSON, XLSX, Door, Route

ROUTES = [route for route in Door.routes if route.view.__module__.startswith("chalicelib.")]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As a client reads it."""
    told: dict[str, Any] = json.loads(json.dumps(openapi.document(ROUTES)))
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def operation(document: dict[str, Any], route: Route) -> dict[str, Any]:
    return dict(document["paths"][route.path.replace("+}", "}")][route.method.lower()])


def test_it_has_every_route_of_the_app_and_no_other(document: dict[str, Any]) -> None:
    routes = app.app.routes.items()
    deployed = {
        (method, path.replace("+}", "}"))
        for path, methods in routes
        for method in methods
        if method != "HEAD"
    }
    assert {(method, path) for method, path, _ in operations(document)} == deployed


def test_names_are_unique_and_every_call_says_what_it_does(document: dict[str, Any]) -> None:
    told = [one for *_, one in operations(document)]
    assert len({one["operationId"] for one in told}) == len(told)
    assert all(
        one["summary"] and one["tags"] and re.fullmatch(r"[a-z_.]+", one["operationId"]) for one in told
    )


def test_what_it_refers_to_is_there_and_each_schema_is_one(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(schemas) and len(named) > 50
    problems = set(re.findall(r'"\$ref": "#/components/responses/([^"]+)"', json.dumps(document)))
    assert problems == set(document["components"]["responses"])
    assert r"\\Z" not in json.dumps(document)  # JavaScript would take it for the letter
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_call_is_told_as_it_is(document: dict[str, Any], route: Route) -> None:
    told = operation(document, route)
    assert (route.permission is not None) is route.path.startswith("/api/") is bool(told["security"])
    assert {p["name"] for p in told["parameters"] if p["in"] == "path"} == set(
        re.findall(r"{(\w+)\+?}", route.path)
    )
    answers = told["responses"]
    assert {"405", "500", "503"} <= set(answers)
    assert route.status in (204, 302, 303) or route.gives in answers[str(route.status)]["content"]
    wrong = {
        "401": route.permission,
        "404": "{" in route.path,
        "422": route.body or route.takes or route.query,
    }
    assert {status for status, may in wrong.items() if may} <= set(answers)
    takes = [JSON] if route.body else []  # with `takes`: its view judges it by its type
    takes += [route.takes] if route.takes and route.takes not in takes else []
    assert list(told.get("requestBody", {}).get("content", {})) == takes


def test_a_page_is_not_told_as_json(document: dict[str, Any]) -> None:
    def kinds(path: str, method: str = "get") -> set[str]:
        return set(document["paths"][path][method]["responses"]["200"]["content"])

    assert kinds("/s/{code}") == {"text/html", JSON} and kinds("/h5/a/{code}") == {"text/html"}
    assert kinds("/api/live-codes/{live_code_id}/poster.png") == {"image/png"}
    assert kinds("/api/live-codes") == {JSON, "text/csv", XLSX} and kinds("/api/me") == {JSON}
