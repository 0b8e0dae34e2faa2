"""Owners of groups who have another userid, and what they were asked to do."""

from chalicelib.groups.models import LISTED, ChatItem, TaskItem
from chalicelib.groups.types import OPEN
from chalicelib.platform import lists, storage


def move(old: str, new: str) -> bool:
    for row in lists.partition(lambda **options: ChatItem.by_name.query(LISTED, **options)):
        if row.owner == old:
            storage.update_if(ChatItem(row.chat_id), [ChatItem.owner.set(new)], ChatItem.owner == old)
    for task in list(TaskItem.by_owner.query(old)):
        actions = [TaskItem.owner.set(new)]
        if task.status == OPEN:
            actions.append(TaskItem.waits_for.set(new))
        same = (TaskItem.owner == old) & (TaskItem.status == task.status)
        storage.update_if(TaskItem(task.task_id), actions, same)
    return False
