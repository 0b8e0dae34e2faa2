"""Coupon pools on the wire."""

from typing import Annotated

from msgspec import Meta, Struct


class NewPool(Struct, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    expires_at: Annotated[str, Meta(max_length=40, description="ISO 8601 with its offset")] | None = None
