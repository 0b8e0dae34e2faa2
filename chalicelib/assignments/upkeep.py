"""The upkeep of assignments: what works.py declares."""

from chalicelib.assignments import native_list
from chalicelib.contactways.usage import UsedUp
from chalicelib.platform import log
from chalicelib.wecom.errors import WeComError


def keep_in_step(live_code_id: str, changed: bool = False) -> None:
    """Bring WeCom's one code of several members in step with its list. WeComError that may pass."""
    try:
        native_list.keep_in_step(live_code_id, changed)
    except (WeComError, UsedUp) as error:
        if error.retryable:
            raise
        # The list stays as it is; within the hour it is tried again.
        log.failure("native code not in step", error, live_code_id=live_code_id, errcode=error.errcode)
