"""Every route with every role, from a table that a person can read: tests/roles.txt."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from chalice.test import Client

from app import app
from chalicelib.platform import auth, http, openapi, permissions
from chalicelib.platform.errors import DomainError
from chalicelib.platform.http import Door

app.load_all()
TABLE = (Path(__file__).parents[1] / "roles.txt").read_text().splitlines()
ROLES = next(line for line in TABLE if line.startswith("# route")).split()[2:-1]
ROWS = {
    (line.split()[0], line.split()[1]): line.split()[2:]
    for line in TABLE
    if line and not line.startswith("#")
}
SCOPES = {"kept", "corp", "free"}
ROUTES = {
    (route.method, route.path): route
    for route in Door.routes
    if route.permission and route.view.__module__.startswith("chalicelib.")
}


class LookedAtTheBody(DomainError):
    status = 418


@pytest.fixture
def client(tables: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    def look(*_: object) -> None:
        raise LookedAtTheBody("let in")

    monkeypatch.setattr(http, "Call", look)  # what comes first after the permission
    with Client(app) as client:
        yield client


def call(client: Client, method: str, path: str, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return int(client.http.request(method, path, headers=headers, body=b"{bad").status_code)


def test_the_table_has_every_route_of_the_openapi_document_that_takes_a_key() -> None:
    document = json.loads(json.dumps(openapi.document(list(ROUTES.values()))))
    secured = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security")
    }
    assert secured == set(ROWS) == set(ROUTES)
    assert set(permissions.ROLES) == set(ROLES)
    assert all(len(row) == len(ROLES) + 1 and row[-1] in SCOPES for row in ROWS.values())
    assert {route.permission for route in ROUTES.values()} <= permissions.ALL


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_let_in_where_the_table_says_and_refused_before_the_body_is_looked_at(
    client: Client, role: str
) -> None:
    key = auth.create_key(role, role)
    column = ROLES.index(role)
    wanted = {route: 418 if row[column] == "x" else 403 for route, row in ROWS.items()}
    assert {route: call(client, *route, key) for route in ROWS} == wanted


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
@pytest.mark.parametrize("scope", [auth.Scope(("s1",)), auth.Scope((), None), auth.Scope(None, ("2",))])
def test_what_is_of_the_whole_corp_is_refused_to_whoever_is_kept_to_a_scope(
    client: Client, role: str, scope: auth.Scope
) -> None:
    key = auth.create_key(role, role, scope)
    corp = [route for route, row in ROWS.items() if row[-1] == "corp"]
    assert {call(client, *route, key) for route in corp} == {403}


def test_without_a_key_nobody_is_let_in(client: Client) -> None:
    answers = {
        client.http.request(method, path, headers={}, body=b"{bad").status_code for method, path in ROWS
    }
    assert answers == {401}


def test_rates_are_for_money_roles_and_an_auditor_sees_a_settlements_sums_alone(
    tables: None, sent: list[object]
) -> None:
    with Client(app) as client:

        def ask(role: str, method: str, path: str, body: object = None) -> dict[str, object]:
            headers = {"Authorization": f"Bearer {auth.create_key(role, role)}"}
            raw = json.dumps(body).encode() if body is not None else b""
            answer = client.http.request(method, path, headers=headers, body=raw)
            return dict(json.loads(answer.body))

        plan = ask(
            "finance", "POST", "/api/distribution/plans", {"name": "p", "levels": [{"rate_bps": 1000}]}
        )
        path = f"/api/distribution/plans/{plan['plan_id']}"
        assert ask("finance", "GET", path)["levels"] == [{"rate_bps": 1000}]
        assert ask("operator", "GET", path)["levels"] == [{"rate_bps": None}]
        run = ask("finance", "POST", "/api/settlements", {})
        path = f"/api/settlements/{run['settlement_id']}"
        assert ask("finance", "GET", path)["payouts"] == []
        found = ask("auditor", "GET", path)
        assert (found["payouts"], found["gross_fen"]) == (None, 0)
