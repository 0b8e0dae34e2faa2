"""Adds by a guide's contact way, or by a code's own."""

from chalicelib.origins.types import Arrival, Channel, Confirmation, Origin
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Transaction


def _find(state: str) -> Origin | None:
    from chalicelib.contactways.service import find_way
    from chalicelib.livecodes.service import current

    way = find_way(state)
    if way is None:
        return None
    try:
        code = current(way.live_code_id)
    except NotFound:  # deleted while its codes are still in use
        return None
    return Origin(
        "contact_way", state, code.channel, code.live_code_id, tags=tuple(code.tags), behind=(way, code)
    )


def _confirm(tx: Transaction, origin: Origin, arrival: Arrival) -> Confirmation:
    from chalicelib.assignments.confirmation import confirm

    way, code = origin.behind
    staff_id = way.staff_id or arrival.staff_id
    confirmed = confirm(tx, code, staff_id, arrival.external_userid, arrival.at, way.slot)
    return Confirmation(confirmed.assignment_id, confirmed.origin) if confirmed else Confirmation()


def _after(origin: Origin, arrival: Arrival) -> None:
    from chalicelib.assignments.native_list import take_off_when_full

    take_off_when_full(origin.behind[1], arrival.staff_id, arrival.at)


ORIGINS = [
    Channel("contact_way", "mr", _find, _confirm, _after),
    Channel("native_code", "mn", _find, _confirm, _after),
]
