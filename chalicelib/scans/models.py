"""What is stored of scans: how many new reservations an address has made."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class ScanAddressItem(Base):
    """`address`: its salted hash alone. taken: reservations in the window that ends at `expires_at`."""

    class Meta(BaseMeta):
        table_name = settings.table("scan_addresses")

    address = UnicodeAttribute(hash_key=True)
    taken = NumberAttribute()
    expires_at = NumberAttribute()
