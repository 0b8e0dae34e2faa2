"""A view stands on a shelf: its owner's own, or the shared one. `view_id` is a ulid, so they sort by time."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

SHARED = "shared"


class ViewItem(Base):
    """`owner`: the principal's id; `owner_name` for people. `scope`: the owner's, of a shared view."""

    class Meta(BaseMeta):
        table_name = settings.table("views")

    shelf = UnicodeAttribute(hash_key=True)
    view_id = UnicodeAttribute(range_key=True)
    list = UnicodeAttribute()
    permission = UnicodeAttribute()  # that reading the list takes
    name = UnicodeAttribute()
    query_string = UnicodeAttribute(default="")
    owner = UnicodeAttribute()
    owner_name = UnicodeAttribute()
    scope = JSONAttribute()
    created_at = UnicodeAttribute()


def own_shelf(owner: str) -> str:
    return f"own#{owner}"
