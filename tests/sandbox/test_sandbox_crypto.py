"""The sandbox's callback cryptography against published vectors."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from infra.sandbox import crypto

VECTORS = json.loads(
    (Path(__file__).parent.parent / "wecom/data/crypto_vectors.json").read_text(encoding="utf-8")
)
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_opens_signs_and_seals_like_the_vectors(vector: dict[str, Any]) -> None:
    stamp, nonce, sealed = vector["timestamp"], vector["nonce"], vector["encrypt"]
    assert crypto.signature(vector["token"], stamp, nonce, sealed) == vector["msg_signature"]
    plain, receive_id = crypto.unseal(vector["aes_key"], sealed)
    assert (plain.decode(), receive_id) == (vector["plain"], vector["receive_id"])
    if "random16" in vector:
        again = crypto.seal(vector["aes_key"], plain, receive_id, vector["random16"].encode())
        assert again == sealed


@given(some.binary(max_size=200), some.text("abcdefgh0123", max_size=40))
def test_what_is_sealed_opens(message: bytes, receive_id: str) -> None:
    sealed = crypto.seal(KEY, message, receive_id)
    assert len(base64.b64decode(sealed)) % 32 == 0
    assert crypto.unseal(KEY, sealed) == (message, receive_id)


def test_two_seals_of_one_message_differ() -> None:
    assert crypto.seal(KEY, b"x", "ww1") != crypto.seal(KEY, b"x", "ww1")


@pytest.mark.parametrize("broken", ["", "AAAA", "not base64!", base64.b64encode(bytes(32)).decode()])
def test_what_is_broken_does_not_open(broken: str) -> None:
    with pytest.raises(crypto.BadBox):
        crypto.unseal(KEY, broken)


def test_a_changed_byte_fails_the_signature() -> None:
    signature = crypto.signature("t", "1", "n", "abc")
    assert crypto.verify("t", "1", "n", "abc", signature)
    assert not crypto.verify("t", "1", "n", "abd", signature)
