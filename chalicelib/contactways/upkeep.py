"""The upkeep of contact ways, where WeCom's refusal of one must not stop the others, and is told."""

from chalicelib.contactways import service
from chalicelib.contactways.usage import UsedUp
from chalicelib.platform import log
from chalicelib.staff import problems
from chalicelib.wecom.errors import WeComError


def make_ahead(live_code_id: str, staff_id: str) -> None:
    """Make a member's contact way ahead of the first scan. WeComError that may pass."""
    try:
        service.make_ahead(live_code_id, staff_id)
    except WeComError as error:
        if not service.refuses_member(error):
            raise
        # This member can't have one: it is shown and told, and each scan goes to somebody else.
        log.failure("no contact way", error, staff_id=staff_id, errcode=error.errcode)
        problems.note_refusal(staff_id, error)
    except UsedUp as error:
        log.failure("no contact way", error, staff_id=staff_id)
    else:
        problems.note(staff_id, None)
