"""Contact ways that nobody needs any more are deleted at WeCom, after a grace: a corp has 500,000.

A change of a code that leaves ways over, and its archiving, put work of kind `way_cleanup` into `due`
(see livecodes), for when every reservation that may still use them is over. It names the version of the
code that it is about: a code that was changed meanwhile has later work of its own, so nothing of a
member who came back is ever deleted. The row goes in one transaction with its count and the order to
delete the way (`way_delete`), and only while the code is at that very version.
"""

from datetime import timedelta

from chalicelib.contactways import rows
from chalicelib.contactways.models import MAKING, ContactWayItem
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, due, queues
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Transaction

_AT_ONCE = 500  # ways that one message looks through
_A_SECOND = 10  # deletions asked of WeCom, which counts calls by the minute


def delete_unused_ways(live_code_id: str, version: int, native: bool, after: str = "") -> None:
    """Order the deletion of what this version of the code has no use for.

    native: the code's own way too, if it is archived. after: where the message before this one stopped.
    """
    try:
        code = livecodes.get(live_code_id)
    except NotFound:
        return
    if code.version != version:
        return
    if code.indexed and not after:
        work = {"live_code_id": live_code_id, "version": version, "native": native}
        queues.send("assign", {"kind": "join_way_cleanup", **work})
    if code.active and code.kind == "nearest_store":
        return  # its guides are the stores'
    beyond = ContactWayItem.state > after if after else None
    index = ContactWayItem.by_live_code
    states = [row.state for row in index.query(live_code_id, beyond, limit=_AT_ONCE + 1)]
    now = clock.now()
    for number, state in enumerate(states[:_AT_ONCE]):
        row = ContactWayItem.find(state)
        if row is not None and not _needed(code, row, native):
            _give_up(code, row, number)
    if len(states) > _AT_ONCE:
        work = {"live_code_id": live_code_id, "version": version, "native": native}
        work["after"] = states[_AT_ONCE - 1]
        later = now + timedelta(seconds=_AT_ONCE / _A_SECOND)
        due.put("way_cleanup", later, f"{live_code_id}#{version}#{work['after']}", work)


def _needed(code: LiveCode, row: ContactWayItem, native: bool) -> bool:
    """Whether the way is still in use, or being made at present."""
    if row.status == MAKING and row.lease >= clock.iso(clock.now()):
        return True
    if rows.kind(row.state) == "native":
        return code.active or not native  # printed ones die with it
    if not code.active:
        return False
    return not code.native and row.staff_id in code.rule.staff_ids


def _give_up(code: LiveCode, row: ContactWayItem, number: int) -> None:
    """In one transaction: the row, its count, the order to delete; unless the code or the row has changed.

    What WeCom has of one whose making came to no end is deleted by the order to look for it.
    """
    tx = Transaction()
    livecodes.check_version(tx, code)
    if row.config_id:
        at = clock.now() + timedelta(seconds=number / _A_SECOND)
        due.add(tx, "way_delete", at, row.config_id, {"config_id": row.config_id})
    same = (ContactWayItem.status == row.status) & (ContactWayItem.lease == row.lease)
    rows.remove(row, same, tx)
