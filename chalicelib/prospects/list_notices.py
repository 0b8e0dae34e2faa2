"""What becomes of the word to a guide that the day's list is there."""

from collections.abc import Mapping
from typing import Any

from chalicelib.notices.types import SENT
from chalicelib.platform import storage
from chalicelib.prospects.models import TaskItem


def note_sent(data: Mapping[str, Any], outcome: str, at: str) -> None:
    """A list counts as told only when WeCom has handed the word over."""
    if outcome == SENT:
        item = TaskItem(data["staff_id"], data["day"])
        storage.update_if(item, [TaskItem.told.set(at)], TaskItem.staff_id.exists())
