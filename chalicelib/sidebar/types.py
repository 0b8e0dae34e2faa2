"""What the sidebar asks for and is answered."""

from typing import Annotated, Any

from msgspec import Meta, Struct


class ConfigQuery(Struct, kw_only=True):
    url: Annotated[str, Meta(min_length=1, max_length=2000, description="The page's address, without its #…")]


class SidebarConfig(Struct, frozen=True, kw_only=True):
    """What `wx.config` (`signature`) and `wx.agentConfig` (`agent_signature`) of WeCom's JS-SDK take.

    csrf_token: for the page's own writes. staff: who is signed in.
    """

    corp_id: str
    agent_id: str
    timestamp: int
    nonce: str
    signature: str
    agent_signature: str
    csrf_token: str | None
    staff_name: str


class SidebarFollow(Struct, frozen=True, kw_only=True):
    staff_name: str
    status: str
    added_at: str | None
    remark: str
    is_mine: bool


class SidebarEvent(Struct, frozen=True, kw_only=True):
    type: str
    at: str
    staff_name: str | None
    channel_name: str | None
    data: dict[str, Any]


class SidebarSop(Struct, frozen=True, kw_only=True):
    """The step of a plan that was last, or comes next."""

    name: str
    status: str
    at: str


class SidebarOrder(Struct, frozen=True, kw_only=True):
    """commission_fen: of all levels; null for who may not see money."""

    order_id: str
    status: str
    ordered_at: str
    paid_fen: int
    refunded_fen: int
    commission_fen: int | None


class SidebarCustomer(Struct, frozen=True, kw_only=True):
    """`channel_name`: as it is called now. `orders`: null for a role that may read none. `tasks`: of the
    guide's day, people still to be added.
    """

    external_userid: str
    name: str
    avatar: str | None
    channel: str | None
    channel_name: str | None
    version: int
    follows: list[SidebarFollow]
    tags: list[str]
    events: list[SidebarEvent]
    sops: list[SidebarSop]
    orders: list[SidebarOrder] | None
    tasks: int
    can_change: bool
