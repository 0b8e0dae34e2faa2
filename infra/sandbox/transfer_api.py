"""Customers and groups that change their member: in service, and of those who left (wecom-api.md §4.10).

A transfer waits for the customer: it is done when they accept or after 24 hours, unless they refuse. As with
mass sends nothing waits on a timer: `settle` moves each on to where the clock has brought it.
"""

from typing import Any

from infra.sandbox import mass_api, moment_api
from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok, page
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World, day_of

DONE, WAITING, REFUSED, FULL, NO_RECORD = 1, 2, 3, 4, 5
_DAY = 86_400
_COMPLETES_AFTER = _DAY
_AGAIN_DAYS, _AGAIN = 90, 2  # a customer moves so often in so many days; a group as well
_GROUPS_A_DAY = 300
_EVENT = "change_external_contact"


# What happens by itself


def settle(world: World, now: float) -> int:
    """Complete what the customers neither took nor refused by `now`; how many. Their events are posted."""
    due = [t for t in world.state.transfers.values() if t.status == WAITING and t.due <= now]
    for transfer in sorted(due, key=lambda t: t.due):
        mass_api.settle(world, transfer.due)  # members sent what they had to send before
        moment_api.settle(world, transfer.due)
        complete(world, transfer, transfer.due)
    return len(due)


def next_at(world: World) -> float | None:
    """When the next transfer completes by itself."""
    return min((t.due for t in world.state.transfers.values() if t.status == WAITING), default=None)


def complete(world: World, transfer: st.Transfer, at: float) -> None:
    """The customer is the other member's from now on, or the other has too many of them."""
    external, transfer.ended_at = transfer.external_userid, at
    old = world.bond(transfer.handover, external)
    if old is None:
        transfer.status = NO_RECORD
        return
    if len(world.bonds_of(transfer.takeover)) >= world.config.customers_per_member:
        transfer.status = FULL
        _failed(world, transfer, "customer_limit_exceed", at)
        return
    known = world.bond(transfer.takeover, external)
    was_friend = known is not None and known.kind == "full"
    came_back = any(
        t.status == DONE and t.external_userid == external and t.handover == transfer.takeover
        for t in world.state.transfers.values()
    )
    transfer.status = DONE
    world.hand_over(old, transfer.takeover, int(at))
    pair = {"ExternalUserID": external}
    if not transfer.resigned:
        gone = {"ChangeType": "del_external_contact", "UserID": transfer.handover, **pair}
        world.post_event(at, _EVENT, **gone, Source="DELETE_BY_TRANSFER")
        words = (
            transfer.words or f"您好，您的服务已升级，后续将由我的同事{_name(world, transfer.takeover)}接替我"
        )
        world.deliver(
            "transfer", transfer.takeover, external, {"text": {"content": words}, "attachments": []}, at
        )
    if not was_friend and not came_back:
        world.post_event(at, _EVENT, ChangeType="add_external_contact", UserID=transfer.takeover, **pair)


def refuse(world: World, transfer: st.Transfer, at: float) -> None:
    """The customer stays where they are."""
    transfer.status, transfer.ended_at = REFUSED, at
    _failed(world, transfer, "customer_refused", at)


def _failed(world: World, transfer: st.Transfer, why: str, at: float) -> None:
    who = {"UserID": transfer.takeover, "ExternalUserID": transfer.external_userid}
    world.post_event(at, _EVENT, ChangeType="transfer_fail", FailReason=why, **who)


def _name(world: World, userid: str) -> str:
    return world.state.staff[userid.lower()].name


# Customers


def _taker(world: World, userid: str) -> st.Staff:
    taker = world.staff(userid)
    if taker.status != 1:
        raise ApiError(41054)
    return taker


def _refusal(world: World, handover: str, taker: st.Staff, external: Any, resigned: bool) -> int:
    """The error code of one customer; 0: they are on their way."""
    if not isinstance(external, str) or external not in world.state.contacts:
        return 40096
    if handover.lower() == taker.userid.lower():
        return 40130
    of_them = [t for t in world.state.transfers.values() if t.external_userid == external]
    if any(t.status == WAITING and t.handover.lower() == handover.lower() for t in of_them):
        return 40100 if resigned else 40129
    bond = world.bond(handover, external)
    if bond is None or bond.kind == "half":
        return 40131
    recent = [t for t in of_them if t.status == DONE and t.at > world.ts() - _AGAIN_DAYS * _DAY]
    if not resigned and len(recent) >= _AGAIN:
        return 40128
    return 40099 if len(world.bonds_of(taker.userid)) >= world.config.customers_per_member else 0


def _begin(call: Call, handover: str, resigned: bool) -> dict[str, Any]:
    world, now = call.world, call.world.ts()
    settle(world, now)
    taker, rows = _taker(world, call["takeover_userid"]), []
    for external in call["external_userid"]:
        code = _refusal(world, handover, taker, external, resigned)
        rows.append({"external_userid": external, "errcode": code})
        if code == 0:
            made = st.Transfer(handover, taker.userid, external, now, now + _COMPLETES_AFTER, resigned)
            made.words = call["transfer_success_msg"] or ""
            world.state.transfers[world.new_id("transfer")] = made
    return ok(customer=rows)


def transfer_customer(call: Call) -> dict[str, Any]:
    return _begin(call, call.world.staff(call["handover_userid"]).userid, resigned=False)


def _left(world: World, userid: str) -> st.Staff:
    """A member who left. ApiError 40097 for one who is still here, 60111 for one who never was."""
    known = world.state.staff.get(userid.lower())
    if known is None:
        world.staff(userid)  # made, unless the sandbox is strict
        raise ApiError(40097)
    if known.status != 5:
        raise ApiError(40097)
    return known


def resigned_transfer_customer(call: Call) -> dict[str, Any]:
    return _begin(call, _left(call.world, call["handover_userid"]).userid, resigned=True)


def _result(call: Call, resigned: bool) -> dict[str, Any]:
    world = call.world
    settle(world, world.ts())
    pair = (call["handover_userid"].lower(), call["takeover_userid"].lower())
    latest = {
        t.external_userid: t
        for t in world.state.transfers.values()
        if (t.handover.lower(), t.takeover.lower()) == pair and t.resigned == resigned
    }
    times = {WAITING: "due", DONE: "ended_at"}
    rows = [
        {"external_userid": external, "status": t.status,
         "takeover_time": int(getattr(t, times[t.status])) if t.status in times else 0}
        for external, t in latest.items()
    ]  # fmt: skip
    shown, cursor = page(rows, call, 1000)
    return ok(customer=shown, next_cursor=cursor)


def transfer_result(call: Call) -> dict[str, Any]:
    return _result(call, resigned=False)


def resigned_transfer_result(call: Call) -> dict[str, Any]:
    return _result(call, resigned=True)


def get_unassigned_list(call: Call) -> dict[str, Any]:
    """Customers of those who left, but for those on their way to somebody."""
    world = call.world
    settle(world, world.ts())
    moving = {
        world.bond_key(t.handover, t.external_userid)
        for t in world.state.transfers.values()
        if t.status == WAITING
    }
    rows = [
        {"handover_userid": staff.userid, "external_userid": bond.external_userid,
         "dimission_time": staff.left_at}
        for staff in sorted(world.state.staff.values(), key=lambda s: -s.left_at)
        if staff.status == 5
        for bond in world.bonds_of(staff.userid)
        if world.bond_key(bond.userid, bond.external_userid) not in moving
    ]  # fmt: skip
    size = call["page_size"] or 1000
    if call["page_id"] and not call["cursor"]:  # the older way to page
        start = call["page_id"] * size
        return ok(info=rows[start : start + size], is_last=start + size >= len(rows), next_cursor="")
    shown, cursor = page(rows, call, size)
    return ok(info=shown, is_last=not cursor, next_cursor=cursor)


# Groups


def _group_refusal(world: World, chat_id: Any, owner: st.Staff, on_job: bool) -> int:
    chat = world.state.groups.get(chat_id) if isinstance(chat_id, str) else None
    if chat is None or chat.dismissed:
        return 90501
    if chat.owner.lower() == owner.userid.lower():
        return 90504
    before = world.state.staff.get(chat.owner.lower())
    has_left = before is not None and before.status == 5
    if has_left == on_job:
        return 90502 if has_left else 90500
    now = world.ts()
    if on_job and sum(at > now - _AGAIN_DAYS * _DAY for at in chat.transferred_at) >= _AGAIN:
        return 90508
    key = f"{chat.owner.lower()}|{day_of(now)}"
    if world.state.days.get(key, {}).get("groups_given", 0) >= _GROUPS_A_DAY:
        return 45009
    return 0


def _transfer_groups(call: Call, on_job: bool) -> dict[str, Any]:
    world = call.world
    owner, failed = _taker(world, call["new_owner"]), []
    for chat_id in call["chat_id_list"]:
        code = _group_refusal(world, chat_id, owner, on_job)
        if code:
            failed.append({"chat_id": chat_id, "errcode": code, "errmsg": ApiError(code).text})
            continue
        chat, now = world.state.groups[chat_id], world.ts()
        world.count(chat.owner, "groups_given", now)
        chat.owner, chat.status = owner.userid, 0 if on_job else 3
        if on_job:
            chat.transferred_at = [*chat.transferred_at, int(now)]
        told = {"ChangeType": "update", "UpdateDetail": "change_owner"}
        world.post_event(now, "change_external_chat", ChatId=chat_id, **told)
    return ok(failed_chat_list=failed)


def groupchat_transfer(call: Call) -> dict[str, Any]:
    return _transfer_groups(call, on_job=False)


def groupchat_onjob_transfer(call: Call) -> dict[str, Any]:
    return _transfer_groups(call, on_job=True)


_PAIR = (P("handover_userid", str, True), P("takeover_userid", str, True))
_CUSTOMERS = P("external_userid", list, True, most=100, code=40032, items=str)
_CHATS = (P("chat_id_list", list, True, most=100, code=40032, items=str), P("new_owner", str, True))
_PATH = "externalcontact/"

TABLE = (
    Endpoint(
        "POST", _PATH + "transfer_customer", transfer_customer,
        (*_PAIR, _CUSTOMERS, P("transfer_success_msg", str, most=200)),
    ),
    Endpoint("POST", _PATH + "transfer_result", transfer_result, (*_PAIR, P("cursor", str))),
    Endpoint(
        "POST", _PATH + "get_unassigned_list", get_unassigned_list,
        (P("cursor", str), P("page_size", int, most=1000), P("page_id", int)),
    ),
    Endpoint(
        "POST", _PATH + "resigned/transfer_customer", resigned_transfer_customer, (*_PAIR, _CUSTOMERS)
    ),
    Endpoint(
        "POST", _PATH + "resigned/transfer_result", resigned_transfer_result, (*_PAIR, P("cursor", str))
    ),
    Endpoint("POST", _PATH + "groupchat/transfer", groupchat_transfer, _CHATS),
    Endpoint("POST", _PATH + "groupchat/onjob_transfer", groupchat_onjob_transfer, _CHATS),
)  # fmt: skip
