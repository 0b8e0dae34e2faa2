"""Losses of a guide who has another userid: they stand under the new one, moved row by row."""

from chalicelib.churn.models import LossItem
from chalicelib.platform.storage import Transaction

_PART = 100


def move(old: str, new: str) -> bool:
    rows = list(LossItem.query(old, limit=_PART))
    for row in rows:
        moved = LossItem(
            new, **{name: value for name, value in row.attribute_values.items() if name != "staff_id"}
        )
        tx = Transaction()
        tx.put("new", moved)
        tx.delete("old", LossItem(old, row.place))
        tx.commit()
    return len(rows) == _PART
