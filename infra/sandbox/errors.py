"""The answers that are not "ok". Texts are for people; callers decide by the code."""

from typing import Any

TEXTS = {
    -1: "system error", 40001: "invalid credential", 40003: "invalid userid", 40004: "invalid media type",
    40005: "invalid file type", 40006: "invalid media size", 40007: "invalid media_id",
    40008: "invalid msgtype",
    40013: "invalid corpid", 40014: "invalid access_token", 40029: "invalid oauth code",
    40031: "invalid userid list", 40032: "invalid userid list length", 40033: "invalid charset",
    40035: "invalid parameter", 40056: "invalid agentid", 40058: "invalid request parameter",
    40063: "some parameters are empty", 40068: "invalid tagid", 40071: "invalid tag name: already exists",
    40096: "invalid external userid", 40126: "corp tags out of limit", 41001: "access_token missing",
    41041: "contact way users out of limit", 41042: "invalid contact way style",
    41044: "invalid config_id", 41045: "contact ways out of limit", 41046: "msgid missing",
    41047: "invalid msgid", 41048: "no customer to send", 41050: "invalid welcome code",
    41051: "externaluser has started chatting", 41054: "user has not been activated",
    41063: "group msg is being distributed", 41064: "attachments out of limit",
    41065: "invalid attachment type", 41082: "attachment length out of limit",
    41089: "text and attachments are both empty", 41093: "group msg has been cancelled",
    41094: "remind groupmsg send freq out of limit", 41096: "welcome msg is being distributed",
    41095: "customer acquisition links out of limit",
    42001: "access_token expired", 43001: "require GET method", 43002: "require POST method",
    44001: "empty media data", 44004: "empty content", 45002: "content size out of limit",
    45009: "api freq out of limit", 45033: "request api concurrent out of limit",
    48002: "api forbidden", 60020: "not allow to access from your ip", 60111: "userid not found",
    60136: "record not found",
    81013: "user & party & tag all invalid", 81017: "request size out of limit", 50100: "invalid cursor",
    84061: "not external contact", 301002: "not allow operate another agent with this accesstoken",
}  # fmt: skip


class ApiError(Exception):
    """A WeCom error: answered with HTTP 200 and this `errcode`."""

    def __init__(self, code: int, hint: str = "", **extra: Any) -> None:
        self.code = code
        self.extra = extra
        self.text = TEXTS.get(code, "error") + (f", {hint}" if hint else "")
        super().__init__(f"{code} {self.text}")

    def answer(self) -> dict[str, Any]:
        return {"errcode": self.code, "errmsg": self.text, **self.extra}
