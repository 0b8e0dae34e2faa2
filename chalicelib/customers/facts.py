"""What a customer's own item says of them."""

from collections.abc import Mapping
from typing import Any

from chalicelib.customers import service
from chalicelib.facts.sources import Row, Source
from chalicelib.facts.types import DatedFact
from chalicelib.platform import clock
from chalicelib.platform.timeline_line import Line

FACTS = [
    Source(
        rows={
            "customer_added": "chalicelib.customers.facts:rows",
            "customer_imported": "chalicelib.customers.facts:rows",
        },
        touches=(
            "customer_lost",
            "follow_edited",
            "tags_changed",
            "prospect_matched",
        ),
        known="chalicelib.customers.facts:known",
    )
]


def known(external_userid: str) -> Mapping[str, Any] | None:
    """Fields of Facts."""
    customer = service.get(external_userid)
    if customer is None:
        return None
    follows = customer.follows.values()
    stands = any(f.stands for f in follows)
    return {
        "tags": tuple(sorted(customer.tags)),
        "staff_ids": tuple(sorted(customer.staff_ids)),
        "channel": customer.channel,
        "live_code_id": customer.live_code_id,
        "lost_at": None if stands else max((f.changed_at for f in follows), default=None),
        "has": ("unionid",) if customer.unionid else (),
    }


def rows(line: Line) -> list[Row]:
    """An add, at its own time: a bond keeps its newest one only."""
    staff_id, told_at = str(line.data["staff_id"]), line.data.get("added_at")
    at = clock.parse(told_at) if told_at else line.at
    return [
        Row(
            external_userid=line.subject,
            key=f"add#{staff_id}#{clock.iso(at)}",
            version="",
            entries=(DatedFact("added", at, staff_id),),
        )
    ]
