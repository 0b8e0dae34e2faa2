"""What the tests of prospects share: numbers, an import to start, queues worked off."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib.platform import clock, files, queues, settings, works
from chalicelib.prospects import brand_settings, daily_tasks, import_figures, imports
from chalicelib.prospects.models import ProspectItem
from chalicelib.prospects.types import NewImport, NewRows, Settings
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from tests.support.wecom import FakeWeCom

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday, 09:00 in Shanghai
CONSENT = "会员注册页勾选同意导购联系"


def number(n: int) -> str:
    return f"138{n:08d}"


def import_of(**changes: Any) -> NewImport:
    given = {
        "name": "双十一",
        "format": "csv",
        "staff": {"staff_ids": ["lihua", "wangwu"]},
        "consent": CONSENT,
    }
    return msgspec.convert(given | changes, NewImport)


def rows_of(numbers: list[str], **changes: Any) -> NewRows:
    given = {
        "rows": [{"phone": n, "name": f"客户{i}"} for i, n in enumerate(numbers)],
        "staff": {"staff_ids": ["lihua", "wangwu"]},
        "consent": CONSENT,
    }
    return msgspec.convert(given | changes, NewRows)


def settings_of(**changes: Any) -> Settings:
    return msgspec.convert(changes, Settings)


def report(import_id: str) -> dict[str, Any]:
    """An import with its figures, as JSON has it."""
    return dict(msgspec.to_builtins(import_figures.report(import_id)))


def uploaded(content: bytes, **changes: Any) -> str:
    """An import whose file is there, and started."""
    made = imports.create(import_of(**changes), language="en")
    kind = changes.get("format", "csv")
    files.put(f"uploads/prospects/{made.import_id}.{kind}", content)
    imports.start(made.import_id)
    return made.import_id


def plenty() -> int:
    return 300_000


def prospects() -> list[ProspectItem]:
    return [row for row in ProspectItem.scan() if row.status]


class Queues:
    """What is sent; `work` works off what functions/prospect and notify would get, also what they send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.waiting: list[dict[str, Any]] = []

    def send(self, queue: str, message: Any, *, group: str | None = None, key: str | None = None) -> None:
        self.sent.append((queue, dict(message)))
        if queue in ("prospect", "notify"):
            self.waiting.append(dict(message))

    def send_all(self, queue: str, messages: Any) -> None:
        for message, group in messages:
            self.send(queue, message, group=group)

    def work(self, times: int = 1) -> None:
        """Each message `times` times: SQS delivers at least once."""
        while self.waiting:
            message = self.waiting.pop(0)
            for _ in range(times):
                works.do(message, plenty)


class World:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wecom, self.queues = FakeWeCom(), Queues()
        self.now = MORNING - timedelta(hours=1)
        monkeypatch.setattr(wecom, "default_client", lambda: self.wecom)
        monkeypatch.setattr(queues, "send", self.queues.send)
        monkeypatch.setattr(queues, "send_all", self.queues.send_all)
        monkeypatch.setattr(clock, "now", lambda: self.now)
        for name, value in (("WECOM_CORP_ID", "ww1"), ("WECOM_AGENT_ID", "1000002")):
            monkeypatch.setenv(name, value)
        brand_settings.forget()
        staff._names.clear()

    def morning(self, days: int = 0) -> None:
        """It is 09:00 of the day `days` later: its timer goes off."""
        self.now = MORNING + timedelta(days=days)
        brand_settings.forget()
        daily_tasks.order_lists(brand_settings.day_of(self.now), clock.iso(self.now))
        self.queues.work()


@pytest.fixture
def world(tables: None, keys: None, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    yield World(monkeypatch)


@pytest.fixture
def engine_world(engine: str, keys: None, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The same on an engine whose transactions hold under threads."""
    yield World(monkeypatch)


__all__ = ["World", "engine_world", "settings", "world"]
