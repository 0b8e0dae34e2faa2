"""Every event WeCom documents becomes a value, travels through JSON and shows no secret."""

import base64
import hashlib
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wecom.events import UNREADABLE, Event, parse, read_again

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


NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"{}",
        b"<xml>",
        b"<xml><CreateTime>1</CreateTime></xml><xml/>",
        b"<other><CreateTime>1</CreateTime></other>",
        b"<xml><CreateTime>1</CreateTime><A>&undefined;</A></xml>",
        b"<xml><CreateTime>1</CreateTime><!DOCTYPE a></xml>",
        BOMB.encode(),
        ("<?xml version='1.0'?>" + BOMB).encode(),
        ("<?xml version='1.0' encoding='utf-16'?>" + BOMB).encode("utf-16"),
        ("<!-- x -->" + BOMB).encode(),
    ],
)
def test_what_can_not_be_read_is_kept_whole(data: bytes) -> None:
    got = parse(data, NOW)
    assert (got.kind, got.at, got.subject()) == (UNREADABLE, NOW, got.digest)
    kept = Event.from_message(json.loads(json.dumps(got.to_message())))
    assert zlib.decompress(base64.b64decode(kept.values["raw"])) == data
    assert read_again(kept) == got


@pytest.mark.parametrize("seconds", ["", "soon", "99999999999999999999", "253402300799", "-1", "0", "1e9"])
def test_a_time_that_is_none_is_that_of_its_arrival(seconds: str) -> None:
    xml = f"<xml><CreateTime>{seconds}</CreateTime><MsgType>event</MsgType><Event>x</Event></xml>"
    assert (parse(xml.encode(), NOW).at, parse(xml.encode(), NOW).kind) == (NOW, "x")


def test_what_xml_forbids_is_taken_out_of_what_is_verified() -> None:
    r"""As reported of real callbacks: a text of \x1d and a letter, a position with one in it."""
    head = f"<xml><ToUserName>ww1</ToUserName><CreateTime>{int(NOW.timestamp())}</CreateTime>"
    text = head + "<MsgType>text</MsgType><Content><![CDATA[ \x1dc]]></Content></xml>"
    assert parse(text.encode(), NOW).values["Content"] == " c"
    head += "<MsgType>event</MsgType><Event>change_contact</Event>"
    for position in ("店\x1d长", "店&#x1d;长", "店&#29;长", "店\x00\x0b\ufffe长", "店&#xd83d;长"):
        xml = head + f"<Position>{position}</Position></xml>"
        assert parse(xml.encode(), NOW).values["Position"] == "店长"
    broken = (head + "<Name>").encode() + b"\xff\xed\xa0\xbd</Name></xml>"
    assert set(parse(broken, NOW).values["Name"]) == {"\ufffd"}


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: f"<xml>{t}</xml>".encode("utf-8", "replace"))
)
def test_any_input_is_an_event_that_travels(data: bytes) -> None:
    event = parse(data, NOW)
    assert event.digest == hashlib.sha256(data).hexdigest() and event.subject()
    assert Event.from_message(json.loads(json.dumps(event.to_message()))) == event
