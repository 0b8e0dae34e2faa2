"""No body, however odd, gets anything but an error code."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from infra.sandbox.api import ENDPOINTS

SCALARS = (
    some.none() | some.booleans() | some.integers(-5, 10**12) | some.text(max_size=8) | some.just("lihua")
)
VALUES = some.recursive(
    SCALARS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=4), inner, max_size=3),
)
NESTED = {
    "tag": ("name", "order"),
    "tag_filter": ("group_list",),
    "owner_filter": ("userid_list",),
    "text": ("content",),
}


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
@settings(max_examples=20)
@given(values=some.data())
def test_odd_bodies(corp: Any, path: str, values: some.DataObject) -> None:
    endpoint = ENDPOINTS[path]
    body: dict[str, Any] = {}
    for param in endpoint.params:
        inner = some.fixed_dictionaries(dict.fromkeys(NESTED.get(param.name, ()), VALUES))
        choices = some.sampled_from(param.choices) if param.choices else VALUES
        kinds = {
            list: some.lists(inner | VALUES, max_size=3),
            dict: inner | VALUES,
            str: some.text(max_size=5),
        }
        right = kinds.get(param.kind, VALUES)
        body[param.name] = values.draw(choices | right | VALUES)
    query = {k: str(v) for k, v in body.items()} if endpoint.method == "GET" else {}
    raw = json.dumps(body).encode()
    status, answer = corp.raw(endpoint.method, path, {"access_token": corp.token(), **query}, raw)
    assert status == 200
    assert isinstance(answer["errcode"], int)
    json.dumps(answer)


NO_JSON = (
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"limit": NaN}',
    b'{"userid": "\\ud800"}',
    b'{"x": ' + b"9" * 5000 + b"}",
)


@pytest.mark.parametrize("path", sorted(path for path, e in ENDPOINTS.items() if e.method == "POST"))
def test_no_json_and_numbers_out_of_range(corp: Any, path: str) -> None:
    """What no parser takes is refused as WeCom refuses it, and no number is too small or too large."""
    query = {"access_token": corp.token()}
    for body in NO_JSON:
        status, answer = corp.raw("POST", path, query, body)
        assert (status, answer["errcode"] != 0) == (200, True), body[:40]
        assert "Warning: wrong json format." in answer["errmsg"]
    for param in ENDPOINTS[path].params:
        if param.kind is int and param.name not in ENDPOINTS[path].in_query:
            for value in (-1, "-1", 2**63, 1.5, "1.5", "one", True, [1], "１"):
                body = json.dumps({param.name: value}).encode()
                code = corp.raw("POST", path, query, body)[1]["errcode"]
                first = next(p for p in ENDPOINTS[path].params if p.required or p is param)
                assert code == (40058 if first is param else 40063), (param.name, value)


def test_a_limit_of_minus_one(corp: Any) -> None:
    for path, endpoint in ENDPOINTS.items():
        optional = all(not p.required or p.name == "limit" for p in endpoint.params)
        if optional and any(p.name == "limit" for p in endpoint.params):
            assert [corp.code(path, {"limit": value}) for value in (-1, "-1", "10")] == [40058, 40058, 0], (
                path
            )
