"""WeChat Pay's signatures in both directions, and its notifications."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from chalicelib.platform.errors import DomainError, Forbidden, Malformed, TooLarge
from chalicelib.wechatpay.notify import MAX_BODY, open_notification
from chalicelib.wechatpay.signer import Signer, Verifier

FIXTURE: dict[str, Any] = json.loads((Path(__file__).parent / "data/notification.json").read_text())
NOW = datetime.fromtimestamp(1748743402, UTC)
KEY_ID = "PUB_KEY_ID_0119000001092025060100000001"
WECHAT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = WECHAT.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
VERIFIER = Verifier(KEY_ID, PUBLIC.decode())

Headers = dict[str, str]


def signed(body: bytes, at: datetime = NOW, nonce: str = "n0nce") -> Headers:
    """The headers WeChat sends with a body."""
    message = f"{int(at.timestamp())}\n{nonce}\n".encode() + body + b"\n"
    signature = WECHAT.sign(message, padding.PKCS1v15(), SHA256())
    return {
        "Wechatpay-Timestamp": str(int(at.timestamp())),
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Serial": KEY_ID,
    }


def test_our_requests_are_signed_over_what_is_sent() -> None:
    merchant = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = merchant.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = Signer("1900000109", "5157F09EFDC096DE15EBE81A47057A72", pem.decode())
    header = signer.authorization("POST", "/v3/x?y=1", '{"a":"您"}'.encode(), NOW, "NONCE")
    scheme, _, rest = header.partition(" ")
    fields = dict(part.split("=", 1) for part in rest.split(","))
    signature = base64.b64decode(fields.pop("signature").strip('"'))
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert fields == {
        "mchid": '"1900000109"',
        "nonce_str": '"NONCE"',
        "timestamp": '"1748743402"',
        "serial_no": '"5157F09EFDC096DE15EBE81A47057A72"',
    }
    message = 'POST\n/v3/x?y=1\n1748743402\nNONCE\n{"a":"您"}\n'.encode()
    merchant.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())
    assert signer.authorization("GET", "/", b"", NOW) != signer.authorization("GET", "/", b"", NOW)


def test_what_wechat_signed_passes_whatever_the_case_of_its_headers() -> None:
    VERIFIER.verify(signed(b"{}"), b"{}", NOW)
    VERIFIER.verify({name.upper(): value for name, value in signed(b"{}").items()}, b"{}", NOW)


def flipped(headers: Headers) -> Headers:
    raw = bytearray(base64.b64decode(headers["Wechatpay-Signature"]))
    raw[0] ^= 1
    return {**headers, "Wechatpay-Signature": base64.b64encode(bytes(raw)).decode()}


@pytest.mark.parametrize(
    "forge",
    [
        flipped,
        lambda h: {},
        lambda h: {**h, "Wechatpay-Serial": "PUB_KEY_ID_other"},
        lambda h: {**h, "Wechatpay-Serial": "é"},
        lambda h: {**h, "Wechatpay-Nonce": "other"},
        lambda h: {**h, "Wechatpay-Nonce": "\ud800"},
        lambda h: {**h, "Wechatpay-Timestamp": str(int(h["Wechatpay-Timestamp"]) + 1)},
        lambda h: {**h, "Wechatpay-Timestamp": "soon"},
        lambda h: {**h, "Wechatpay-Signature": ""},
        lambda h: {**h, "Wechatpay-Signature": "é"},
        lambda h: {**h, "Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + h["Wechatpay-Signature"]},
    ],
)
def test_forgeries_are_refused(forge: Callable[[Headers], Headers]) -> None:
    with pytest.raises(Forbidden):
        VERIFIER.verify(forge(signed(b"{}")), b"{}", NOW)


def test_another_body_is_refused() -> None:
    with pytest.raises(Forbidden):
        VERIFIER.verify(signed(b"{}"), b"{ }", NOW)


@pytest.mark.parametrize(("off", "fresh"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_five_minutes(off: int, fresh: bool) -> None:
    later = NOW + timedelta(seconds=off)
    if fresh:
        VERIFIER.verify(signed(b""), b"", later)
    else:
        with pytest.raises(Forbidden):
            VERIFIER.verify(signed(b""), b"", later)


def test_only_wechat_can_read_a_name() -> None:
    box = base64.b64decode(VERIFIER.conceal("王小明"))
    assert WECHAT.decrypt(box, padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)).decode() == "王小明"


def notification(**changes: Any) -> bytes:
    return json.dumps({**FIXTURE["notification"], **changes}).encode()


def opened(body: bytes, key: str = FIXTURE["apiv3_key"]) -> dict[str, Any]:
    return open_notification(signed(body), body, VERIFIER, key, NOW)


def test_a_notification_opens() -> None:
    got = opened(notification())
    assert got == {
        "id": "evtTEST-0001",
        "event_type": "MCHTRANSFER.BILL.FINISHED",
        "resource": FIXTURE["plain"],
    }


def test_nothing_is_opened_before_it_is_verified() -> None:
    body = notification()
    for headers in ({}, flipped(signed(body)), signed(body + b" ")):
        with pytest.raises(Forbidden):
            open_notification(headers, body, VERIFIER, FIXTURE["apiv3_key"], NOW)


def test_a_box_that_does_not_open_is_refused() -> None:
    resource = FIXTURE["notification"]["resource"]
    raw = bytearray(base64.b64decode(resource["ciphertext"]))
    raw[0] ^= 1
    for bad in (
        {"ciphertext": base64.b64encode(bytes(raw)).decode()},
        {"associated_data": "other"},
        {"associated_data": None},
        {"nonce": "000000000000"},
    ):
        with pytest.raises(Forbidden):
            opened(notification(resource={**resource, **bad}))
    with pytest.raises(Forbidden):
        opened(notification(), "x" * 32)


def test_without_associated_data() -> None:
    key, nonce = FIXTURE["apiv3_key"], "abcdefghijkl"
    box = AESGCM(key.encode()).encrypt(nonce.encode(), b'{"state":"FAIL"}', b"")
    resource = {"nonce": nonce, "ciphertext": base64.b64encode(box).decode(), "associated_data": ""}
    assert opened(notification(resource=resource))["resource"] == {"state": "FAIL"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"{}", b"\xff", b'{"resource":1}', b'{"resource":{"nonce":1}}']
)
def test_signed_and_yet_no_notification(body: bytes) -> None:
    with pytest.raises(Malformed):
        opened(body)


def test_too_large() -> None:
    with pytest.raises(TooLarge):
        opened(b" " * (MAX_BODY + 1))
    with pytest.raises(DomainError):
        opened(b" " * MAX_BODY)
