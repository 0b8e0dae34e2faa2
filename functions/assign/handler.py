"""What live codes do later: reservations lapse, contact ways are made ahead and kept in step."""

from typing import Any

from chalicelib.livecodes import service
from chalicelib.platform import consumers, log
from chalicelib.wecom.errors import Treatment, WeComError


def work(message: dict[str, Any]) -> None:
    """`kind` lapse: of live_code_id, staff_id, assignment_id; contact_way: of live_code_id, staff_id."""
    if message["kind"] == "lapse":
        service.lapse(message["live_code_id"], message["staff_id"], message["assignment_id"])
    elif message["kind"] == "contact_way":
        _prepare(message["live_code_id"], message["staff_id"])
    else:
        raise ValueError("not a kind of work for assign")


def _prepare(live_code_id: str, staff_id: str) -> None:
    try:
        service.prepare(live_code_id, staff_id)
    except WeComError as error:
        if error.treatment is not Treatment.DATA:
            raise
        # This member can't have one: said once, and each scan goes to somebody else.
        log.failure("no contact way", error, staff_id=staff_id, errcode=error.errcode)


handler = consumers.sqs(work)
