"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_such_task": ("没有这个任务", "there is no such task"),
    "unknown_group": ("没有客户群 {chat_id}", "there is no group {chat_id}"),
    "not_blacklisted": ("不在黑名单中", "is not on the blacklist"),
}
