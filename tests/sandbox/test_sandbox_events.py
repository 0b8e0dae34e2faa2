"""Event callbacks: the XML that WeCom sends, and the world taking in what others send."""

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from infra.sandbox import crypto
from infra.sandbox.events import event_xml
from infra.sandbox.state import Post

CHANGE = "change_external_contact"


def fields(xml: str) -> list[tuple[str, str]]:
    return [(e.tag, e.text or "") for e in ElementTree.fromstring(xml)]


@pytest.mark.parametrize(
    "name", ["add_external_contact", "add_half_external_contact", "del_follow_user", "del_external_contact",
             "del_external_contact.by_transfer", "edit_external_contact", "msg_audit_approved"],
)  # fmt: skip
def test_the_xml_is_wecoms(data: Callable[[str], Any], name: str) -> None:
    wanted = data("events.json")["events"][name]
    given = dict(fields(wanted))
    head = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Event")
    elements = {k: v for k, v in given.items() if k not in head}
    assert event_xml(given["ToUserName"], int(given["CreateTime"]), given["Event"], **elements) == wanted


def test_the_published_callback_is_opened(make: Callable[..., Any], data: Callable[[str], Any]) -> None:
    example = data("events.json")
    query = example["query"]
    corp = make(corp_id=query["receive_id"], callback_token=query["token"], callback_aes_key=query["aes_key"])
    assert corp.sandbox.observe(query, example["body"].encode())
    external = dict(fields(example["events"]["add_external_contact"]))["ExternalUserID"]
    assert corp("externalcontact/get", external_userid=external)["follow_user"][0]["state"] == "lc_8F3kQ2"
    assert (
        corp.code(
            "externalcontact/send_welcome_msg", {"welcome_code": "WC_0001_TEST", "text": {"content": "x"}}
        )
        == 0
    )


def outside(corp: Any, change: str, at: int = 0, **elements: Any) -> bool:
    """A callback that somebody else made, correctly."""
    config = corp.sandbox.config
    given = {"ChangeType": change, "UserID": "zhao", "ExternalUserID": "wmOut", **elements}
    xml = event_xml(config.corp_id, at or int(corp.world.ts()), CHANGE, **given)
    sealed = crypto.seal(config.callback_aes_key, xml.encode(), config.corp_id)
    query = {
        "timestamp": "1",
        "nonce": "n",
        "msg_signature": crypto.signature(config.callback_token, "1", "n", sealed),
    }
    return bool(corp.sandbox.observe(query, crypto.envelope(sealed, config.corp_id, config.agent_id)))


def test_customers_of_others_exist_from_then_on(corp: Any) -> None:
    assert outside(corp, "add_external_contact", State="lc_9", WelcomeCode="WCout")
    assert corp("externalcontact/list", userid="zhao")["external_userid"] == ["wmOut"]
    corp.clock.forward(15)
    assert outside(corp, "add_external_contact", State="lc_9", WelcomeCode="WCout")  # again: the 20 s run on
    corp.clock.forward(6)
    assert (
        corp.code("externalcontact/send_welcome_msg", {"welcome_code": "WCout", "text": {"content": "x"}})
        == 41050
    )


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1, 0, 1, 0), (0, 1, 0)])
@pytest.mark.parametrize("apart", [0, 5])
def test_deleted_after_added_whatever_comes_first(corp: Any, order: tuple[int, ...], apart: int) -> None:
    at = int(corp.world.ts())
    events = [("add_external_contact", at), ("del_external_contact", at + apart)]
    for i in order:
        outside(corp, *events[i])
    assert corp.code("externalcontact/get", external_userid="wmOut") == 84061


def test_added_again_after_a_deletion(corp: Any) -> None:
    at = int(corp.world.ts())
    for change, when in (
        ("add_external_contact", at),
        ("del_external_contact", at + 1),
        ("add_external_contact", at + 2),
    ):
        outside(corp, change, when)
    assert corp.code("externalcontact/get", external_userid="wmOut") == 0


def test_what_is_not_believed(corp: Any, make: Callable[..., Any]) -> None:
    assert not outside(corp, "add_external_contact", UserID="no spaces")
    assert not outside(corp, "transfer_fail")
    other = make(corp_id="wwother")
    config = other.sandbox.config
    xml = event_xml(
        "wwother", 1, CHANGE, ChangeType="add_external_contact", UserID="zhao", ExternalUserID="wmOut"
    )
    sealed = crypto.seal(config.callback_aes_key, xml.encode(), "wwother")
    signature = crypto.signature(config.callback_token, "1", "n", sealed)
    query = {"timestamp": "1", "nonce": "n", "msg_signature": signature}
    body = crypto.envelope(sealed, "wwother", 1)
    assert not corp.sandbox.observe(query, body)
    assert not other.sandbox.observe({**query, "msg_signature": "0" * 40}, body)
    assert not other.sandbox.observe({}, b"<xml/>")
    assert other.sandbox.observe(query, body)
    assert not corp.sandbox.customers()


def test_our_own_callbacks_are_left_alone_and_sealed_anew(corp: Any) -> None:
    xml = event_xml(
        corp.sandbox.config.corp_id,
        1,
        CHANGE,
        ChangeType="add_external_contact",
        UserID="zhao",
        ExternalUserID="wm1",
    )
    one, two = (
        corp.sandbox.callbacks.seal(Post("callback", "http://127.0.0.1/cb", xml, 0)) for _ in range(2)
    )
    assert one[2] != two[2]
    from urllib.parse import parse_qsl, urlsplit

    assert not corp.sandbox.observe(dict(parse_qsl(urlsplit(one[0]).query)), one[2])
    assert not corp.sandbox.customers()


def test_the_world_survives_a_restart(make: Callable[..., Any], tmp_path: Any) -> None:
    path = str(tmp_path / "data" / "sandbox.json")
    first = make(state_path=path)
    external = first.friend()
    body = {"group_name": "g", "tag": [{"name": "a"}]}
    tag_id = first("externalcontact/add_corp_tag", body)["tag_group"]["tag"][0]["id"]
    first("externalcontact/mark_tag", {"userid": "lihua", "external_userid": external, "add_tag": [tag_id]})
    first("externalcontact/add_msg_template", {"sender": "lihua", "text": {"content": "x"}})
    token = first.token()
    first.sandbox.save()
    assert (tmp_path / "data" / "sandbox.json").stat().st_mode & 0o077 == 0
    second = make(state_path=path)
    assert second.token() == token
    assert second("externalcontact/get", external_userid=external) == first(
        "externalcontact/get", external_userid=external
    )
    assert json.dumps(second.sandbox.mass_sends()) == json.dumps(first.sandbox.mass_sends())
    second.clock.forward(400)
    assert second.sandbox.mass_sends()[0]["tasks"][0]["results"] == {external: 1}
