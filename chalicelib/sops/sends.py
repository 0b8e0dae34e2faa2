"""How many messages SOPs had sent in a time."""

from collections.abc import Collection
from functools import partial

from chalicelib.platform import lists
from chalicelib.platform.userids import fold
from chalicelib.sops.models import PushItem, SopItem


def sent_between(since: str, until: str, guides: Collection[str] | None) -> dict[str, int]:
    """By SOP, in its pushes of that time (ISO texts, `until` not included), of these guides; None: of all."""
    counts: dict[str, int] = {}
    for sop in lists.partition(partial(SopItem.by_listing.query, "sop")):
        within = PushItem.created_at.between(since, until)
        for push in PushItem.by_sop.query(sop.sop_id, within):
            if push.sent and (guides is None or fold(push.staff_id) in guides):
                counts[sop.sop_id] = counts.get(sop.sop_id, 0) + int(push.sent)
    return counts
