"""Join ways of a group code, kept in step: one for each group, or one for the native code on posters.

A native code's way leads into the first five groups with room, and is told others as they fill up; its
printed picture never changes. There is no scan of ours then and no reservation: WeCom lets people
in up to its own limit, and a lower one holds only as fast as events come. The state in the member list
still tells whose code it was.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.contactways import join_ways
from chalicelib.contactways.types import PrintedWay
from chalicelib.groupcodes.group_order import (
    check_not_appended,
    is_group_code,
    is_native,
    is_opened_by_wecom,
    limit_of,
    line_of,
)
from chalicelib.groups import rules
from chalicelib.groups import service as groups
from chalicelib.livecodes.service import LiveCode, check_version, get
from chalicelib.platform import clock, due, queues, settings
from chalicelib.platform.errors import NotFound, Upstream
from chalicelib.platform.storage import Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom import pictures

_AT_ONCE = 100  # ways that one message gives up
_A_SECOND = 10  # deletions asked of WeCom, which counts calls by the minute
_SOON = timedelta(minutes=1)


def keep_in_step(live_code_id: str, chat_id: str, there: Callable[[list[str]], list[str]]) -> bool:
    """The group's join way there, and told what differs. False: come again.

    there: tells which of some groups are not dismissed; from the line's last one WeCom opens the next.
    """

    def wanted() -> dict[str, Any] | None:
        code = get(live_code_id)
        line = line_of(code) if _leads(code) and not is_native(code) else []
        if chat_id not in line:
            return None
        auto = is_opened_by_wecom(code) and chat_id == next(
            (last for last in reversed(line) if there([last])), None
        )
        return join_ways.fields(code, join_ways.state_of(live_code_id, chat_id), [chat_id], auto)

    return join_ways.keep_in_step(live_code_id, chat_id, wanted)


def keep_native_in_step(live_code_id: str) -> bool:
    """The native way there, and leading into the groups that have room. With none, it stays as it is.

    False: come again.
    """

    def wanted() -> dict[str, Any] | None:
        code = get(live_code_id)
        rooms = groups.rooms(line_of(code)) if _leads(code) and is_native(code) else []
        chosen = rules.in_native(rooms, limit_of(code)) if rooms else []
        if not chosen:
            return None
        last = rules.end_of(rooms)
        auto = is_opened_by_wecom(code) and last is not None and chosen[-1] == last.chat_id
        return join_ways.fields(code, join_ways.state_of(live_code_id), chosen, auto)

    return join_ways.keep_in_step(live_code_id, "", wanted)


def _leads(code: LiveCode) -> bool:
    return code.active and is_group_code(code)


def find_opened_by_wecom(code: LiveCode, line: Sequence[str]) -> list[str]:
    """The groups that WeCom has in the way from which it opens rooms. line: of groups that are there."""
    if not line and not is_native(code):
        return []
    return join_ways.list_groups(join_ways.state_of(code.live_code_id, "" if is_native(code) else line[-1]))


def find_native(code: LiveCode) -> PrintedWay | None:
    """The printed code; None while it is not made."""
    return join_ways.find_printed(join_ways.state_of(code.live_code_id)) if is_native(code) else None


def fetch_picture(code: LiveCode) -> bytes:
    """The printed code's picture from WeCom, for a poster. Upstream, also while it is being made."""
    printed = find_native(code)
    if printed is None:
        queues.send("assign", {"kind": "group_room", "live_code_id": code.live_code_id})
        raise Upstream(code="way_being_made")
    return pictures.fetch(printed.qr_url, settings.env("WECOM_API_BASE", wecom.HOST))


def delete_unused_ways(live_code_id: str, version: int, native: bool) -> None:
    """Order the deletion of the ways that this version of the code has no use for.

    native: the printed one too, if the code is archived. As in cleanup, each row goes in one transaction
    with the order to delete the way (`join_way_delete`), and only while the code is at that very version.
    """
    try:
        code = get(live_code_id)
    except NotFound:
        return
    if code.version != version or (code.active and code.gives_store_groups):
        return  # a store's groups are whatever the store says
    line = line_of(code) if _leads(code) else []
    needed = {join_ways.state_of(live_code_id, chat_id) for chat_id in line}
    if code.active or not native:
        needed.add(join_ways.state_of(live_code_id))
    unused = [state for state in join_ways.states_of_code(live_code_id) if state not in needed]
    now = clock.now()

    def check(tx: Transaction, chat_id: str) -> None:
        check_version(tx, code)
        if code.active:
            check_not_appended(tx, live_code_id, chat_id)

    for number, state in enumerate(unused[:_AT_ONCE]):
        join_ways.give_up(state, now + timedelta(seconds=number / _A_SECOND), check)
    if len(unused) > _AT_ONCE:
        work = {"live_code_id": live_code_id, "version": version, "native": native}
        key = f"{live_code_id}#{version}#{len(unused)}"
        due.put("join_way_cleanup", clock.now() + _SOON, key, work)
