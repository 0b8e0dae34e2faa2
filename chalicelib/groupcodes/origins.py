"""Joinings of a group by a group code's join way: the state stands in the group's member list."""

from chalicelib.origins.types import Arrival, Channel, Confirmation, Origin
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Transaction


def _find(state: str) -> Origin | None:
    from chalicelib.contactways import join_ways
    from chalicelib.livecodes.service import current

    way = join_ways.find(state)
    if way is None:
        return None
    try:
        channel = current(way.live_code_id).channel
    except NotFound:
        channel = ""
    return Origin("join_way", state, channel, way.live_code_id, behind=way)


def _confirm(tx: Transaction, origin: Origin, arrival: Arrival) -> Confirmation:
    from chalicelib.groupcodes.confirmation import confirm

    joined = confirm(tx, origin.behind, arrival.chat_id, arrival.external_userid, arrival.at)
    return Confirmation(joined.assignment_id, first=joined.first)


ORIGINS = [Channel("join_way", "mj", _find, _confirm)]
