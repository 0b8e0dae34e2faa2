"""Group codes are told of a group's changes by work in their queue: groups knows nothing of codes."""

from chalicelib.groups.models import ChatItem
from chalicelib.platform import queues


def announce_change(item: ChatItem, more: int = 0, read: bool = False, named: bool = False) -> None:
    """People have come or gone (`more` of them), or the group is new, or was read, or has another name."""
    if not (item.codes or named):
        return
    taken = {"before": int(item.taken), "after": int(item.taken) + more}
    queues.send(
        "assign",
        {"kind": "group_changed", "chat_id": item.chat_id, **taken, "read": read, "named": named},
    )


def announce_dismissal(item: ChatItem) -> None:
    """The group is no more: its codes' ways are to be put in step (another may be the last one now)."""
    for live_code_id in sorted(item.codes or ()):
        queues.send("assign", {"kind": "group_code", "live_code_id": live_code_id})
