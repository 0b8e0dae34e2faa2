"""A guide of stores has another userid."""

from chalicelib.platform import lists
from chalicelib.platform.principal import SYSTEM
from chalicelib.stores import service
from chalicelib.stores.models import LISTED, StoreItem


def move(old: str, new: str) -> bool:
    """Every store that names the old id. Conflict when one is changed at this moment: come again."""
    for row in lists.partition(lambda **options: StoreItem.by_id.query(LISTED, **options)):
        if old in row.staff_ids:
            ids = dict.fromkeys(new if one == old else one for one in row.staff_ids)
            service.change(row.store_id, {"staff_ids": list(ids)}, SYSTEM)
    return False
