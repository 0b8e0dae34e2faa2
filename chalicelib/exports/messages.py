"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_list": ("没有这个列表", "is no list"),
    "exported_by": ("这个列表用 {call} 导出", "is exported by {call}"),
}
