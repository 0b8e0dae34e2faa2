"""Schemathesis with all its checks: what the document says is what the doors do."""

import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks

from app import app
from chalicelib.platform import auth, deadletters, http, openapi, settings
from functions.lake import handler as lake
from functions.poster import handler as poster
from functions.redrive import handler as redrive
from tests.support.corp_tags import CorpTags
from tests.support.scan_support import NOON, new_process
from tests.support.wecom import FakeWeCom
from tests.support.wsgi import wsgi

load_all_checks()
app.load_all()
ROUTES = [route for route in http.Door.routes if route.view.__module__.startswith("chalicelib.")]
schema = schemathesis.openapi.from_dict(openapi.document(ROUTES))
schema.app = wsgi

# Not held to, and why:
EXCEPTIONS = {
    "positive_data_acceptance": "what fields mean together no JSON Schema can say: such a body is a 422",
}
ANY_TABLE = {"negative_data_rejection": "whatever text a file holds, its columns and first rows are shown"}


def _new_public_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


SECRETS = {
    "wecom": {"secret": "s", "callback_token": "t", "callback_aes_key": "a" * 43},
    "mall": {"generic_secret": "m"},
    "wechatpay_notify": {"apiv3_key": "v" * 32, "public_key": _new_public_key()},
    "keys": {"master": "m" * 64},
}
ENVIRONMENT = {
    "WECOM_CORP_ID": "ww1",
    "WECOM_AGENT_ID": "1000002",
    "WECHATPAY_PUBLIC_KEY_ID": "PUB_KEY_ID_1",
    "POSTER_FUNCTION": "poster",
    "REDRIVE_FUNCTION": "redrive",
    "LAKE_FUNCTION": "lake",
    "DEAD_LETTERS": "assign route-stream",
}


class Corp(FakeWeCom, CorpTags):
    def __init__(self) -> None:
        FakeWeCom.__init__(self)
        CorpTags.__init__(self)


class Lambda:
    """The functions that doors wait for, invoked in this process through JSON, as Lambda does."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        handler = {"poster": poster.handler, "redrive": redrive.handler, "lake": lake.handler}[FunctionName]
        return {"Payload": io.BytesIO(json.dumps(handler(json.loads(Payload), self)).encode())}


@pytest.fixture
def key(
    tables: None,
    at: Callable[[datetime], None],
    sent: list[Any],
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    new_process()
    corp = Corp()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: corp)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for group, values in SECRETS.items():
        monkeypatch.setitem(settings._secrets, group, (time.monotonic() + 3600, values))
    monkeypatch.setattr("chalicelib.platform.queues.count", lambda queue: 0)
    clients = settings.client
    sqs = clients("sqs")
    for name in ("assign", "assign-dlq", "route-stream-dlq"):
        sqs.create_queue(QueueName=settings.table(name))
    deadletters._url.cache_clear()
    sqs.send_message(QueueUrl=deadletters._url("assign-dlq"), MessageBody="{}")
    monkeypatch.setattr(settings, "client", lambda name: Lambda() if name == "lambda" else clients(name))
    at(NOON)
    yield auth.create_key("test", "admin")
    monkeypatch.undo()
    new_process()


@schema.parametrize()
@hypothesis_settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_door_does_what_the_document_says(case: Any, key: str) -> None:
    names = [
        *EXCEPTIONS,
        *(ANY_TABLE if case.operation.path.endswith("/preview") and case.media_type == "text/csv" else ()),
    ]
    excluded = [CHECKS.get_one(name) for name in names]
    headers = {"Authorization": f"Bearer {key}"}
    case.call_and_validate(headers=headers, excluded_checks=excluded)
