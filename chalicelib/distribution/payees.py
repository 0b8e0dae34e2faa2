"""Real names and openids of distributors, sealed at rest (AES-256-GCM, platform/vault.py).

A sealed payee is bound to its distributor: the same text opens where it was copied to (a payout), and for
nobody else. Only functions that hold the secret `keys` can open one: api, public, payout, migrate.
"""

from msgspec import json

from chalicelib.distribution.types import Payee
from chalicelib.platform import keys, vault

_PURPOSE, _OPENID = "distributor", "distributor-openid"


def seal(distributor_id: str, payee: Payee) -> str:
    """The payee as it may be stored."""
    return vault.seal(_PURPOSE, json.encode(payee).decode(), f"distributors/{distributor_id}")


def unseal(distributor_id: str, sealed: str | Payee) -> Payee:
    """The payee of a distributor, or of one of their payouts. vault.Broken.

    What was stored before it was sealed is a Payee already.
    """
    if isinstance(sealed, Payee):
        return sealed
    return json.decode(vault.unseal(_PURPOSE, sealed, f"distributors/{distributor_id}"), type=Payee)


def openid_tag(openid: str) -> str:
    """A keyed hash, to find an openid by where it must not be read."""
    return keys.tag(_OPENID, openid).hex()
