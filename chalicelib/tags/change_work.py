"""WeCom is told of tags that somebody of us changed. The work does only what is still so here: it may come
twice, or after a later change. What WeCom refuses for good is taken out again (service.apply). It is apart
from changes.py, whose scope brings the stores, so that the function that does it starts without them.
"""

from collections.abc import Collection

from chalicelib.customers import service as customers
from chalicelib.tags import service


def write_tags(
    external_userid: str, on: str, off: Collection[str], add: Collection[str], remove: Collection[str]
) -> None:
    """Set the tags on the one bond at WeCom, and clear the others on each. Upstream for what may pass."""
    customer = customers.get(external_userid)
    if customer is None:
        return
    present = set(customer.tags)
    set_now = [name for name in add if name in present]
    cleared = [name for name in remove if name not in present]
    for guide in dict.fromkeys([on, *off]):
        mine = set_now if guide == on else []
        if mine or cleared:
            service.apply(guide, external_userid, mine, cleared)
