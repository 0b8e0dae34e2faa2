"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_channel": ("没有这个渠道", "there is no such channel"),
    "channel_exists": (
        "已有名称或别名为「{name}」的渠道",
        "there is a channel with the name or alias {name} already",
    ),
    "channel_name": ("请填写渠道名称（不能为 unknown）", "needs a name, which can't be unknown"),
}
