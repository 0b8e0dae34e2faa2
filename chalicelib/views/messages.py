"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_list_of_views": ("没有这个列表，或您没有权限查看", "is no list, or none that you may read"),
    "not_your_view": ("只有创建人可以修改或删除这个视图", "only who made a view may change it"),
    "may_not_share": ("您的角色不能共享视图", "your role may not share views"),
    "too_many_views": ("最多保存 {limit} 个视图，请先删除不用的", "at most {limit} views: delete one first"),
}
