"""Enrolled customers of a guide who has another userid."""

from chalicelib.platform import storage
from chalicelib.sops.models import EnrolmentItem

_PART = 200


def move(old: str, new: str) -> bool:
    rows = list(EnrolmentItem.of_staff.query(old, limit=_PART))
    for row in rows:
        item = EnrolmentItem(row.subject, row.sop_id)
        storage.update_if(item, [EnrolmentItem.staff_id.set(new)], EnrolmentItem.staff_id == old)
    return len(rows) == _PART
