"""Figures of members and groups (wecom-api.md §4.4, §4.11): what really happened, by Beijing days."""

from typing import Any

from infra.sandbox import state as st
from infra.sandbox.endpoint import Call, Endpoint, P, ok
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World, day_of

_DAY = 86_400
_KEPT_DAYS, _MOST_DAYS = 180, 30


def _days(call: Call, start: int, end: int) -> list[int]:
    """The midnights of the asked days, both included; those that are over. ApiError 40058."""
    today = day_of(call.world.ts())
    first, last = day_of(start), day_of(end)
    if last < first or last - first > (_MOST_DAYS - 1) * _DAY or first < today - _KEPT_DAYS * _DAY:
        raise ApiError(40058, "the days")
    return [day for day in range(first, last + 1, _DAY) if day < today]


# Members


def _behavior(world: World, userids: set[str], day: int) -> dict[str, Any]:
    """One day of some members, summed up."""
    counted = [world.state.days.get(f"{userid}|{day}", {}) for userid in userids]
    said = [
        row for row in world.state.received.values()
        if day <= row["at"] < day + _DAY and row["kind"] in ("chat", "chat_in")
    ]  # fmt: skip
    chats: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(said, key=lambda r: r["at"]):
        by_member = row["kind"] == "chat"
        userid, external = (row["userid"], row["receiver"]) if by_member else (row["receiver"], row["userid"])
        if userid.lower() in userids:
            chats.setdefault((userid.lower(), external), []).append(row)
    own = [[r for r in rows if r["kind"] == "chat"] for rows in chats.values()]
    begun = [rows for rows in chats.values() if rows[0]["kind"] == "chat_in"]
    waits = [
        next((r["at"] for r in rows if r["kind"] == "chat"), None) for rows in begun
    ]  # when they were answered
    answered = [at - rows[0]["at"] for at, rows in zip(waits, begun, strict=True) if at is not None]
    shown: dict[str, Any] = {
        "stat_time": day, "chat_cnt": sum(bool(rows) for rows in own), "message_cnt": sum(map(len, own)),
        "negative_feedback_cnt": sum(c.get("negative", 0) for c in counted),
        "new_apply_cnt": sum(c.get("applied", 0) for c in counted),
        "new_contact_cnt": sum(c.get("added", 0) for c in counted),
    }  # fmt: skip
    if begun:  # without a chat of theirs there is nothing to reply to
        shown["reply_percentage"] = round(100 * len(answered) / len(begun), 2)
    if answered:
        shown["avg_reply_time"] = round(sum(answered) / len(answered) / 60)
    return shown


def get_user_behavior_data(call: Call) -> dict[str, Any]:
    world, users, parties = call.world, call["userid"] or [], set(call["partyid"] or [])
    if not users and not parties:
        raise ApiError(40063, "userid, partyid")
    wanted = {world.staff(userid).userid.lower() for userid in users}
    wanted |= {key for key, staff in world.state.staff.items() if parties & set(staff.department)}
    days = _days(call, call["start_time"], call["end_time"])
    return ok(behavior_data=[_behavior(world, wanted, day) for day in days])


# Groups


def _rows(chat: st.GroupChat) -> list[dict[str, Any]]:
    """Who is or was in the group, with when they left."""
    return [*({**row, "left_at": 2**62} for row in chat.members), *chat.gone]


def _figures(world: World, chats: list[st.GroupChat], first: int, last: int) -> dict[str, Any]:
    """Of the days `first` to `last`; totals are those at the end."""
    end = last + _DAY
    there = [c for c in chats if c.create_time < end and not (c.dismissed and c.dismissed_at < end)]
    ids = {c.chat_id for c in chats}
    said = [row for row in world.state.received.values() if first <= row["at"] < end]
    said = [row for row in said if row["receiver"] in ids and row["kind"] in ("group_chat", "mass_send")]
    people = [row for c in chats for row in _rows(c)]
    return {
        "new_chat_cnt": sum(first <= c.create_time < end for c in chats), "chat_total": len(there),
        "chat_has_msg": len({row["receiver"] for row in said}),
        "new_member_cnt": sum(first <= row["join_time"] < end for row in people),
        "member_total": sum(row["join_time"] < end <= row["left_at"] for row in people),
        "member_has_msg": len({(row["receiver"], row["userid"]) for row in said}), "msg_total": len(said),
        "migrate_trainee_chat_cnt": 0,
    }  # fmt: skip


def _by_owner(call: Call) -> dict[str, list[st.GroupChat]]:
    wanted = (call["owner_filter"] or {}).get("userid_list") or []
    if not all(isinstance(userid, str) for userid in wanted):
        raise ApiError(40058, "owner_filter")
    if len(wanted) > 100:
        raise ApiError(40032)
    keys = {userid.lower() for userid in wanted}
    groups: dict[str, list[st.GroupChat]] = {}
    for chat in call.world.state.groups.values():
        if not keys or chat.owner.lower() in keys:
            groups.setdefault(chat.owner, []).append(chat)
    return groups


_ORDER = {1: "new_chat_cnt", 2: "chat_total", 3: "new_member_cnt", 4: "member_total"}


def groupchat_statistic(call: Call) -> dict[str, Any]:
    begin = call["day_begin_time"]
    days = _days(call, begin, call["day_end_time"] or begin)
    items: list[dict[str, Any]] = [
        {"owner": owner, "data": _figures(call.world, chats, days[0], days[-1])}
        for owner, chats in _by_owner(call).items()
        if days
    ]
    by, start = _ORDER[call["order_by"] or 1], call["offset"] or 0
    items.sort(key=lambda item: (item["data"][by], item["owner"]), reverse=not call["order_asc"])
    shown = items[start : start + (call["limit"] or 500)]
    return ok(total=len(items), next_offset=start + len(shown), items=shown)


def groupchat_statistic_group_by_day(call: Call) -> dict[str, Any]:
    begin = call["day_begin_time"]
    chats = [chat for group in _by_owner(call).values() for chat in group]
    days = _days(call, begin, call["day_end_time"] or begin)
    return ok(items=[{"stat_time": day, "data": _figures(call.world, chats, day, day)} for day in days])


_DAYS = (P("day_begin_time", int, True), P("day_end_time", int), P("owner_filter", dict))

TABLE = (
    Endpoint(
        "POST", "externalcontact/get_user_behavior_data", get_user_behavior_data,
        (P("userid", list, most=100, code=40032, items=str), P("partyid", list, most=100, items=int),
         P("start_time", int, True), P("end_time", int, True)),
    ),
    Endpoint(
        "POST", "externalcontact/groupchat/statistic", groupchat_statistic,
        (*_DAYS, P("order_by", int, choices=(1, 2, 3, 4)), P("order_asc", int, choices=(0, 1)),
         P("offset", int), P("limit", int, most=1000, least=1)),
    ),
    Endpoint(
        "POST", "externalcontact/groupchat/statistic_group_by_day", groupchat_statistic_group_by_day, _DAYS
    ),
)  # fmt: skip
