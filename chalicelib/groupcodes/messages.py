"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "not_a_group_code": ("不是群活码", "is not a group code"),
    "task_code_archived": ("这个任务的活码已归档", "the live code of this task is archived"),
    "which_group": ("请填写新建的是哪个群", "say which group it is"),
    "group_in_line": ("已在这个活码的群列表中", "is in the code's line already"),
}
