"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_sop": ("没有这个 SOP：{sop_id}", "there is no SOP {sop_id}"),
    "sop_stopped": ("SOP 已终止：{sop_id}", "the SOP {sop_id} has been stopped"),
    "sop_outside": (
        "这个 SOP 面向的门店或部门超出您的范围，不能修改",
        "this SOP is for more than your stores and departments: you can't change it",
    ),
    "later": ("这个版本还不支持", "comes later; this version can't run it"),
    "steps_in_order": ("步骤要按时间先后排列", "must not be before the step above it"),
    "welcome_first": (
        "欢迎语只能是“添加好友”触发后的第一步",
        "a welcome is the first step after customer_added",
    ),
    "welcome_at_once": ("欢迎语会立即发送：PT0S，不能填写 at", "a welcome goes out at once: PT0S, no `at`"),
    "welcome_to_all": ("欢迎语发给所有人，不能带条件", "a welcome goes to everybody, without conditions"),
    "welcome_tags": (
        "欢迎语不打标签；请在活码里设置标签",
        "a welcome tags nobody; the live code's `tags` do",
    ),
    "max_attachments": ("文字以外最多 {max_items} 项", "may have {max_items} besides the text"),
    "one_text": ("最多一段文字", "may hold one text at most"),
}
