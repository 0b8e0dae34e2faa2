"""What live codes do later: reservations lapse, contact ways are made ahead and kept in step."""

from typing import Any

from chalicelib.groups import works as groups
from chalicelib.livecodes import service
from chalicelib.platform import consumers, log
from chalicelib.stores import service as stores
from chalicelib.wecom.errors import Treatment, WeComError


def work(message: dict[str, Any]) -> None:
    """`kind` lapse: of live_code_id, staff_id, assignment_id; contact_way: of live_code_id, staff_id;
    prepare: of live_code_id, version; native: of live_code_id, changed?; way_cleanup: of live_code_id,
    version, native, after?; way_delete, join_way_delete: of config_id; way_search: of state, since, after.
    """
    if message["kind"] == "lapse":
        service.lapse(message["live_code_id"], message["staff_id"], message["assignment_id"])
    elif message["kind"] == "contact_way":
        _prepare(message["live_code_id"], message["staff_id"])
    elif message["kind"] == "prepare":
        service.prepare_all(message["live_code_id"], message["version"])
    elif message["kind"] == "native":
        _keep(message["live_code_id"], message.get("changed", False))
    elif message["kind"] == "way_cleanup":
        after = message.get("after", "")
        service.clean_up(message["live_code_id"], message["version"], message["native"], after)
        service.clean_up_join_ways(message["live_code_id"], message["version"], message["native"])
    elif message["kind"] == "way_delete":
        service.delete_way(message["config_id"])
    elif message["kind"] == "join_way_delete":
        service.delete_join_way(message["config_id"])
    elif message["kind"] == "way_search":
        service.settle_way(message["state"], message["since"], message["after"])
    elif message["kind"] == "store_map":
        _map_stores(message)
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


def _prepare(live_code_id: str, staff_id: str) -> None:
    try:
        service.prepare(live_code_id, staff_id)
    except WeComError as error:
        if error.treatment is not Treatment.DATA:
            raise
        # This member can't have one: said once, and each scan goes to somebody else.
        log.failure("no contact way", error, staff_id=staff_id, errcode=error.errcode)
    except service.UsedUp as error:
        log.failure("no contact way", error, staff_id=staff_id)


def _keep(live_code_id: str, changed: bool) -> None:
    try:
        service.keep_native(live_code_id, changed)
    except (WeComError, service.UsedUp) as error:
        if error.retryable:
            raise
        # The list stays as it is; within the hour it is tried again.
        log.failure("native code not in step", error, live_code_id=live_code_id, errcode=error.errcode)


handler = consumers.sqs(work)
