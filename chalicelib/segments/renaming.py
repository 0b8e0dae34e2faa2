"""Segments whose rules name a guide who has another userid: they ask for the new one."""

from functools import partial
from typing import Any

from chalicelib.platform import clock, lists, storage
from chalicelib.segments.models import LISTED, SegmentItem


def move(old: str, new: str) -> bool:
    for item in lists.partition(partial(SegmentItem.by_creation.query, LISTED)):
        rule = _renamed(item.rule, old, new)
        if rule != item.rule:
            actions = [
                SegmentItem.rule.set(rule),
                SegmentItem.version.set(item.version + 1),
                SegmentItem.updated_at.set(clock.iso(clock.now())),
            ]
            # Where somebody changed it meanwhile, or the answer is lost, the next round looks again.
            storage.update_if(item, actions, SegmentItem.version == item.version, lambda _: True)
    return False


def _renamed(node: Any, old: str, new: str) -> Any:
    """A rule's JSON with the other userid where it asks for guides."""
    if isinstance(node, list):
        return [_renamed(each, old, new) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        name: {
            operator: [new if each == old else each for each in asked] for operator, asked in inner.items()
        }
        if name == "staff_id"
        else _renamed(inner, old, new)
        for name, inner in node.items()
    }
