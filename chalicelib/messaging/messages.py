"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "attachment_kind": (
        "msgtype 只能是以下之一，并带上同名的内容：{kinds}",
        "msgtype must be one of {kinds}, with its object",
    ),
    "no_missed_welcome": (
        "没有这条未发出的欢迎语，或已超过 7 天",
        "there is no such missed welcome, or it is over 7 days old",
    ),
}
