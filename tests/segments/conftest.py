"""The API of segments over a lake in this process."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.lake import engine
from chalicelib.lake.engine import Lake
from chalicelib.platform import auth, invocations, queues
from chalicelib.platform.auth import Scope
from chalicelib.segments import looking
from chalicelib.stores import guides
from tests.support.lake_world import NOW, Ask, ask_the_lake


@pytest.fixture
def world(
    tables: None,
    keys: None,
    bucket: str,
    sent: list[Any],
    at: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[datetime], None]]:
    """One process that is every function: what goes to the lake is written at the end of each `add`."""
    at(NOW)
    lake = Lake(tmp_path / "lake")
    monkeypatch.setattr(engine, "current", lambda: lake)
    monkeypatch.setattr(looking, "current", lambda: lake)
    monkeypatch.setattr(queues, "count", lambda queue: 0)
    monkeypatch.setattr(invocations, "ask", ask_the_lake)
    monkeypatch.setenv("LAKE_FUNCTION", "lake")
    guides.forget()
    yield at
    guides.forget()


@pytest.fixture
def ask(world: Any) -> Iterator[Ask]:
    with Client(app) as client:

        def call(method: str, path: str, body: Any = None, scope: Scope | None = None, **headers: str) -> Any:
            role = "operator" if scope is None else "store_manager"
            headers = {"Authorization": f"Bearer {auth.create_key('k', role, scope)}", **headers}
            raw = b"" if body is None else json.dumps(body).encode()
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        yield call
