"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "unknown_staff": ("没有成员 {staff_id}", "there is no member of staff {staff_id}"),
}
