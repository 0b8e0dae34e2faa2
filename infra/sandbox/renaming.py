"""A member gets another userid: everything of theirs goes by it from then on."""

from dataclasses import asdict
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World


def rename(world: World, userid: str, new_userid: str) -> st.Staff:
    """ApiError 60111: nobody has the old one; 40003: the new one is somebody's, or none at all."""
    state, old, new = world.state, userid.lower(), new_userid.lower()
    if old not in state.staff:
        raise ApiError(60111)
    if new != old and new in state.staff:
        raise ApiError(40003)
    member = st.Staff(**{**asdict(state.staff[old]), "userid": new_userid})
    state.staff = {new if key == old else key: member if key == old else s for key, s in state.staff.items()}
    of_members: list[Any] = [*state.bonds.values(), *state.welcome_codes.values(), *state.mass_tasks.values()]
    for row in of_members:
        row.userid = _own(row.userid, old, new_userid)
    for transfer in state.transfers.values():
        transfer.handover = _own(transfer.handover, old, new_userid)
        transfer.takeover = _own(transfer.takeover, old, new_userid)
    for chat in state.groups.values():
        chat.owner = _own(chat.owner, old, new_userid)
        for person in (*chat.members, *chat.gone):
            person["userid"] = _own(person["userid"], old, new_userid)
    codes: list[Any] = [*state.ways.values(), *state.links.values()]
    for code in codes:
        name = "user" if "user" in code.fields else "user_list"
        code.fields[name] = [_own(u, old, new_userid) for u in code.fields[name]]
        code.adds = {_own(u, old, new_userid): count for u, count in code.adds.items()}
    for moment in state.moments.values():
        moment.tasks = {new if key == old else key: task for key, task in moment.tasks.items()}
        for task in moment.tasks.values():
            task["userid"] = _own(task["userid"], old, new_userid)
    for told in (*state.received.values(), *state.dropped):
        for side in ("userid", "receiver"):
            told[side] = _own(told.get(side, ""), old, new_userid)
    _rename_keys(state, old, new)
    world.index_bonds()
    return member


def _own(userid: str, old: str, new_userid: str) -> str:
    return new_userid if userid.lower() == old else userid


def _rename_keys(state: st.State, old: str, new: str) -> None:
    """The keys that begin or end with a userid."""

    def first(key: str) -> str:
        head, bar, rest = key.partition("|")
        return f"{new}|{rest}" if bar and head == old else key

    def last(key: str) -> str:
        head, bar, rest = key.rpartition("|")
        return f"{head}|{new}" if bar and rest == old else key

    by_first: list[Any] = [state.bonds, state.deleted_at, state.days]
    by_first += [link.customers for link in state.links.values()]
    for record, change in [*((record, first) for record in by_first), (state.mass_tasks, last)]:
        renamed = {change(key): value for key, value in record.items()}
        record.clear()
        record.update(renamed)
    for tag in state.member_tags.values():
        tag["users"] = [new if user == old else user for user in tag["users"]]
