"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_page": ("没有这个页面", "there is no such page"),
    "another_person": ("这不是登记的收款人", "this is not the person who is paid"),
}
