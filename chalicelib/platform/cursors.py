"""Cursors of those to whom personal data is masked: a row's place has a customer's id, so it is sealed."""

from chalicelib.platform import vault
from chalicelib.platform.errors import Invalid, issue

_PURPOSE = "cursors"


def seal(cursor: str, path: str) -> str:
    return vault.seal(_PURPOSE, cursor, path)


def unseal(cursor: str, path: str) -> str:
    """Invalid for what was not sealed for this list."""
    try:
        return vault.unseal(_PURPOSE, cursor, path)
    except vault.Broken:
        raise Invalid(issue("cursor", "cursor")) from None
