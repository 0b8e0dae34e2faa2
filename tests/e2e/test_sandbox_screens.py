"""The sandbox's screens in a real browser: at phone sizes, light and dark, nothing sticks out or can't be read."""

import os
from collections.abc import Iterator

import pytest
import requests
from chromium import PROGRAM, Phone

from infra.sandbox import Config, Sandbox

pytestmark = pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)
LONG = "一位名字特别特别长的资深护肤顾问兼门店店长"
NASTY = "<b>王</b>&\"'><script>alert(1)</script>"
UNBROKEN = "八" * 80


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox(Config(confirm_after=3600, run_by_itself=False))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def screens(sandbox: Sandbox) -> dict[str, str]:
    """Every screen, of people with names that try it."""
    actions, config, base = sandbox.actions, sandbox.config, sandbox.base_url
    query = {"corpid": config.corp_id, "corpsecret": config.secret}
    token = requests.get(f"{base}/cgi-bin/gettoken", query, timeout=5).json()["access_token"]

    def call(path: str, body: dict[str, object]) -> dict[str, str]:
        url = f"{base}/cgi-bin/{path}"
        return dict(requests.post(url, json=body, params={"access_token": token}, timeout=5).json())

    ec = "externalcontact/"
    actions.add_staff("guide", LONG)
    way = call(ec + "add_contact_way", {"type": 1, "scene": 2, "user": ["guide"]})["config_id"]
    added = actions.add(config_id=way, name=NASTY)
    external, chat = added["external_userid"], actions.add_group("guide", LONG * 2)["chat_id"]
    link = {"msgtype": "link", "link": {"title": UNBROKEN, "desc": NASTY, "url": "https://shop.example.com"}}
    text = {"content": f"{UNBROKEN}\n{NASTY}"}
    welcome = {"welcome_code": added["welcome_code"], "text": text, "attachments": [link]}
    call(ec + "send_welcome_msg", welcome)
    actions.say("guide", external, UNBROKEN)
    call(ec + "add_msg_template", {"sender": "guide", "text": text})
    call(ec + "add_moment_task", {"text": text})
    actions.post_moment("guide", NASTY)
    for _ in range(31):
        word = {"touser": "guide", "msgtype": "text", "agentid": config.agent_id, "text": text}
        call("message/send", word)
    join = call(ec + "groupchat/add_join_way", {"scene": 2, "chat_id_list": [chat]})["config_id"]
    actions.join(config_id=join, external_userid=external)
    actions.say_in_group(chat, external, UNBROKEN)
    return {
        "people": "/", "card": f"/add/{way}", "group card": f"/join/{join}", "home": f"/me/{external}",
        "chat": f"/chat/{external}/guide", "chat info": f"/chat/{external}/guide/more",
        "group": f"/group/{chat}/{external}", "moments": f"/moments/{external}", "guide": "/guide/guide",
        "words": "/guide/guide/app", "guide's chat": f"/guide/guide/{external}",
    }  # fmt: skip


@pytest.mark.parametrize(("width", "dark"), [(320, False), (375, True), (430, False)])
def test_every_screen_fits_and_can_be_read(
    sandbox: Sandbox, screens: dict[str, str], width: int, dark: bool
) -> None:
    found = {}
    with Phone(width, dark=dark) as phone:
        for name, path in screens.items():
            phone.open(sandbox.base_url + path)
            if wrong := phone.audit():
                found[name] = wrong
    assert found == {}
