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
