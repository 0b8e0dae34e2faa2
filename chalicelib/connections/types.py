"""Connections on the wire."""

from typing import Literal

from msgspec import Struct

Name = Literal["wecom_contact", "wecom_app", "wecom_callback", "wechatpay", "wechat_oa", "mall_generic"]
Status = Literal["not_set_up", "untested", "working", "failing"]


class Setting(Struct, frozen=True, kw_only=True):
    """Its value is shown nowhere. is_set: null while only the function that has it knows; a test tells."""

    name: str
    is_set: bool | None


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong, and what mends it, in the caller's language. errcode: WeCom's, if it gave one."""

    code: str
    errcode: int | None
    at: str
    message: str
    cure: str


class Refused(Struct, frozen=True, kw_only=True):
    """How many were turned away at our door in a week, at least: anybody may knock."""

    reason: Literal["signature", "timestamp", "receiver", "form"]
    count: int
    message: str


class Connection(Struct, frozen=True, kw_only=True):
    """address: what to enter at WeCom, at WeChat Pay, in the mall; null where it calls nobody of ours.

    problem: of the last call or test, while none has gone well since. testing: a test is under way.
    refused: null where nobody knocks.
    """

    connection: Name
    status: Status
    settings: list[Setting]
    address: str | None
    last_success_at: str | None
    last_failure_at: str | None
    tested_at: str | None
    testing: bool
    problem: Problem | None
    refused: list[Refused] | None
