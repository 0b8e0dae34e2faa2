"""What stands in the sidebar, in one answer: its page is opened anew with each chat."""

import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit

from chalicelib.channels import service as channels
from chalicelib.customers import lookup
from chalicelib.customers.rules import Customer
from chalicelib.distribution import commission_list
from chalicelib.distribution.commission_list import CommissionsQuery
from chalicelib.orders import order_list
from chalicelib.orders.order_list import OrdersQuery
from chalicelib.platform import clock, ids, settings
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.paging import Paging
from chalicelib.platform.principal import Principal
from chalicelib.prospects import brand_settings, daily_tasks
from chalicelib.sidebar.types import (
    SidebarConfig,
    SidebarCustomer,
    SidebarEvent,
    SidebarFollow,
    SidebarOrder,
    SidebarSop,
)
from chalicelib.sops import service as sops
from chalicelib.sops import touches
from chalicelib.sops.queries import TouchesQuery
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom

_EVENTS, _TOUCHES, _ORDERS = 12, 20, 5


def config(url: str, principal: Principal, csrf_token: str | None) -> SidebarConfig:
    """The signatures of a page of ours. Invalid, Upstream."""
    if urlsplit(url)[:2] != urlsplit(settings.env("PUBLIC_BASE_URL"))[:2]:
        raise Invalid(issue("url", "not_our_page"))
    nonce, timestamp = ids.short(16), int(clock.now().timestamp())
    client = wecom.default_client()
    return SidebarConfig(
        corp_id=settings.env("WECOM_CORP_ID"),
        agent_id=settings.env("WECOM_AGENT_ID"),
        timestamp=timestamp,
        nonce=nonce,
        signature=signature(client.jsapi_ticket(), nonce, timestamp, url),
        agent_signature=signature(client.agent_ticket(), nonce, timestamp, url),
        csrf_token=csrf_token,
        staff_name=staff.name(principal.person) if principal.person else principal.name,
    )


def signature(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """Of a page for WeCom's JS-SDK: the address as the browser has it, without what is behind #."""
    page = url.partition("#")[0]
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()  # WeCom's choice


def customer(external_userid: str, principal: Principal) -> SidebarCustomer:
    """Who it is, as far as the principal sees them. NotFound."""
    found = lookup.find_in_scope(external_userid, principal)
    names = staff.names(found.follows)
    known = channels.by_name()

    def named(channel: str | None) -> str | None:
        return known[channel].name if channel in known else channel

    return SidebarCustomer(
        external_userid=found.external_userid,
        name=found.name,
        avatar=found.avatar or None,
        channel=found.channel,
        channel_name=named(found.channel),
        version=found.version,
        follows=_follows(found, names, principal),
        tags=list(found.tags),
        events=_events(external_userid, names, named, principal),
        sops=_sops(external_userid, principal) if principal.may("touches.read") else [],
        orders=_orders(external_userid, principal) if principal.may("orders.read") else None,
        tasks=_tasks(principal),
        can_change=principal.may("customers.write") and bool(lookup.bonds(found, principal)),
    )


def _follows(found: Customer, names: dict[str, str], principal: Principal) -> list[SidebarFollow]:
    """The principal's own first, then the newest."""
    rows = sorted(
        found.follows.items(), key=lambda row: (row[0] != principal.person, -row[1].changed_at.timestamp())
    )
    return [
        SidebarFollow(
            staff_name=names.get(staff_id) or staff_id,
            status=follow.status,
            added_at=clock.iso(follow.added_at) if follow.added_at else None,
            remark=follow.remark,
            is_mine=staff_id == principal.person,
        )
        for staff_id, follow in rows
    ]


def _events(
    external_userid: str,
    names: dict[str, str],
    named: Callable[[str | None], str | None],
    principal: Principal,
) -> list[SidebarEvent]:
    page = lookup.history(external_userid, Paging(limit=_EVENTS), principal)
    return [
        SidebarEvent(
            type=line.type,
            at=clock.iso(line.at),
            staff_name=names.get(str(line.data.get("staff_id"))),
            channel_name=named(line.data.get("channel")),
            data=dict(line.data),
        )
        for line in page.items
    ]


def _sops(external_userid: str, principal: Principal) -> list[SidebarSop]:
    """The newest touch of each plan."""
    query = TouchesQuery(external_userid=external_userid, limit=_TOUCHES)
    newest = {touch.sop_id: touch for touch in reversed(touches.page(query, principal).items)}
    plans = {sop_id: sops.find(sop_id) for sop_id in newest}
    return [
        SidebarSop(name=str(plan.document["name"]), status=touch.status, at=touch.at or touch.due_at)
        for sop_id, touch in newest.items()
        if (plan := plans[sop_id]) is not None
    ]


def _orders(external_userid: str, principal: Principal) -> list[SidebarOrder]:
    query = OrdersQuery(external_userid=external_userid, limit=_ORDERS)
    return [
        SidebarOrder(
            order_id=order.order_id,
            status=order.status,
            ordered_at=order.ordered_at,
            paid_fen=order.paid_fen,
            refunded_fen=order.refunded_fen,
            commission_fen=_commission(order.order_id, principal),
        )
        for order in order_list.page(query, principal).items
    ]


def _commission(order_id: str, principal: Principal) -> int | None:
    if not principal.may("commissions.read"):
        return None
    rows = commission_list.page(CommissionsQuery(order_id=order_id, limit=200), principal).items
    return sum(row.amount_fen for row in rows)


def _tasks(principal: Principal) -> int:
    """People whom the guide is still to add today."""
    if principal.person is None:
        return 0
    rows = daily_tasks.of_day(principal.person, brand_settings.day_of(clock.now()))
    return sum(1 for row in rows if row.status == "to_add")
