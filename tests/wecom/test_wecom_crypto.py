"""The callback's lock, against published vectors and every way of being false."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform.errors import DomainError, Forbidden, Malformed, TooLarge
from chalicelib.wecom import crypto

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "data/crypto_vectors.json").read_text())
BY_NAME = {vector["name"]: vector for vector in VECTORS}
TOKEN, KEY, CORP = "TestToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE", "ww1a2b3c4d5e6f7081"
NOW = datetime.fromtimestamp(1700000000, UTC)

every_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])


def envelope(box: str) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{box}]]></Encrypt>"
        "<AgentID><![CDATA[1000007]]></AgentID></xml>"
    ).encode()


def query(box: str, timestamp: str = "1700000000", token: str = TOKEN) -> dict[str, str]:
    signature = crypto.sign(token, timestamp, "nonce42", box)
    return {"msg_signature": signature, "timestamp": timestamp, "nonce": "nonce42"}


def sealed(plain: bytes) -> str:
    """A box of raw bytes, padded by the test itself."""
    key = base64.b64decode(KEY + "=")
    sealer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(sealer.update(plain) + sealer.finalize()).decode()


def opened(box: str, **changes: str) -> bytes:
    return crypto.open_callback(TOKEN, KEY, CORP, {**query(box), **changes}, envelope(box), NOW)


@every_vector
def test_vectors_open(vector: dict[str, Any]) -> None:
    crypto.verify(
        vector["token"], vector["timestamp"], vector["nonce"], vector["encrypt"], vector["msg_signature"]
    )
    plain = crypto.decrypt(vector["aes_key"], vector["encrypt"], vector["receive_id"])
    assert plain.decode() == vector["plain"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if "random16" in v], ids=lambda v: v["name"])
def test_vectors_seal(vector: dict[str, Any]) -> None:
    box = crypto.encrypt(
        vector["aes_key"], vector["plain"].encode(), vector["receive_id"], vector["random16"].encode()
    )
    assert box == vector["encrypt"]


def test_reply_is_signed_over_its_own_box() -> None:
    vector = BY_NAME["reply_encrypt_public"]
    answer = crypto.reply(
        vector["token"],
        vector["aes_key"],
        vector["receive_id"],
        vector["plain"].encode(),
        vector["timestamp"],
        vector["nonce"],
        vector["random16"].encode(),
    )
    assert crypto.extract_encrypt(answer) == vector["encrypt"]
    assert f"<MsgSignature><![CDATA[{vector['msg_signature']}]]>".encode() in answer


@given(st.binary(max_size=200))
def test_what_is_sealed_opens(message: bytes) -> None:
    """Every length, so every padding from 1 to 32; a library unpadder fails on half of them."""
    assert opened(crypto.encrypt(KEY, message, CORP)) == message


@pytest.mark.parametrize("name", ["url_verify_public_1", "url_verify_public_2"])
def test_url_check(name: str) -> None:
    vector = BY_NAME[name]
    asked = {key: vector[key] for key in ("msg_signature", "timestamp", "nonce")}
    for echo in (vector["encrypt"], vector["encrypt"].replace("+", " ")):
        answer = crypto.verify_url(
            vector["token"], vector["aes_key"], vector["receive_id"], {**asked, "echostr": echo}
        )
        assert answer == vector["plain"]
    with pytest.raises(Forbidden):
        crypto.verify_url(
            vector["token"], vector["aes_key"], "ww_other", {**asked, "echostr": vector["encrypt"]}
        )
    with pytest.raises(Malformed):
        crypto.verify_url(vector["token"], vector["aes_key"], vector["receive_id"], asked)


BOX = BY_NAME["own_event_add_external_contact"]["encrypt"]


def test_whole_callback() -> None:
    assert opened(BOX).decode() == BY_NAME["own_event_add_external_contact"]["plain"]


def test_every_flipped_signature_character_is_refused() -> None:
    signature = query(BOX)["msg_signature"]
    for i, old in enumerate(signature):
        forged = signature[:i] + ("0" if old != "0" else "1") + signature[i + 1 :]
        with pytest.raises(Forbidden):
            opened(BOX, msg_signature=forged)


@pytest.mark.parametrize("signature", ["é" * 40, "\ud800", "A" * 1000, "0"])
def test_strange_signatures_are_refused(signature: str) -> None:
    with pytest.raises(Forbidden):
        opened(BOX, msg_signature=signature)


def test_boxes_that_do_not_open_all_answer_alike() -> None:
    """Signed rightly, so that only the box can be at fault; and nothing tells which fault."""
    raw = bytearray(base64.b64decode(BOX))
    raw[-1] ^= 1
    head = b"R" * 16 + (5).to_bytes(4, "big") + b"hello"
    whole = head + CORP.encode() + b"\x15" * 21
    bad = {
        "last byte changed": base64.b64encode(bytes(raw)).decode(),
        "truncated": BOX[:-5],
        "not whole blocks": BOX[:-4],
        "one block": sealed(b"\x10" * 16),
        "padding 0": sealed(whole[:-1] + b"\x00"),
        "padding 33": sealed(b"R" * 16 + (0).to_bytes(4, "big") + CORP.encode()[:11] + b"\x21" * 33),
        "padding uneven": sealed(whole[:-21] + b"\x14" * 20 + b"\x15"),
        "length beyond the end": sealed(b"R" * 16 + b"\xff\xff\xff\xff" + whole[20:]),
        "another corp": crypto.encrypt(KEY, b"hello", "ww_other_corp"),
        "no corp": crypto.encrypt(KEY, b"hello", ""),
        "corp and more": crypto.encrypt(KEY, b"hello", CORP + "x"),
    }
    assert opened(sealed(whole)) == b"hello"  # the frame of these cases is right
    answers = set()
    for name, box in bad.items():
        with pytest.raises(Forbidden) as refusal:
            pytest.fail(f"{name}: {opened(box)!r}")
        answers.add(str(refusal.value))
    with pytest.raises(Forbidden) as refusal:
        opened(BOX, msg_signature="0" * 40)
    assert answers == {str(refusal.value)}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"hello",
        b"<xml></xml>",
        b"<xml><Encrypt></Encrypt></xml>",
        b"<xml><Encrypt><![CDATA[]]></Encrypt></xml>",
        b"<xml><Encrypt><![CDATA[not base64!]]></Encrypt></xml>",
        b"<xml><Encrypt><b>QUJD</b></Encrypt></xml>",
        b"<xml><Encrypt>QUJD</Encrypt><Encrypt>QUJD</Encrypt></xml>",
        b"<xml><Encrypt>QUJD</Encrypt><Encrypt x='1'>QUJD</Encrypt></xml>",
        b"<!DOCTYPE xml><xml><Encrypt>QUJD</Encrypt></xml>",
        b"<!doctype xml [<!ENTITY a 'b'>]><xml><Encrypt>QUJD</Encrypt></xml>",
        b'<xml><!ENTITY a "b"><Encrypt>QUJD</Encrypt></xml>',
        "<xml><Encrypt>QUJD</Encrypt></xml>".encode("utf-16"),
    ],
)
def test_not_an_envelope(body: bytes) -> None:
    with pytest.raises(Malformed):
        crypto.open_callback(TOKEN, KEY, CORP, query("QUJD"), body, NOW)


def test_encrypt_without_cdata_is_taken_too() -> None:
    assert crypto.extract_encrypt(b"<xml><Encrypt>\n QUJD== </Encrypt></xml>") == "QUJD=="


@pytest.mark.parametrize("missing", ["msg_signature", "timestamp", "nonce"])
def test_missing_parameters(missing: str) -> None:
    for asked in (None, {}, {**query(BOX), missing: ""}):
        with pytest.raises(Malformed):
            crypto.open_callback(TOKEN, KEY, CORP, asked, envelope(BOX), NOW)


@pytest.mark.parametrize("timestamp", ["soon", "-1700000000", "1.7e9", "１７００００００００", " 1700000000"])
def test_a_timestamp_that_is_none(timestamp: str) -> None:
    with pytest.raises(Malformed):
        crypto.open_callback(TOKEN, KEY, CORP, query(BOX, timestamp), envelope(BOX), NOW)


@pytest.mark.parametrize(
    ("off", "fresh"), [(0, True), (900, True), (-900, True), (901, False), (-901, False)]
)
def test_fifteen_minutes(off: int, fresh: bool) -> None:
    now = NOW + timedelta(seconds=off)
    if fresh:
        assert crypto.open_callback(TOKEN, KEY, CORP, query(BOX), envelope(BOX), now)
    else:
        with pytest.raises(Forbidden):
            crypto.open_callback(TOKEN, KEY, CORP, query(BOX), envelope(BOX), now)


def test_a_timestamp_of_any_length_is_only_stale() -> None:
    with pytest.raises(Forbidden):
        crypto.open_callback(TOKEN, KEY, CORP, query(BOX, "9" * 5000), envelope(BOX), NOW)


def test_one_mebibyte() -> None:
    body = envelope(BOX)
    full = body + b" " * (crypto.MAX_BODY - len(body))
    assert crypto.open_callback(TOKEN, KEY, CORP, query(BOX), full, NOW)
    with pytest.raises(TooLarge):
        crypto.open_callback(TOKEN, KEY, CORP, query(BOX), full + b" ", NOW)


def test_a_wrong_setting_is_not_a_forgery() -> None:
    with pytest.raises(ValueError):
        crypto.decrypt("short", BOX, CORP)


@given(
    st.binary(max_size=300),
    st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce"]), st.text()),
)
def test_no_input_is_a_crash(body: bytes, asked: dict[str, str]) -> None:
    with pytest.raises(DomainError):
        crypto.open_callback(TOKEN, KEY, CORP, asked, body, NOW)
