"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_such_import": ("没有导入记录 {import_id}", "there is no import {import_id}"),
}
