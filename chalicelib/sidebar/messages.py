"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "not_our_page": ("不是本系统的页面", "is no page of ours"),
}
