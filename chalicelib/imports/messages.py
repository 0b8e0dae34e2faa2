"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "import_stopped": (
        "多次尝试后仍未成功，已读取的都已保存",
        "it did not succeed after several attempts; what was read is kept",
    ),
    "no_such_import": ("没有导入记录 {import_id}", "there is no import {import_id}"),
}
