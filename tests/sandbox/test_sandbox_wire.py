"""The product's own wire code and the sandbox, written apart, understand each other."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.platform import clock
from chalicelib.wechatpay import scenes
from chalicelib.wechatpay.client import State, WeChatPay
from chalicelib.wechatpay.notify import open_notification
from chalicelib.wechatpay.signer import Signer, Verifier
from chalicelib.wecom import crypto
from chalicelib.wecom.client import WeCom
from chalicelib.wecom.errors import AnswerLost, WeComError
from chalicelib.wecom.tokens import DynamoTokens
from infra.sandbox import Config, Sandbox
from infra.sandbox.state import Post

pytestmark = pytest.mark.usefixtures("tables")


class Moved:
    """A clock that both sides read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        real = clock.now
        monkeypatch.setattr(clock, "now", lambda: real() + self.ahead)

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> Moved:
    return Moved(monkeypatch)


@pytest.fixture
def sandbox(moved: Moved) -> Iterator[Sandbox]:
    made = Sandbox(Config(now=lambda: clock.now(), run_by_itself=False))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def wecom(sandbox: Sandbox) -> WeCom:
    config = sandbox.config
    store = DynamoTokens(config.corp_id, str(config.agent_id))
    return WeCom(sandbox.base_url, config.corp_id, str(config.agent_id), lambda: config.secret, store)


@pytest.fixture
def pay(sandbox: Sandbox) -> WeChatPay:
    config = sandbox.config
    signer = Signer(config.mch_id, config.cert_serial, config.merchant_private_key)
    verifier = Verifier(config.public_key_id, config.platform_public_key)
    return WeChatPay(sandbox.base_url, config.app_id, signer, verifier)


def test_the_thread_of_one_customer(sandbox: Sandbox, wecom: WeCom) -> None:
    way = wecom.add_contact_way({"type": 1, "scene": 2, "user": ["lihua"], "state": "lc_1"})
    added = sandbox.actions.add(qr_code=way.qr_code, name="小王")
    external = added["external_userid"]
    [tag] = wecom.add_corp_tag("渠道", ["海报"])["tag"]
    wecom.mark_tag("lihua", external, add=[tag["id"]])
    [follow] = wecom.external_contact(external)["follow_user"]
    assert (follow["state"], follow["tags"][0]["tag_name"]) == ("lc_1", "海报")
    wecom.send_welcome_msg(added["welcome_code"], "您好 小王")
    with pytest.raises(WeComError) as used:
        wecom.send_welcome_msg(added["welcome_code"], "您好 小王")
    assert used.value.errcode == 41051
    assert [m["text"]["content"] for m in sandbox.messages(external)] == ["您好 小王"]


def test_tokens_are_refreshed_and_lost_answers_known(sandbox: Sandbox, wecom: WeCom, moved: Moved) -> None:
    assert wecom.user_get("lihua")["userid"] == "lihua"
    for how in ("expired", "invalid"):
        sandbox.kill_tokens(how)
        assert wecom.user_get("lihua")["userid"] == "lihua"
    moved.forward(7300)
    assert wecom.user_get("lihua")["userid"] == "lihua"
    assert len(sandbox.calls("gettoken")) == 4
    sandbox.actions.add("lihua")
    sandbox.fault("add_msg_template", "lost")
    with pytest.raises(AnswerLost):
        wecom.add_msg_template({"sender": "lihua", "text": {"content": "x"}})
    assert len(sandbox.mass_sends()) == 1


def test_a_callback_is_opened(sandbox: Sandbox) -> None:
    config = sandbox.config
    url, _, body = sandbox.callbacks.seal(Post("callback", "http://x/wecom/callback", "<xml>您好</xml>", 0))
    query = dict(parse_qsl(urlsplit(url).query))
    opened = crypto.open_callback(
        config.callback_token, config.callback_aes_key, config.corp_id, query, body, clock.now()
    )
    assert opened.decode() == "<xml>您好</xml>"


def test_a_transfer_offered_asked_for_and_told_of(sandbox: Sandbox, pay: WeChatPay) -> None:
    sandbox.settings(pay_notify_url="http://127.0.0.1:9/pay/wechat/notify")
    bill = pay.transfer("MR1", "oOne", 880, "五月推广奖励", scenes.scene("1005", "[]"))
    assert bill.state is State.WAIT_USER_CONFIRM
    assert pay.query("MR2") is None
    sandbox.confirm_transfer("MR1")
    found = pay.query("MR1")
    assert found is not None
    assert (found.state, found.amount_fen) == (State.SUCCESS, 880)
    [item] = sandbox.world.state.posts.values()
    _, headers, body = sandbox.pay.seal(item)
    verifier = Verifier(sandbox.config.public_key_id, sandbox.config.platform_public_key)
    notice: dict[str, Any] = open_notification(headers, body, verifier, sandbox.config.apiv3_key, clock.now())
    assert notice["resource"]["out_bill_no"] == "MR1"


def test_a_name_is_concealed_for_the_platform(sandbox: Sandbox, pay: WeChatPay) -> None:
    scene = scenes.scene("1000", "[]")
    bill = pay.transfer("MR1", "oOne", 300_000, "五月推广奖励", scene, "王丽")
    assert bill.state is State.WAIT_USER_CONFIRM
