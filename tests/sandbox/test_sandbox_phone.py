"""The phones of the sandbox's people: what a trial's customer taps and reads, and a guide."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from infra.sandbox import Config, Sandbox

EC = "externalcontact/"


class Person:
    """A browser of somebody's, which keeps its cookies."""

    def __init__(self, base: str) -> None:
        self.base, self.browser = base, requests.Session()

    def get(self, path: str) -> str:
        self.last = self.browser.get(self.base + path, timeout=5)
        return self.last.text

    def post(self, path: str, **form: str) -> str:
        """The text of the screen that it leads to; `last.url` says where that is."""
        self.last = self.browser.post(self.base + path, data=form, timeout=5)
        return self.last.text

    def at(self) -> str:
        return urlsplit(str(self.last.url)).path


@pytest.fixture
def sandbox(keys: dict[str, str]) -> Iterator[Sandbox]:
    made = Sandbox(Config(**keys, run_by_itself=False, confirm_after=3600))  # type: ignore[arg-type]
    made.start()
    made.actions.add_staff("ZhouTing", "周婷")
    yield made
    made.stop()


def call(sandbox: Sandbox, path: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    config = sandbox.config
    query = {"corpid": config.corp_id, "corpsecret": config.secret}
    base = f"{sandbox.base_url}/cgi-bin/"
    token = requests.get(base + "gettoken", query, timeout=5).json()["access_token"]
    made = requests.post(
        base + path, json=body or None, params={"access_token": token}, timeout=5, **more
    ).json()
    assert made["errcode"] == 0, made
    return dict(made)


def words(page: str) -> str:
    """What a person reads of a page."""
    body = re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", body))


def way(sandbox: Sandbox) -> str:
    made = call(
        sandbox, EC + "add_contact_way", {"type": 1, "scene": 2, "user": ["zhouting"], "state": "lc1"}
    )
    return f"/add/{made['config_id']}"


def test_a_customer_adds_sees_the_welcome_and_answers(sandbox: Sandbox) -> None:
    address, person = way(sandbox), Person(sandbox.base_url)
    card = words(person.get(address))
    assert (
        "周婷" in card and "添加到通讯录" in card and "@示例品牌" in card and "zhouting" not in card.lower()
    )
    chat = words(person.post(address, name="豆豆妈"))
    assert "你已添加了周婷" in chat and person.at().startswith("/chat/wm")
    [code] = sandbox.world.state.welcome_codes
    link = {"title": "新人礼", "desc": "点我", "url": "https://shop.example.com/?a=1&b=2"}
    attached = [{"msgtype": "link", "link": link}]
    welcome = {"welcome_code": code, "text": {"content": "您好 <b>"}, "attachments": attached}
    call(sandbox, EC + "send_welcome_msg", welcome)
    chat = person.get(person.at())
    assert (
        "您好 <b>" in words(chat)
        and "新人礼" in chat
        and 'href="https://shop.example.com/?a=1&amp;b=2"' in chat
    )
    assert "在吗？" in words(person.post(person.at(), text="在吗？"))
    [customer] = sandbox.customers()
    assert (customer["name"], len(customer["bonds"])) == ("豆豆妈", 1)
    guide = Person(sandbox.base_url)
    of_guide = f"/guide/zhouting/{customer['external_userid']}"
    assert "在吗？" in words(guide.get(of_guide))
    assert "在的" in words(guide.post(of_guide, text="在的"))
    assert "在的" in words(person.get(person.at())) and "豆豆妈 的微信" in words(
        person.get("/me/" + customer["external_userid"])
    )


def test_a_phone_stays_the_same_person(sandbox: Sandbox) -> None:
    address, person = way(sandbox), Person(sandbox.base_url)
    person.post(address, name="小雨")
    assert 'value="小雨"' in person.get(address)
    person.post(address, name="小雨")
    assert len(sandbox.customers()) == 1
    person.post(address, name="另一位")
    assert [c["name"] for c in sandbox.customers()] == ["小雨", "另一位"]


def test_deleting_and_being_deleted(sandbox: Sandbox) -> None:
    person = Person(sandbox.base_url)
    person.post(way(sandbox), name="小雨")
    chat = person.at()
    assert "删除联系人" in person.get(chat + "/more")
    assert "你们已不是好友" in words(person.post(chat, action="delete"))
    [customer] = sandbox.customers()
    assert customer["bonds"][0]["kind"] == "one_way"
    assert "已将你删除" in words(person.get("/guide/zhouting"))
    assert "你们已不是好友" in words(person.post(chat, text="还在吗"))  # nobody hears it
    assert sandbox.messages() == []


def test_a_group_by_its_code(sandbox: Sandbox) -> None:
    chat = sandbox.actions.add_group("zhouting", "打卡群")["chat_id"]
    join = call(
        sandbox, EC + "groupchat/add_join_way", {"scene": 2, "chat_id_list": [chat], "auto_create_room": 0}
    )["config_id"]
    person = Person(sandbox.base_url)
    assert "打卡群" in words(person.get(f"/join/{join}"))
    assert "你加入了群聊" in words(person.post(f"/join/{join}", name="小雨"))
    assert "大家好" in words(person.post(person.at(), text="大家好"))
    assert "大家好" in words(Person(sandbox.base_url).get(f"/group/{chat}/ZhouTing"))
    sandbox.actions.invite(chat, [f"wm{n}" for n in range(198)])
    assert "群聊人数已满" in words(Person(sandbox.base_url).post(f"/join/{join}"))


def test_an_acquisition_link(sandbox: Sandbox) -> None:
    body = {"link_name": "投放", "range": {"user_list": ["zhouting"]}}
    link = call(sandbox, EC + "customer_acquisition/create_link", body)["link"]
    path = urlsplit(link["url"]).path + "?customer_channel=ad1"
    person = Person(sandbox.base_url)
    assert "周婷" in words(person.get(path))
    assert "你已添加了周婷" in words(person.post(path, name="小雨"))
    assert sandbox.customers()[0]["bonds"][0]["state"] == "ad1"
    sandbox.actions.break_link(link["link_id"])
    assert "链接已失效" in words(Person(sandbox.base_url).post(path))


def test_a_guide_taps_what_waits(sandbox: Sandbox) -> None:
    external = sandbox.actions.add("zhouting", name="小雨")["external_userid"]
    call(sandbox, EC + "add_msg_template", {"sender": "zhouting", "text": {"content": "会员日"}})
    call(sandbox, EC + "add_moment_task", {"text": {"content": "上新"}})
    guide = Person(sandbox.base_url)
    page = guide.get("/guide/zhouting")
    assert "会员日" in words(page) and "将发给 1 个客户" in words(page) and "1 位客户可见" in words(page)
    for name in ("msgid", "moment_id"):
        value = re.search(rf'name="{name}" value="([^"]+)"', page)
        assert value is not None
        guide.post("/guide/zhouting", **{name: value[1]})
    assert "会员日" not in words(guide.get("/guide/zhouting")).replace("小雨", "").split("客户 1")[0]
    person = Person(sandbox.base_url)
    assert "会员日" in words(person.get(f"/chat/{external}/zhouting"))
    assert "上新" in words(person.get(f"/moments/{external}"))


def test_what_was_over_30_a_minute_is_said(sandbox: Sandbox) -> None:
    body = {
        "touser": "ZHOUTING",
        "msgtype": "text",
        "agentid": sandbox.config.agent_id,
        "text": {"content": "新客户"},
    }
    for _ in range(33):
        call(sandbox, "message/send", body)
    page = words(Person(sandbox.base_url).get("/guide/zhouting/app"))
    assert page.count("新客户") == 30
    assert "另有 3 条没有送达" in page and "30 条" in page


def test_addresses_in_words_can_be_tapped(sandbox: Sandbox) -> None:
    external = sandbox.actions.add("zhouting", name="小雨")["external_userid"]
    text = '看这里 https://a.example.com/x?a=1&b=2，或 <a href="https://b.example.com">这里</a> javascript:alert(1)'
    sandbox.actions.say("zhouting", external, text, by="staff")
    page = Person(sandbox.base_url).get(f"/chat/{external}/zhouting")
    assert '<a href="https://a.example.com/x?a=1&amp;b=2" rel="noreferrer">' in page
    assert 'href="https://b.example.com"' not in page  # WeChat shows customers no markup
    body = {
        "touser": "zhouting",
        "msgtype": "text",
        "agentid": sandbox.config.agent_id,
        "text": {"content": text},
    }
    call(sandbox, "message/send", body)
    page = Person(sandbox.base_url).get("/guide/zhouting/app")
    assert (
        '<a href="https://b.example.com" rel="noreferrer">这里</a>' in page and 'href="javascript' not in page
    )


def test_pictures_and_what_is_not_there(sandbox: Sandbox) -> None:
    person = Person(sandbox.base_url)
    picture = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    files = {"media": ("a.png", picture, "image/png")}
    url = call(sandbox, "media/uploadimg", {}, files=files)["url"]
    assert person.get(urlsplit(url).path) and person.last.content == picture
    page = call(
        sandbox, "media/uploadimg", {}, files={"media": ("a.html", b"<script>alert(1)</script>", "text/html")}
    )
    person.get(urlsplit(page["url"]).path)
    assert person.last.headers["Content-Type"] == "application/octet-stream"
    assert person.get("/avatar/abc") and person.last.content.startswith(b"\x89PNG")
    for path in ("/add/none", "/join/none", "/ca/none", "/me/none", "/chat/a/b", "/guide/none", "/guide/none/app",
                 "/group/a/b", "/guide/a/b", "/nothing", "/media/none", "/qr/none.png", "/add/a/b/c"):  # fmt: skip
        person.get(path)
        assert person.last.status_code == 404, path
    assert requests.head(sandbox.base_url, timeout=5).content == b""
    assert "周婷" in words(person.get("/"))
