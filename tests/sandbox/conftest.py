"""A sandbox without its HTTP side, and a clock to set."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from infra.sandbox import Config, Sandbox
from infra.sandbox.api import ENDPOINTS
from infra.sandbox.config import new_private_key

DATA = Path(__file__).parent / "data"


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 10, 2, 0, tzinfo=timezone.utc)  # 10:00 in Shanghai

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Corp:
    """Calls the sandbox's API as an HTTP caller would, token included."""

    def __init__(self, sandbox: Sandbox, clock: Clock) -> None:
        self.sandbox, self.clock = sandbox, clock
        self.world, self.actions = sandbox.world, sandbox.actions

    def token(self, secret: str = "") -> str:
        query = {"corpid": self.sandbox.config.corp_id, "corpsecret": secret or self.sandbox.config.secret}
        return str(self.raw("GET", "gettoken", query)[1]["access_token"])

    def raw(
        self, method: str, path: str, query: dict[str, str], body: bytes = b"", content_type: str = ""
    ) -> tuple[int, dict[str, Any]]:
        return self.sandbox.wecom.answer(method, "/cgi-bin/" + path, query, content_type, body, "127.0.0.1")

    def __call__(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> dict[str, Any]:
        given = {"access_token": self.token(), **{k: str(v) for k, v in query.items()}}
        raw = json.dumps(body or {}, ensure_ascii=False).encode()
        method = ENDPOINTS[path].method
        return self.raw(method, path, given, raw if method == "POST" else b"")[1]

    def code(self, path: str, body: dict[str, Any] | None = None, **query: Any) -> int:
        return int(self(path, body, **query)["errcode"])

    def upload(self, path: str, data: bytes, **query: str) -> dict[str, Any]:
        head = b'--b\r\nContent-Disposition: form-data; name="media"; filename="a.png"\r\n'
        body = head + b"Content-Type: image/png\r\n\r\n" + data + b"\r\n--b--\r\n"
        kind = "multipart/form-data; boundary=b"
        return self.raw("POST", path, {"access_token": self.token(), **query}, body, kind)[1]

    def friend(self, staff: str = "lihua", external: str = "") -> str:
        """Somebody who added the member: their external_userid."""
        return str(self.actions.add(staff, external_userid=external)["external_userid"])


@pytest.fixture(scope="session")
def keys() -> dict[str, str]:
    """Keys for all sandboxes of the run: making them takes longer than most tests."""
    return {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(keys: dict[str, str], clock: Clock) -> Callable[..., Corp]:
    """A corp with these settings."""
    return lambda **settings: Corp(Sandbox(Config(**{**keys, "now": clock, **settings})), clock)


@pytest.fixture
def corp(make: Callable[..., Corp]) -> Corp:
    return make()


@pytest.fixture(scope="session")
def data() -> Callable[[str], Any]:
    return lambda name: json.loads((DATA / name).read_text(encoding="utf-8"))
