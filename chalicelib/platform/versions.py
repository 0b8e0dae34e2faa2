"""Versions of a thing over HTTP: the ETag of a GET, and a change that is not made over another's."""

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from chalicelib.platform.errors import Stale


class IfMatchHeader(Struct, kw_only=True):
    """For the document of a route that takes it."""

    if_match: Annotated[
        str, Meta(description="The ETag that was read; stale: 409, with the present state")
    ] = field(name="If-Match", default="")


def etag(version: int | str) -> str:
    """version: counted, or made of what the thing holds."""
    return f'"{version}"'


class IfMatch(Struct, frozen=True):
    """The header of that name; empty: none was sent, and the last write wins."""

    header: str

    def check(self, version: int | str, present: Callable[[], Any]) -> None:
        """Stale, with the present state, when the header names other versions alone."""
        asked = [one.strip().removeprefix("W/") for one in self.header.split(",") if one.strip()]
        if asked and asked != ["*"] and etag(version) not in asked:
            raise Stale(present())


ANY_VERSION = IfMatch("")
