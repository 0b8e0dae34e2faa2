"""A guide of stores has another userid."""

from chalicelib.platform import lists
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.versions import IfMatch, etag
from chalicelib.stores import service
from chalicelib.stores.models import LISTED, StoreItem


def move(old: str, new: str) -> bool:
    """Every store that names the old id. Stale when one is changed at this moment: come again."""
    for row in lists.partition(lambda **options: StoreItem.by_id.query(LISTED, **options)):
        if old in row.staff_ids and (store := service.find(row.store_id)) is not None:
            ids = dict.fromkeys(new if one == old else one for one in store.staff_ids)
            seen = IfMatch(etag(store.version))
            service.change(store.store_id, {"staff_ids": list(ids)}, SYSTEM, seen)
    return False
