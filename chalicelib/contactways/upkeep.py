"""The upkeep of contact ways, where WeCom's refusal of one must not stop the others."""

from chalicelib.contactways import service
from chalicelib.contactways.usage import UsedUp
from chalicelib.platform import log
from chalicelib.wecom.errors import Treatment, WeComError


def make_ahead(live_code_id: str, staff_id: str) -> None:
    """Make a member's contact way ahead of the first scan. WeComError that may pass."""
    try:
        service.make_ahead(live_code_id, staff_id)
    except WeComError as error:
        if error.treatment is not Treatment.DATA:
            raise
        # This member can't have one: said once, and each scan goes to somebody else.
        log.failure("no contact way", error, staff_id=staff_id, errcode=error.errcode)
    except UsedUp as error:
        log.failure("no contact way", error, staff_id=staff_id)
