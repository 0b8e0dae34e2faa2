"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_tag_group": ("没有这个标签组", "there is no such tag group"),
    "tag_group_exists": ("已有标签组「{name}」", "there is a tag group {name} already"),
    "tag_text": ("名称不能为空，也不能含“/”", "needs a name without a slash"),
    "no_tag_of_group": ("不是这个标签组里的标签", "is no tag of this group, or stands here twice"),
    "same_tag": (
        "与标签「{name}」只差空格、全半角或大小写",
        "differs from the tag {name} by spaces, width or case alone",
    ),
    "tag_in_use": (
        "标签「{name}」正被使用：{users}。请先在那里换掉",
        "the tag {name} is used by {users}; take it out there first",
    ),
}
