"""Views of a person who has another userid: their own, those they share, and what these ask for."""

from urllib.parse import parse_qsl, urlencode

from chalicelib.platform import lists
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.views.models import SHARED, ViewItem, own_shelf

_NAMING = ("staff_id", "owner")  # what a list is filtered by


def move(old: str, new: str) -> bool:
    for item in ViewItem.query(own_shelf(old), limit=lists.MAX_WHOLE):
        _write(item, _of(item, own_shelf(new), old, new))
    for shelf in (own_shelf(new), SHARED):
        for item in ViewItem.query(shelf, limit=lists.MAX_WHOLE):
            changed = _of(item, shelf, old, new)
            if (changed.owner, changed.query_string) != (item.owner, item.query_string):
                _write(item, changed)
    return False


def _of(item: ViewItem, shelf: str, old: str, new: str) -> ViewItem:
    asked = parse_qsl(item.query_string, keep_blank_values=True)
    renamed = [(name, new if name in _NAMING and value == old else value) for name, value in asked]
    return ViewItem(
        shelf,
        item.view_id,
        list=item.list,
        permission=item.permission,
        name=item.name,
        query_string=item.query_string if renamed == asked else urlencode(renamed),
        owner=new if item.owner == old else item.owner,
        owner_name=item.owner_name,
        scope=item.scope,
        created_at=item.created_at,
    )


def _write(before: ViewItem, after: ViewItem) -> None:
    """What is changed meanwhile is left to the next round."""
    as_read = (ViewItem.name == before.name) & (ViewItem.query_string == before.query_string)
    tx = Transaction()
    if after.shelf == before.shelf:
        tx.put("view", after, as_read)
    else:
        tx.put("view", after)
        tx.delete("view before", before, as_read)
    try:
        tx.commit()
    except ConditionFailed:
        return
