"""What live codes do later: reservations lapse, contact ways are made ahead and kept in step."""

from typing import Any

from chalicelib.assignments import lapse, native_list
from chalicelib.contactways import cleanup, lost_answers, rows
from chalicelib.contactways import service as contactways
from chalicelib.contactways.usage import UsedUp
from chalicelib.groupcodes import works as groupcodes
from chalicelib.groups import works as groups
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import consumers, log
from chalicelib.stores import service as stores
from chalicelib.wecom.errors import Treatment, WeComError


def work(message: dict[str, Any]) -> None:
    """`kind` lapse: of live_code_id, staff_id, assignment_id; contact_way: of live_code_id, staff_id;
    prepare: of live_code_id, version; native: of live_code_id, changed?; way_cleanup: of live_code_id,
    version, native, after?; way_delete: of config_id; way_search: of state, since, after.
    """
    if message["kind"] == "lapse":
        lapse.lapse(message["live_code_id"], message["staff_id"], message["assignment_id"])
    elif message["kind"] == "contact_way":
        _make_ahead(message["live_code_id"], message["staff_id"])
    elif message["kind"] == "prepare":
        livecodes.prepare(message["live_code_id"], message["version"])
    elif message["kind"] == "native":
        _keep(message["live_code_id"], message.get("changed", False))
    elif message["kind"] == "way_cleanup":
        after = message.get("after", "")
        cleanup.delete_unused_ways(message["live_code_id"], message["version"], message["native"], after)
    elif message["kind"] == "way_delete":
        rows.delete_at_wecom(message["config_id"])
    elif message["kind"] == "way_search":
        lost_answers.resolve_lost_answer(message["state"], message["since"], message["after"])
    elif message["kind"] == "store_map":
        _map_stores(message)
    elif message["kind"] in groupcodes.WORK:
        groupcodes.work(message)
    elif message["kind"] in groups.WORK:
        groups.work(message)
    else:
        raise ValueError("not a kind of work for assign")


def _map_stores(message: dict[str, Any]) -> None:
    """What of an import has not come onto the map (import_id); the whole map made anew (job_id)."""
    if "import_id" in message:
        stores.finish(message["import_id"])
    else:
        stores.rebuild(message["job_id"])


def _make_ahead(live_code_id: str, staff_id: str) -> None:
    try:
        contactways.make_ahead(live_code_id, staff_id)
    except WeComError as error:
        if error.treatment is not Treatment.DATA:
            raise
        # This member can't have one: said once, and each scan goes to somebody else.
        log.failure("no contact way", error, staff_id=staff_id, errcode=error.errcode)
    except UsedUp as error:
        log.failure("no contact way", error, staff_id=staff_id)


def _keep(live_code_id: str, changed: bool) -> None:
    try:
        native_list.keep_in_step(live_code_id, changed)
    except (WeComError, UsedUp) as error:
        if error.retryable:
            raise
        # The list stays as it is; within the hour it is tried again.
        log.failure("native code not in step", error, live_code_id=live_code_id, errcode=error.errcode)


handler = consumers.sqs(work)
