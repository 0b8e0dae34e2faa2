"""What every door has in common, through Chalice with API Gateway's events."""

import io
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import pytest
from chalice.test import Client

import app as doors
from app import app as product
from chalicelib.platform import auth, http, openapi
from chalicelib.platform.errors import Conflict, NotFound, Upstream
from chalicelib.platform.http_routing import Millrace
from chalicelib.platform.lists import Paging
from chalicelib.web import frame


class ToyMember(msgspec.Struct, kw_only=True):
    staff_id: str
    daily_cap: Annotated[int, msgspec.Meta(ge=0)] | None = None


class ToyBody(msgspec.Struct, kw_only=True):
    name: str
    members: list[ToyMember] = []


class ToyOut(msgspec.Struct, kw_only=True):
    name: str
    by: str | None


door = http.Door("toy", tag="Toy")
made: list[str] = []


@door.route(
    "POST", "/api/toys", body=ToyBody, status=201, permission="stores.write", summary="Make", answer=ToyOut
)
def create(call: http.Call) -> Any:
    made.append(call.body.name)
    return {"name": call.body.name, "by": call.principal.name}


@door.route("GET", "/api/toys/{toy_id}", permission="stores.read", summary="Read", query=Paging)
def read(call: http.Call, toy_id: str) -> Any:
    errors = {"missing": NotFound("no toy"), "clash": Conflict("clash"), "upstream": Upstream("later")}
    if toy_id in errors:
        raise errors[toy_id]
    if toy_id == "bug":
        raise KeyError("13800138000")
    return {"items": [toy_id, str(call.query.limit), str(call.query.cursor)]}


@door.route("GET", "/picture", summary="Bytes")
def picture(call: http.Call) -> http.Answer:
    return http.Answer(b"\x89PNG", headers={"Content-Type": "image/png"})


@door.route("POST", "/api/toys/drawn", permission="stores.write", summary="Draw", gives="image/png")
def draw(call: http.Call) -> http.Answer:
    return http.Answer(b"\x89PNG", headers={"Content-Type": "image/png"})


@door.route("GET", "/toys/{toy_id}", summary="A page", query=Paging, gives="text/html", page=frame.problem)
def show(call: http.Call, toy_id: str) -> http.Answer:
    read(call, toy_id)
    return http.Answer("<!doctype html>", headers={"Content-Type": "text/html"})


app = Millrace({}, name="toy")  # once: Chalice uses a blueprint's options up when it registers it
app.register_blueprint(door.blueprint)


@pytest.fixture
def client(tables: None) -> Iterator[Client]:
    made.clear()
    with Client(app) as client:
        yield client


@pytest.fixture
def key(tables: None) -> dict[str, str]:
    return {"Authorization": f"Bearer {auth.create_key('test', 'operator')}"}


def post(client: Client, body: Any, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.http.post("/api/toys", headers={**headers, "Content-Type": "application/json"}, body=raw)
    return answer.status_code, answer.json_body


def test_no_key_a_wrong_key_and_a_role_too_small(client: Client, key: dict[str, str]) -> None:
    for headers in ({}, {"Authorization": "Bearer nope"}, {"Authorization": "Basic x"}):
        status, body = post(client, {"name": "a"}, headers)
        assert status == 401 and body["status"] == 401
    auditor = {"Authorization": f"Bearer {auth.create_key('a', 'auditor')}"}
    assert post(client, {"name": "a"}, auditor)[0] == 403
    assert made == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": "a", "members": [{"staff_id": "x", "daily_cap": -1}]}, "members[0].daily_cap"),
        ({"name": "a", "members": [{"staff_id": "x"}, {}]}, "members[1].staff_id"),
        ([], "body"),
    ],
)
def test_bad_input_names_the_field(client: Client, key: dict[str, str], body: Any, field: str) -> None:
    status, answer = post(client, body, key)
    assert status == 422 and answer["errors"][0]["field"] == field
    assert made == []


def test_malformed_json_is_400_and_a_large_body_413(client: Client, key: dict[str, str]) -> None:
    assert post(client, b"{", key)[0] == 400
    assert post(client, b"\xff\xfe", key)[0] == 400
    assert post(client, b'"' + b"x" * http.MAX_BODY + b'"', key)[0] == 413


def test_the_idempotency_key_gives_the_first_answer(client: Client, key: dict[str, str]) -> None:
    headers = {**key, "Idempotency-Key": "k1"}
    first, second = post(client, {"name": "a"}, headers), post(client, {"name": "a"}, headers)
    assert first == second == (201, {"name": "a", "by": "test"})
    assert made == ["a"]
    assert post(client, {"name": "b"}, headers)[0] == 409


def test_errors_are_problems_and_a_bug_tells_nothing(
    client: Client, key: dict[str, str], logged: io.StringIO
) -> None:
    for toy, status in (("missing", 404), ("clash", 409), ("upstream", 503), ("bug", 500)):
        answer = client.http.get(f"/api/toys/{toy}", headers=key)
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail"} <= set(answer.json_body)
    assert "KeyError" in logged.getvalue()
    assert "13800138000" not in logged.getvalue() + json.dumps(answer.json_body)


@pytest.mark.parametrize(
    ("toy", "status", "said"), [("missing", 404, "页面不存在或已失效"), ("bug", 500, "请稍后再试")]
)
def test_a_person_is_told_of_a_problem_by_a_page(client: Client, toy: str, status: int, said: str) -> None:
    for accept in ("text/html,application/xhtml+xml", "*/*", "text/html, application/json"):
        answer = client.http.get(f"/toys/{toy}", headers={"Accept": accept})
        assert answer.status_code == status and said in answer.body.decode()
        assert answer.headers["Cache-Control"] == "no-store" and "KeyError" not in answer.body.decode()
    answer = client.http.get(f"/toys/{toy}", headers={"Accept": "application/json"})
    assert answer.status_code == status and answer.headers["Content-Type"] == http.PROBLEM


def gateway(app: Millrace, method: str, path: str) -> dict[str, Any]:
    """The answer to API Gateway's event, as it comes through a `{proxy+}` root."""
    event = {
        "path": path,
        "pathParameters": {"proxy": path.lstrip("/")},
        "requestContext": {
            "httpMethod": method,
            "resourcePath": "/{proxy+}",
            "path": f"/prod{path}",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "headers": {"Accept": "text/html"},
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "body": None,
    }
    return dict(app(event, None))


def test_a_path_finds_its_route_and_a_literal_goes_first(tables: None) -> None:
    assert gateway(app, "GET", "/toys/a")["body"] == "<!doctype html>"
    assert gateway(app, "GET", "/toys/a/")["statusCode"] == 200
    assert gateway(app, "POST", "/api/toys/drawn")["statusCode"] == 401


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/toys", "/toys//", "/toys/a/b", "/api/toys/", "/api/toys/a/b"]
)
def test_a_path_that_no_route_has_is_404(path: str) -> None:
    answer = gateway(app, "GET", path)
    expected = 405 if path == "/api/toys/" else 404
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (expected, expected)
    assert answer["headers"]["Content-Type"] == http.PROBLEM


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/toys/a", "GET, HEAD"),
        ("OPTIONS", "/api/toys", "POST"),
        ("HEAD", "/api/toys", "POST"),
        ("PUT", "/picture", "GET, HEAD"),
    ],
)
def test_another_method_is_405_and_says_which_there_are(method: str, path: str, allowed: str) -> None:
    answer = gateway(app, method, path)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, allowed)
    assert answer["headers"]["Content-Type"] == http.PROBLEM


def test_head_is_get_without_its_body(tables: None) -> None:
    for path in ("/picture", "/toys/a", "/toys/missing"):
        got, head = gateway(app, "GET", path), gateway(app, "HEAD", path)
        assert got["body"] and head["body"] == ""
        assert (head["statusCode"], head["headers"]) == (got["statusCode"], got["headers"])


def test_a_function_serves_its_own_doors_alone(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for serves, path in (("public", "/healthz"), ("api", "/h5/tasks/x"), ("api", "/api/live-codes")):
        for name in ("public", "api"):
            monkeypatch.setenv("DOORS", name)
            answer = gateway(product, "PUT", path)
            assert answer["statusCode"] == (405 if name == serves else 404), (name, path)


def test_each_door_names_the_roots_of_its_routes_and_no_other() -> None:
    declared = {(module, root.rstrip("/")) for module, roots in doors.DOORS.items() for root in roots.split()}
    used = set()
    for route in http.Door.routes:
        module = route.view.__module__.removeprefix("chalicelib.")
        if module in doors.DOORS:
            root = route.path
            while root and root not in {name for _, name in declared}:
                root = root.rpartition("/")[0]
            used.add((module, root))
    assert used == declared


@pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "", "٣"])
def test_a_bad_limit(client: Client, key: dict[str, str], limit: str) -> None:
    answer = client.http.get(f"/api/toys/a?limit={limit}", headers=key)
    assert answer.status_code == 422 and answer.json_body["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"accept": "text/html"}])
def test_a_picture_goes_to_a_client_whatever_it_accepts(client: Client, headers: dict[str, str]) -> None:
    answer = client.http.get("/picture", headers=headers)
    assert answer.status_code == 200 and answer.body == b"\x89PNG"


def test_an_id_longer_than_any_key_is_not_found(client: Client, key: dict[str, str]) -> None:
    assert client.http.get(f"/api/toys/{'x' * 3000}", headers=key).status_code == 404


def test_health_and_an_unknown_job(tables: None, key: dict[str, str]) -> None:
    with Client(product) as client:
        assert client.http.get("/healthz").json_body == {"status": "ok"}
        assert client.http.get("/api/jobs/none", headers=key).status_code == 404


def test_nothing_under_api_is_done_without_a_key(tables: None) -> None:
    routes = [route for route in http.Door.routes if route.path.startswith("/api/") and route.tag != "Toy"]
    assert len(routes) > 100
    with Client(product) as client:
        for route in routes:
            path = re.sub(r"{\w+}", "x", route.path)
            for headers in ({}, {"Authorization": "Bearer mr_guess"}):
                answer = client.http.request(route.method, path, headers=headers, body=b"{}")
                assert answer.status_code == 401, (route.method, route.path)


def test_a_picture_is_one_also_with_an_idempotency_key(client: Client, key: dict[str, str]) -> None:
    headers = {**key, "Idempotency-Key": "k1"}
    for _ in range(2):
        answer = client.http.post("/api/toys/drawn", headers=headers)
        assert (answer.body, answer.headers["Content-Type"]) == (b"\x89PNG", "image/png")


def test_the_openapi_document_holds_what_the_doors_declare() -> None:
    document = openapi.document(http.Door.routes)
    operation = document["paths"]["/api/toys"]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("ToyBody")
    assert (
        document["components"]["schemas"]["ToyMember"]["properties"]["daily_cap"]["anyOf"][0]["minimum"] == 0
    )
    assert operation["security"] == [{"key": []}, {"session": []}]


@pytest.mark.parametrize(
    ("accept", "json_wanted"),
    [
        ("application/json", True),
        ("application/json, text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,application/json", False),
        ("application/json;q=0.1, text/html", False),
        ("text/html;q=0.5, application/json ; q=0.8", True),
        ("application/json;q=0", False),
        ("application/json;q=x", True),
        ("application/json;charset=utf-8", True),
        ("*/*", False),
        ("", False),
        (",;,", False),
    ],
)
def test_what_a_caller_would_rather_have(accept: str, json_wanted: bool) -> None:
    assert http.wants_json({"accept": accept}) is json_wanted


@pytest.mark.parametrize("toy_id", ["A/B", "A B", "a?b#c", "包裹卡", "100%", "a+b", "%2F"])
def test_an_id_may_hold_what_an_address_must_escape(client: Client, key: dict[str, str], toy_id: str) -> None:
    answer = client.http.get(f"/api/toys/{quote(toy_id, safe='')}", headers=key)
    assert (answer.status_code, json.loads(answer.body)["items"][0]) == (200, toy_id)
