"""Every event WeCom documents becomes a value, travels through JSON and shows no secret."""

import hashlib
import json
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform.errors import Malformed
from chalicelib.wecom.events import Event, parse

EVENTS: dict[str, str] = json.loads((Path(__file__).parent / "data/events.json").read_text())


def event(name: str) -> Event:
    return parse(EVENTS[name].encode())


@pytest.mark.parametrize("name", EVENTS)
def test_every_fixture_parses_and_travels(name: str) -> None:
    got = event(name)
    assert f"<CreateTime>{int(got.at.timestamp())}</CreateTime>" in EVENTS[name]
    assert got.at.tzinfo is UTC
    assert got.to_corp == "ww1a2b3c4d5e6f7081"
    assert got.digest == hashlib.sha256(EVENTS[name].encode()).hexdigest()
    if name.startswith("event_"):
        kind, _, change = name.removeprefix("event_").partition(".")
        assert (got.kind, got.change) == (kind, change.partition(".")[0])
    else:
        assert (got.kind, got.change) == ("message", name.removeprefix("message_"))
    assert Event.from_message(json.loads(json.dumps(got.to_message()))) == got


def test_an_added_customer() -> None:
    got = event("event_change_external_contact.add_external_contact")
    assert got.staff_id == "guide_001"
    assert got.external_userid == got.subject() == "wmTESTexternal000000000000000001"
    assert got.state == "lc_8F3kQ2"
    assert got.welcome_code == "WC_0001_TEST"
    bare = event("event_change_external_contact.add_external_contact.no_state_no_welcome")
    assert (bare.state, bare.welcome_code, bare.source) == (None, None, None)


def test_a_transfer_is_told_from_a_loss() -> None:
    assert (
        event("event_change_external_contact.del_external_contact.by_transfer").source == "DELETE_BY_TRANSFER"
    )
    assert event("event_change_external_contact.del_external_contact").source is None


def test_members_of_a_group() -> None:
    got = event("event_change_external_chat.update.add_member")
    assert got.chat_id == got.subject() == "wrTESTgroup00000000000000000001"
    assert got.items == ("wmTESTexternal000000000000000001", "wmTESTexternal000000000000000002")
    assert got.values["UpdateDetail"] == "add_member"


def test_the_subject_keeps_what_belongs_together() -> None:
    tag = event("event_change_external_tag.create.tag")
    assert tag.subject() == tag.values["Id"]
    assert event("event_change_contact.create_user").subject() == "change_contact"


def test_no_secret_in_a_repr() -> None:
    for name, xml in EVENTS.items():
        shown = repr(parse(xml.encode()))
        assert "WC_" not in shown and "welcome" not in shown.lower(), name
    assert event("event_change_external_contact.add_external_contact").to_message()["values"]["WelcomeCode"]


def test_a_third_party_envelope_is_not_ours() -> None:
    xml = "<xml><InfoType>change_external_contact</InfoType><TimeStamp>1700000000</TimeStamp></xml>"
    assert (parse(xml.encode()).kind, parse(xml.encode()).change) == ("suite", "change_external_contact")


def test_unknown_elements_and_events_pass() -> None:
    xml = (
        "<?xml version='1.0' encoding='utf-8'?>\n<xml><MsgType>event</MsgType><Event>brand_new</Event>"
        "<CreateTime>1700000000</CreateTime><New><Deep><Deeper>1</Deeper></Deep></New><Empty/>"
        "<Text><![CDATA[<!DOCTYPE 您好🙂 & ]]></Text></xml>"
    )
    got = parse(xml.encode())
    assert (got.kind, got.change, got.subject(), got.items) == ("brand_new", "", "brand_new", ())
    assert got.values["Text"] == "<!DOCTYPE 您好🙂 & "


BOMB = (
    "<!DOCTYPE xml [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><xml><CreateTime>1</CreateTime><A>&b;</A></xml>"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"{}",
        b"<xml>",
        b"<xml><CreateTime>1</CreateTime></xml><xml/>",
        b"<other><CreateTime>1</CreateTime></other>",
        b"<xml></xml>",
        b"<xml><CreateTime>soon</CreateTime></xml>",
        b"<xml><CreateTime>99999999999999999999</CreateTime></xml>",
        b"<xml><CreateTime>1</CreateTime>\xff</xml>",
        b"<xml><CreateTime>1</CreateTime><A>&undefined;</A></xml>",
        b"<xml><CreateTime>1</CreateTime><!DOCTYPE a></xml>",
        BOMB.encode(),
        ("<?xml version='1.0'?>" + BOMB).encode(),
        ("<?xml version='1.0' encoding='utf-16'?>" + BOMB).encode("utf-16"),
        ("<!-- x -->" + BOMB).encode(),
    ],
)
def test_what_is_not_an_event(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse(data)


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: f"<xml>{t}</xml>".encode("utf-8", "replace"))
)
def test_any_input_is_an_event_or_malformed(data: bytes) -> None:
    try:
        event = parse(data)
    except Malformed:
        return
    assert event.digest == hashlib.sha256(data).hexdigest() and event.subject()
