"""What is stored of stores."""

from typing import Any

from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta
from chalicelib.platform.stored import read_stored
from chalicelib.platform.userids import fold_all
from chalicelib.stores.types import StoreOut

LISTED = "store"
FIELDS = (
    "store_id",
    "name",
    "city",
    "address",
    "latitude",
    "longitude",
    "datum",
    "staff_ids",
    "chat_ids",
    "hours",
    "status",
)


class ById(GlobalSecondaryIndex["StoreItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    store_id = UnicodeAttribute(range_key=True)


class StoreItem(Base):
    """Degrees in `datum`, as the operator gave them. `version` guards against two changes at once.

    staff_ids_ever: who was ever a guide of it; what they were assigned there stays the store's.
    """

    class Meta(BaseMeta):
        table_name = settings.table("stores")

    store_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    version = NumberAttribute()
    name = UnicodeAttribute()
    city = UnicodeAttribute()
    address = UnicodeAttribute()
    latitude = NumberAttribute()
    longitude = NumberAttribute()
    datum = UnicodeAttribute(default="gcj02")
    staff_ids = JSONAttribute()
    staff_ids_ever = UnicodeSetAttribute(null=True)
    chat_ids = JSONAttribute()
    hours = JSONAttribute(null=True)
    status = UnicodeAttribute(default="open")
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    by_id = ById()

    def fields(self) -> dict[str, Any]:
        """As the API has it, without the times."""
        fields = {name: getattr(self, name) for name in FIELDS}
        fields["staff_ids"] = fold_all(self.staff_ids)
        # Rows from before there were these.
        return fields | {"datum": self.datum or "gcj02", "status": self.status or "open"}

    def store(self) -> StoreOut:
        """The store that the row holds."""
        kept = {
            "version": int(self.version),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }
        return read_stored({**self.fields(), **kept}, StoreOut)


NOW, IMPORTS = "now", "imports"
HEAD = "head"


class MapItem(Base):
    """The map of all stores, which finding the nearest needs and no row of `stores`.

    | map | part | |
    |---|---|---|
    | `now` | `head` | `cells`: the cells that cover the Earth, their stamps and counts (map_bytes); version |
    | `now` | `change#<store_id>` | a store written since: `place` (none: deleted); the cells it `was` in |
    | `cell#<cell>` | a stamp | `places`: a cell's stores, never changed but replaced under another stamp |
    | `imports` | import_id | `places`: stores whose rows are being written, and the cells they were in |

    `now` is one query; "change#" sorts before "head", so whoever reads past a change that is being
    taken into the cells reads a head that has it.
    """

    class Meta(BaseMeta):
        table_name = settings.table("store_maps")

    map = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    version = NumberAttribute(null=True)
    cells = BinaryAttribute(null=True, legacy_encoding=False)
    places = BinaryAttribute(null=True, legacy_encoding=False)
    place = JSONAttribute(null=True)
    was = UnicodeSetAttribute(null=True)
    stamp = UnicodeAttribute(null=True)
