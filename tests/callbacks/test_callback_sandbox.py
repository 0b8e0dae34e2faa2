"""The whole way against the sandbox WeCom, over its own wire: encrypted callbacks in, signed calls out.

Its callbacks come repeated and shuffled, as WeCom's may.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from chalice.test import Client

from app import app as product
from chalicelib.callbacks import service as callbacks
from chalicelib.contactways import service as contactways
from chalicelib.customers import service as customers
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import NewLiveCode
from chalicelib.messaging import service as messaging
from chalicelib.platform import settings, timeline
from chalicelib.scans import service as scan_service
from chalicelib.tags import service as tags
from chalicelib.wecom import client as wecom
from infra.sandbox import Config, Sandbox
from tests.support.scan_support import listed

TAG = "渠道/包裹卡"
CODE = {
    "name": "Parcel card",
    "channel": "parcel",
    "tags": [TAG],
    "assignment": {"members": [{"staff_id": "lihua"}]},
    "welcome": {"text": "您好 {customer_name}，我是 {staff_name}"},
}


class Doorway(BaseHTTPRequestHandler):
    """HTTP to Chalice, as API Gateway would."""

    lock = threading.Lock()  # Chalice's test client is one function instance: one request at a time

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock, Client(product) as client:
            answer = client.http.post(self.path, headers={"Content-Type": "text/xml"}, body=body)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def sandbox(engine: str, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Doorway)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/wecom/callback"
    config = Config(callback_url=url, callback_repeat=3, callback_reorder=True, callback_hold=0.1)
    sandbox = Sandbox(config)
    sandbox.start()
    secrets = {
        "callback_token": config.callback_token,
        "callback_aes_key": config.callback_aes_key,
        "secret": config.secret,
        "contact_secret": "",
    }
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: secrets[name])
    monkeypatch.setenv("WECOM_API_BASE", sandbox.base_url)
    monkeypatch.setenv("WECOM_CORP_ID", config.corp_id)
    monkeypatch.setenv("WECOM_AGENT_ID", str(config.agent_id))
    wecom.default_client.cache_clear()
    try:
        yield sandbox
    finally:
        wecom.default_client.cache_clear()
        sandbox.stop()
        server.shutdown()
        server.server_close()


def work_off(sandbox: Sandbox, sent: list[Any]) -> None:
    """What the queues' consumers would do, the welcome first."""
    while (at := sandbox.next_event_at()) or not sandbox.quiet():
        sandbox.run_due(at)
    for queue in ("welcome", "callback", "push"):
        for message in [message for name, message, _ in sent if name == queue]:
            if queue == "push":
                tags.apply(message["staff_id"], message["external_userid"], message["add"], message["remove"])
            else:
                {"welcome": messaging.welcome, "callback": callbacks.handle}[queue](message)
    sent.clear()


def test_added_welcomed_tagged_and_lost_again(sandbox: Sandbox, sent: list[Any]) -> None:
    sandbox.actions.add_staff("lihua", "李华")
    code = livecodes.create(msgspec.to_builtins(msgspec.convert(CODE, NewLiveCode)))
    contactways.make_ahead(code.live_code_id, "lihua")
    people = []
    for _ in range(3):
        shown = scan_service.scan(code.code).qr_url
        ways = [contactways.way(code, "lihua", slot) for slot in range(3)]
        state = next(way.state for way in ways if way.qr_url == shown)
        people.append(sandbox.actions.add(state=state, name="小王")["external_userid"])
    work_off(sandbox, sent)
    for who in people:
        customer = customers.get(who)
        assert customer is not None
        assert (customer.name, customer.channel, customer.tags) == ("小王", "parcel", (TAG,))
        assert customers.find_by_unionid(str(customer.unionid)) == who
        (welcome,) = sandbox.messages(who)
        assert welcome["kind"] == "welcome"
        assert "您好 小王，我是 李华" in str(welcome)
        (bond,) = sandbox.customers(who)[0]["bonds"]
        assert len(bond["tag_ids"]) == 1
    assert Counter(row["status"] for row in listed(code.live_code_id, 9, None)[0]) == {"confirmed": 3}
    sandbox.actions.delete_by_customer("lihua", people[0])
    work_off(sandbox, sent)
    told = [Counter(line["type"] for line in timeline.read(who)[0]) for who in people]
    stays = {"customer_added": 1, "welcome_sent": 1}
    assert told == [{**stays, "customer_lost": 1}, stays, stays]
    lost = customers.get(people[0])
    assert lost is not None and lost.staff_ids == []


def test_an_add_without_a_state_gets_the_default_welcome(sandbox: Sandbox, sent: list[Any]) -> None:
    messaging.set_default_welcome(messaging.Welcome("欢迎"))
    who = sandbox.actions.add("lihua")["external_userid"]
    work_off(sandbox, sent)
    assert [one["kind"] for one in sandbox.messages(who)] == ["welcome"]
    customer = customers.get(who)
    assert customer is not None and customer.channel is None
