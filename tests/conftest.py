"""Fixtures that all tests share: a clock to set, tables in moto, a real engine for concurrency, sent messages."""

import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest

os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="cn-north-1",
    TABLE_PREFIX="test-",
    PUBLIC_BASE_URL="http://127.0.0.1:8000",
    RECEIVES="5",
    CHECK_ANSWERS="1",  # each answer is of the type that its route declares
)

import moto
from chalice.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from app import app
from chalicelib.notices import service as notices
from chalicelib.platform import clock, idempotency, log, queues, settings, storage
from chalicelib.staff import spelling
from tests.support import engine as engines
from tests.support import quick_moto
from tests.support.api import Api
from tests.support.wecom import FakeWeCom

quick_moto.install()
app.load_all()  # Chalice's test client asks for the routes before the first request
# A door imports it at its first Idempotency-Key, a queue's work when it comes: too late for the tables.
assert idempotency.IdempotencyItem and notices

# The same examples each time, and no limit that a busy machine breaks. `make test
# ARGS=--hypothesis-profile=default` looks for new ones.
hypothesis_settings.register_profile(
    "millrace",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("millrace")


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays to the end: no look for garbage need go through it again."""
    gc.freeze()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A long value has its argument's name: an XLSX holds the second in which it was made, and two workers
    that collect in two seconds would have other tests.
    """
    return argname if isinstance(val, (bytes, str)) and len(val) > 60 else None


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock: `at(datetime)`."""

    def set_to(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_to


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is logged."""
    text = io.StringIO()
    monkeypatch.setattr(log.logger.handlers[0], "stream", text)
    return text


@pytest.fixture
def sent(
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[str, dict[str, Any], str | None]]:
    """What is sent to queues, instead of SQS: (queue, message, group)."""
    messages: list[tuple[str, dict[str, Any], str | None]] = []

    def send(queue: str, message: Any, *, group: str | None = None, key: str | None = None) -> None:
        messages.append((queue, json.loads(json.dumps(message)), group))

    def send_all(queue: str, batch: Any) -> None:
        for message, group in batch:
            messages.append((queue, json.loads(json.dumps(message)), group))

    monkeypatch.setattr(queues, "send", send)
    monkeypatch.setattr(queues, "send_all", send_all)
    return messages


@pytest.fixture
def wecom(
    tables: None,
    keys: None,
    at: Callable[[datetime], None],
    sent: list[tuple[str, dict[str, Any], str | None]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FakeWeCom]:
    """A WeCom in memory, at noon of a Monday, in a process that knows nothing yet."""
    from tests.support.scan_support import NOON, new_process

    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    yield fake
    new_process()


@pytest.fixture
def poster_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The poster function, in this process."""
    from chalicelib.posters import outside_pictures
    from tests.support.poster_lambda import PosterLambda

    outside_pictures.load.cache_clear()
    monkeypatch.setenv("POSTER_FUNCTION", "poster")
    honest = settings.client
    monkeypatch.setattr(settings, "client", lambda name: PosterLambda() if name == "lambda" else honest(name))


@pytest.fixture
def client(wecom: FakeWeCom) -> Iterator[Client]:
    """The app, with tables and a WeCom."""
    with Client(app) as client:
        yield client


@pytest.fixture
def api(client: Client) -> Api:
    """The API with an operator's key."""
    return Api(client)


def models() -> dict[str, Any]:
    """Every model that is imported, by its table's name."""
    found: dict[str, Any] = {}
    kinds = list(storage.Base.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found.setdefault(kind.Meta.table_name, kind)
    return found


def create_tables() -> None:
    """Every table of the models that are imported, in an engine that has none: that is not asked for each."""
    for kind in models().values():
        with patch.object(kind, "exists", return_value=False):
            kind.create_table()


_made: dict[frozenset[str], Any] = {}  # moto's tables, by their names


def moto_tables() -> None:
    """The same in moto, which takes seconds for so many: made once a process, emptied for each test."""
    backend, names = dynamodb_backends[DEFAULT_ACCOUNT_ID]["cn-north-1"], frozenset(models())
    if names not in _made:
        create_tables()
        _made[names] = backend.tables
    for table in _made[names].values():
        table.items.clear()
    backend.tables = _made[names].copy()


def _fresh() -> None:
    storage.disconnect()
    settings.client.cache_clear()
    settings.s3.cache_clear()
    settings.forget_secrets()
    spelling.forget()
    if integration := sys.modules.get("tests.support.scan_support"):
        integration.new_process()


@pytest.fixture
def tables() -> Iterator[None]:
    """moto in process, one thread, with the tables of all imported models."""
    _fresh()
    with moto.mock_aws():
        moto_tables()
        yield
    _fresh()


@pytest.fixture
def empty_tables(tables: None) -> Callable[[], None]:
    """Makes the store empty again within a test."""
    return moto_tables


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A master key for platform.keys, without Secrets Manager. After `tables` or `engine`."""
    known = (time.monotonic() + 3600, {"master": "m" * 64})
    monkeypatch.setitem(settings._secrets, "keys", known)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket of platform.files, in whatever engine is on. After `tables` or `engine`."""
    monkeypatch.setenv("FILES_BUCKET", "test-files")
    region = {"LocationConstraint": "cn-north-1"}
    settings.client("s3").create_bucket(Bucket="test-files", CreateBucketConfiguration=region)
    return "test-files"


@pytest.fixture(scope="session")
def ministack() -> Iterator[str]:
    """MiniStack's address."""
    with engines.running() as url:
        yield url


@pytest.fixture
def engine(ministack: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """MiniStack's DynamoDB, emptied, with the tables of all imported models."""
    _fresh()
    engines.reset(ministack)
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack)
    create_tables()
    yield ministack
    _fresh()
