"""WeCom's doors: only what is WeCom's and ours gets in, and 200 means that both queues have it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from chalice.test import Client

from app import app as product
from chalicelib.callbacks import service as callbacks
from chalicelib.platform import queues, settings
from chalicelib.platform.errors import Upstream
from chalicelib.staff import service as staff
from chalicelib.wecom import crypto, events

CORP, TOKEN, KEY = "ww1a2b3c4d5e6f7081", "TestToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
EVENT = (
    f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>sys</FromUserName><CreateTime>{int(NOW.timestamp())}"
    "</CreateTime><MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>"
    "add_external_contact</ChangeType><UserID>lihua</UserID><ExternalUserID>wm1</ExternalUserID>"
    "<State>mrabc</State>%s</xml>"
)
WELCOMED = EVENT % "<WelcomeCode>SECRET-CODE</WelcomeCode>"


@pytest.fixture
def client(tables: None, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    at(NOW)
    secrets = {"callback_token": TOKEN, "callback_aes_key": KEY}
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: secrets[name])
    monkeypatch.setenv("WECOM_CORP_ID", CORP)
    monkeypatch.setenv("WECOM_DOMAIN_VERIFY", "Ab12, Cd34")
    with Client(product) as client:
        yield client


def sealed(message: str, corp: str = CORP, at: datetime = NOW) -> tuple[str, bytes]:
    """(query, body) as WeCom would send them."""
    timestamp, box = str(int(at.timestamp())), crypto.encrypt(KEY, message.encode(), corp)
    signature = crypto.sign(TOKEN, timestamp, "n1", box)
    query = urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": "n1"})
    return query, f"<xml><ToUserName>{CORP}</ToUserName><Encrypt><![CDATA[{box}]]></Encrypt></xml>".encode()


def post(client: Client, query: str, body: bytes) -> tuple[int, bytes]:
    answer = client.http.post(f"/wecom/callback?{query}", headers={"Content-Type": "text/xml"}, body=body)
    return answer.status_code, answer.body


def test_an_event_is_in_both_queues_before_it_is_acknowledged(
    client: Client, sent: list[tuple[str, dict[str, Any], str]]
) -> None:
    assert post(client, *sealed(WELCOMED)) == (200, b"")
    assert [(queue, group) for queue, _, group in sent] == [("welcome", "wm1"), ("callback", "wm1")]
    assert sent[0][1] == {
        "code": "SECRET-CODE",
        "external_userid": "wm1",
        "staff_id": "lihua",
        "state": "mrabc",
        "at": "2026-11-22T02:00:00.000000+00:00",
        "received_at": "2026-11-22T02:00:00.000000+00:00",
    }
    assert events.Event.from_message(sent[1][1]) == events.parse(WELCOMED.encode())


def test_without_a_code_there_is_no_welcome(client: Client, sent: list[tuple[str, Any, str]]) -> None:
    assert post(client, *sealed(EVENT % ""))[0] == 200
    assert [queue for queue, *_ in sent] == ["callback"]


@pytest.mark.parametrize("down", ["welcome", "callback"])
def test_when_a_queue_refuses_wecom_is_told_to_send_again_under_the_same_key(
    client: Client, monkeypatch: pytest.MonkeyPatch, down: str
) -> None:
    keys: list[tuple[str, str]] = []

    def send(queue: str, message: Any, *, group: str, key: str) -> None:
        if queue == down:
            raise Upstream("down")
        keys.append((queue, key))

    monkeypatch.setattr(queues, "send", send)
    assert post(client, *sealed(WELCOMED))[0] == 503
    down = ""
    assert post(client, *sealed(WELCOMED))[0] == 200  # sealed anew: another ciphertext, the same message
    assert len({key for _, key in keys}) == 1
    assert {queue for queue, _ in keys} == {"welcome", "callback"}


def test_what_is_forged_stale_or_for_another_corp_is_refused(
    client: Client, sent: list[tuple[str, Any, str]]
) -> None:
    query, body = sealed(WELCOMED)
    assert post(client, query.replace("nonce=n1", "nonce=n2"), body)[0] == 403
    assert post(client, *sealed(WELCOMED, corp="ww0000000000000000"))[0] == 403
    assert post(client, *sealed(WELCOMED.replace(CORP, "ww0000000000000000")))[0] == 403
    for minutes in (-16, 16):
        assert post(client, *sealed(WELCOMED, at=NOW + timedelta(minutes=minutes)))[0] == 403
    assert sent == []


def test_what_is_no_callback_is_malformed_and_a_huge_body_too_large(
    client: Client, sent: list[tuple[str, Any, str]]
) -> None:
    query, body = sealed(WELCOMED)
    for wrong_query, wrong_body in [("", body), (query, b""), (query, b"\xff\x00"), (query, b"<xml></xml>")]:
        assert post(client, wrong_query, wrong_body)[0] == 400
    assert post(client, query, b" " * (crypto.MAX_BODY + 1))[0] == 413
    assert sent == []


@pytest.mark.parametrize("message", ["", "not XML", "<xml><CreateTime>1</CreateTime>", "{}"])
def test_a_verified_message_is_never_refused_and_what_can_not_be_read_is_parked(
    client: Client, sent: list[tuple[str, Any, str]], message: str
) -> None:
    assert post(client, *sealed(message)) == (200, b"")
    ((queue, kept, group),) = sent
    assert (queue, kept["kind"], group) == ("callback", events.UNREADABLE, kept["digest"])
    with pytest.raises(callbacks.Unreadable):  # so it lies in the dead-letter queue, with an alarm
        callbacks.handle(kept)


def test_a_redriven_event_is_read_by_a_version_that_can(
    client: Client, sent: list[tuple[str, Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(events, "_root", lambda text: None)
        assert post(client, *sealed(EVENT % ""))[0] == 200
    done: list[Any] = []
    monkeypatch.setitem(callbacks._ACTIONS, ("change_external_contact", "add_external_contact"), done.append)
    callbacks.handle(sent[0][1])
    assert (done[0].external_userid, done[0].staff_id) == ("wm1", "lihua")


def test_a_guide_whose_position_holds_a_control_character_leaves_the_rotation_all_the_same(
    client: Client, sent: list[tuple[str, Any, str]]
) -> None:
    xml = (
        f"<xml><ToUserName>{CORP}</ToUserName><CreateTime>{int(NOW.timestamp())}</CreateTime>"
        "<MsgType>event</MsgType><Event>change_contact</Event><ChangeType>update_user</ChangeType>"
        "<UserID>lihua</UserID><Position><![CDATA[店\x1d长]]></Position><Status>2</Status></xml>"
    )
    assert post(client, *sealed(xml))[0] == 200
    callbacks.handle(sent[0][1])
    assert staff.status("lihua") == 2


def test_the_address_check_answers_the_plain_text(client: Client) -> None:
    timestamp, box = str(int(NOW.timestamp())), crypto.encrypt(KEY, b"1616140317555161061", CORP)
    signature = crypto.sign(TOKEN, timestamp, "n", box)
    query = urlencode({"msg_signature": signature, "timestamp": timestamp, "nonce": "n", "echostr": box})
    answer = client.http.get(f"/wecom/callback?{query}")
    assert (answer.status_code, answer.body) == (200, b"1616140317555161061")
    assert client.http.get(f"/wecom/callback?{query.replace('nonce=n', 'nonce=m')}").status_code == 403
    assert client.http.get("/wecom/callback").status_code == 400


def test_the_domain_check_knows_only_its_files(client: Client) -> None:
    for token in ("Ab12", "Cd34"):
        answer = client.http.get(f"/WW_verify_{token}.txt")
        assert (answer.status_code, answer.body) == (200, token.encode())
        assert answer.headers["Content-Type"].startswith("text/plain")
    for other in ("WW_verify_Zz.txt", "WW_verify_.txt", "favicon.ico", quote("WW_verify_Ab12.txt\n")):
        answer = client.http.get(f"/{other}")
        assert answer.status_code == 404
        assert json.loads(answer.body)["status"] == 404
