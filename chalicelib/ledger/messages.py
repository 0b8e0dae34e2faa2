"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_account": ("没有科目 {account}", "there is no account {account}"),
    "no_journal": ("没有这笔分录", "there is no such journal"),
}
