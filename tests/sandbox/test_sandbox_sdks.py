"""Two public SDKs against the sandbox over HTTP, each as its users have it: WeCom's, and WeChat Pay's."""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpy.client.api.base import BaseWeChatAPI
from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient

from infra.sandbox import Config, Sandbox, pay_documents
from infra.sandbox.api import ENDPOINTS, NO_RIGHT, WITHDRAWN, known
from infra.sandbox.world import digest

WECOM, PAY = "https://qyapi.weixin.qq.com", "https://api.mch.weixin.qq.com"


class Clock:
    def __init__(self) -> None:
        self.moment = datetime.now(timezone.utc)  # SDKs look at the real one

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class ToSandbox(HTTPAdapter):
    """Takes what an SDK sends to WeCom or WeChat Pay to the sandbox: the SDK itself stays as it is."""

    base = ""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        request.url = request.url.replace(WECOM, self.base).replace(PAY, self.base)
        return super().send(request, *args, **kwargs)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(keys: dict[str, str], clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    made = Sandbox(Config(**keys, now=clock, run_by_itself=False))  # type: ignore[arg-type]
    adapter = ToSandbox()
    adapter.base = made.start()
    own = requests.Session.get_adapter

    def get_adapter(session: requests.Session, url: str) -> Any:
        return adapter if url.startswith((WECOM, PAY)) else own(session, url)

    monkeypatch.setattr(requests.Session, "get_adapter", get_adapter)
    yield made
    made.stop()


@pytest.fixture
def wecom(sandbox: Sandbox) -> WeChatClient:
    given = sandbox.sdk_settings()
    return WeChatClient(given["corp_id"], given["secret"])


def code_of(call: Callable[[], Any]) -> int:
    try:
        call()
    except WeChatClientException as error:
        return int(error.errcode)
    return 0


# WeCom


def asked_by_the_sdk() -> dict[str, str]:
    """Path → HTTP method of everything that the SDK can ask, found by calling each of its methods."""
    asked: dict[str, str] = {}

    class Listening(WeChatClient):  # type: ignore[misc]
        def _request(self, method: str, url_or_endpoint: str, **_: Any) -> dict[str, Any]:
            asked[url_or_endpoint.removeprefix(self.API_BASE_URL)] = method.upper()
            return {}

    client = Listening("ww", "secret", access_token="token")
    for _, api in inspect.getmembers(client, lambda member: isinstance(member, BaseWeChatAPI)):
        for name, method in inspect.getmembers(api, inspect.ismethod):
            if name.startswith("_"):
                continue
            names = [p for p in inspect.signature(method).parameters.values() if p.kind < p.VAR_POSITIONAL]
            for given in ("1", [], {}, 1):
                try:
                    method(*[given if p.default is p.empty else p.default for p in names])
                except Exception:
                    continue
    return asked


def test_every_call_of_the_sdk_is_answered(sandbox: Sandbox, wecom: WeChatClient) -> None:
    asked = asked_by_the_sdk()
    assert len(asked) > 130 and {"get_jsapi_ticket", "tag/list", "user/list"} <= set(asked)
    assert [path for path in asked if not known(path)] == []
    wrong = [path for path, method in asked.items() if path in ENDPOINTS and ENDPOINTS[path].method != method]
    assert wrong == []
    for path, method in asked.items():
        code = code_of(lambda path=path, method=method: wecom._request(method, path, data={}))  # type: ignore[misc]
        assert isinstance(code, int)
        if path not in ENDPOINTS:
            assert code == (48006 if path in WITHDRAWN else 48002), path
            assert path in WITHDRAWN or path.startswith(NO_RIGHT)


def test_ways_customers_tags(sandbox: Sandbox, wecom: WeChatClient) -> None:
    contact = wecom.external_contact
    way = contact.add_contact_way(1, 2, state="lc_1", user=["lihua"])
    added = sandbox.actions.add(qr_code=way["qr_code"], name="小雨")
    words = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}}
    assert contact.send_welcome_msg(words)["errcode"] == 0
    assert code_of(lambda: contact.send_welcome_msg(words)) == 41051
    external = added["external_userid"]
    assert contact.list("lihua")["external_userid"] == [external]
    group = contact.add_corp_tag(None, "来源", 1, [{"name": "海报"}])["tag_group"]
    contact.mark_tag("lihua", external, add_tag=[group["tag"][0]["id"]])
    shown = contact.get(external)
    assert shown["external_contact"]["name"] == "小雨"
    assert shown["follow_user"][0]["tags"][0]["tag_name"] == "海报"
    assert shown["follow_user"][0]["state"] == "lc_1"
    assert [m["kind"] for m in sandbox.messages(external)] == ["welcome"]
    contact.del_contact_way(way["config_id"])
    assert code_of(lambda: contact.get_contact_way(way["config_id"])) == 41044


def test_mass_sends_media_and_messages(sandbox: Sandbox, wecom: WeChatClient, clock: Clock) -> None:
    external = str(sandbox.actions.add("lihua")["external_userid"])
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 100
    media_id = wecom.media.upload("image", ("海报.png", picture))["media_id"]
    assert requests.get(wecom.media.get_url(media_id), timeout=5).content == picture
    attached = [{"msgtype": "image", "image": {"media_id": media_id}}]
    sent = wecom.external_contact.add_msg_template({"sender": "lihua", "attachments": attached})
    clock.forward(300)
    rows = wecom.post(
        "externalcontact/get_groupmsg_send_result", data={"msgid": sent["msgid"], "userid": "lihua"}
    )
    assert [(row["external_userid"], row["status"]) for row in rows["send_list"]] == [(external, 1)]
    assert wecom.message.send_text(sandbox.config.agent_id, "lihua", "你好")["errcode"] == 0
    clock.forward(3 * 86_400 + 1)
    wecom.fetch_access_token()
    gone = requests.get(wecom.media.get_url(media_id), timeout=5).json()
    assert gone["errcode"] == 40007
    assert requests.get(wecom.media.upload_img(("a.png", picture))["url"], timeout=5).content == picture


def test_the_directory_and_tickets(sandbox: Sandbox, wecom: WeChatClient) -> None:
    sandbox.actions.add_staff("LiHua", "李华", department=[1, 12])
    sandbox.actions.change_department(12, "深圳一店")
    assert [member["name"] for member in wecom.user.list(12)] == ["李华"]
    assert {row["name"] for row in wecom.get("department/list")["department"]} >= {"深圳一店"}
    tag_id = wecom.tag.create("店长")["tagid"]
    wecom.tag.add_users(tag_id, ["lihua"])
    assert [row["userid"] for row in wecom.tag.get_users(tag_id)["userlist"]] == ["LiHua"]
    assert wecom.tag.list() == [{"tagid": tag_id, "tagname": "店长"}]
    assert wecom.agent.get(sandbox.config.agent_id)["name"] == "Millrace"
    ticket = wecom.jsapi.get_jsapi_ticket()
    assert ticket == wecom.jsapi.get_ticket()["ticket"] != wecom.jsapi.get_agent_jsapi_ticket()
    detail = wecom.oauth.get_user_detail(
        wecom.get("auth/getuserinfo", params={"code": "member:lihua"})["user_ticket"]
    )
    assert detail["userid"] == "LiHua"
    assert code_of(lambda: wecom.user.create("new", "新人", department=[1])) == 48002
    for _ in range(97):
        wecom.jsapi.get_agent_ticket()
    assert [code_of(wecom.jsapi.get_agent_ticket) for _ in range(3)][-1] == 45009


def test_what_left_people_leave(sandbox: Sandbox, wecom: WeChatClient, clock: Clock) -> None:
    external = str(sandbox.actions.add("lihua")["external_userid"])
    sandbox.actions.add_staff("lihua", status=5)
    assert wecom.external_contact.get_unassigned_list(0, 100)["info"][0]["external_userid"] == external
    move = {"handover_userid": "lihua", "takeover_userid": "wangwu", "external_userid": [external]}
    assert wecom.post("externalcontact/resigned/transfer_customer", data=move)["customer"][0]["errcode"] == 0
    clock.forward(86_400)
    sandbox.run_due()
    assert wecom.external_contact.list("wangwu")["external_userid"] == [external]


def test_a_path_that_nobody_knows(sandbox: Sandbox) -> None:
    answer = requests.post(f"{sandbox.base_url}/cgi-bin/no/such", json={}, timeout=5)
    assert (answer.status_code, answer.json()["errcode"]) == (200, 48002)


# WeChat Pay


@pytest.fixture(params=["public key", "certificate"])
def pay(request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path) -> WeChatPay:
    """The SDK with the platform's public key, and with its certificate, which it fetches by itself."""
    given = sandbox.sdk_settings()["wechatpay"]
    own = {"public_key": given["public_key"], "public_key_id": given["public_key_id"]}
    more = own if request.param == "public key" else {"cert_dir": str(tmp_path)}
    return WeChatPay(
        wechatpay_type=WeChatPayType.MINIPROG, mchid=given["mch_id"], private_key=given["private_key"],
        cert_serial_no=given["serial"], apiv3_key=given["apiv3_key"], appid=given["app_id"],
        notify_url="https://shop.example.com/pay/notify", **more,
    )  # fmt: skip


def transfer(pay: WeChatPay, number: str, name: str | None = "张三", fen: int = 8_80) -> tuple[int, Any]:
    reported = [
        {"info_type": "岗位类型", "info_content": "推广员"},
        {"info_type": "报酬说明", "info_content": "佣金"},
    ]
    code, text = pay.mch_transfer_bills(
        out_bill_no=number, transfer_scene_id="1005", openid="oTEST1", transfer_amount=fen,
        transfer_remark="五月佣金", user_name=name, transfer_scene_report_infos=reported,
    )  # fmt: skip
    return code, json.loads(text)


def test_a_transfer_its_query_and_its_receipt(sandbox: Sandbox, pay: WeChatPay, clock: Clock) -> None:
    code, made = transfer(pay, "MR1")
    assert (code, made["state"]) == (200, "WAIT_USER_CONFIRM")
    early = pay.mch_transfer_elecsign(out_bill_no="MR1")
    assert (early[0], json.loads(early[1])["code"]) == (400, "INVALID_REQUEST")
    sandbox.confirm_transfer("MR1")
    for asked in ({"out_bill_no": "MR1"}, {"transfer_bill_no": made["transfer_bill_no"]}):
        shown = json.loads(pay.mch_transfer_bills_query(**asked)[1])
        assert (shown["state"], shown["transfer_amount"]) == ("SUCCESS", 880)
    assert json.loads(pay.mch_transfer_elecsign(out_bill_no="MR1")[1])["state"] == "GENERATING"
    clock.forward(5)
    receipt = json.loads(pay.mch_transfer_elecsign_query(out_bill_no="MR1")[1])
    assert receipt["state"] == "FINISHED"
    path = receipt["download_url"].removeprefix(sandbox.base_url)
    status, data = pay._core.request(path, skip_verify=True)
    assert status == 200 and data.startswith(b"%PDF")
    assert hashlib.sha256(data).hexdigest() == receipt["hash_value"]
    assert json.loads(pay.mch_transfer_elecsign(out_bill_no="MR1")[1])["code"] == "ALREADY_EXISTS"


def test_every_certificates_serial_is_as_long(keys: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """SDKs write it as Python does, without leading zeros."""
    config = Config(**keys)  # type: ignore[arg-type]
    for n in range(50):
        monkeypatch.setattr(pay_documents, "digest", lambda *_, n=n: digest(str(n)))
        serial = pay_documents.serial_of(config)
        assert len(serial) == 40 and serial == hex(int(serial, 16))[2:].upper()


def test_cancelling_and_what_is_not_there(sandbox: Sandbox, pay: WeChatPay) -> None:
    transfer(pay, "MR2")
    assert json.loads(pay.mch_transfer_bills_cancel("MR2")[1])["state"] == "CANCELING"
    code, text = pay.mch_transfer_bills_query(out_bill_no="MR9")
    assert (code, json.loads(text)["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("pay", ["public key"], indirect=True)  # whose name notices bear
def test_a_notice_is_verified_and_opened(sandbox: Sandbox, pay: WeChatPay) -> None:
    transfer(pay, "MR3")
    with sandbox.world.lock:
        sandbox.pay.confirm("MR3")
        [post] = sandbox.world.state.posts.values()
    _, headers, body = sandbox.pay.seal(post)
    notice = pay.callback(headers, body)
    assert notice["event_type"] == "MCHTRANSFER.BILL.FINISHED"
    assert (notice["resource"]["out_bill_no"], notice["resource"]["state"]) == ("MR3", "SUCCESS")
    forged = {**headers, "Wechatpay-Nonce": "another"}
    assert pay.callback(forged, body) is None
