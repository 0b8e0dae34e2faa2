"""WeCom's ids of the corp's tags, by our names for them. A cache: WeCom has the truth.

One item, `#changed`, says since when the cache is void: an event that a tag was renamed or deleted
names the tag by its id, so the callback can't tell which names are meant.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import clock, settings
from chalicelib.platform.storage import Base, BaseMeta

_CHANGED = "#changed"  # no tag's name: those hold a slash


class CorpTag(Base):
    """`read_at`: when we asked WeCom (of `#changed`: when the event came)."""

    class Meta(BaseMeta):
        table_name = settings.table("corp_tags")

    name = UnicodeAttribute(hash_key=True)
    tag_id = UnicodeAttribute(null=True)
    read_at = UnicodeAttribute()


def known(names: Collection[str]) -> dict[str, str]:
    """The ids of those names that we have and that nothing has voided."""
    items = {item.name: item for item in CorpTag.batch_get([*names, _CHANGED], consistent_read=True)}
    voided = items.pop(_CHANGED, None)
    since = voided.read_at if voided else ""
    return {name: item.tag_id for name, item in items.items() if item.tag_id and item.read_at > since}


def stored(names: Collection[str]) -> dict[str, str]:
    """The ids of those names that we have, be they void."""
    items = CorpTag.batch_get(list(names), consistent_read=True)
    return {item.name: item.tag_id for item in items if item.tag_id}


def keep(ids: Mapping[str, str], read_at: datetime) -> None:
    for name, tag_id in ids.items():
        CorpTag(name, tag_id=tag_id, read_at=clock.iso(read_at)).save()


def void(at: datetime) -> None:
    """All that was read before `at` is no longer to be relied on."""
    CorpTag(_CHANGED, read_at=clock.iso(at)).save()
