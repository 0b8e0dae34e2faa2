"""The answers that are not "ok". Texts are for people; callers decide by the code."""

import hashlib
from typing import Any

TEXTS = {
    -1: "system error", 40001: "invalid credential", 40003: "invalid userid",
    40004: "invalid media type", 40005: "invalid file type", 40006: "invalid media size",
    40007: "invalid media_id", 40008: "invalid msgtype", 40013: "invalid corpid",
    40014: "invalid access_token", 40029: "invalid oauth code", 40031: "invalid userid list",
    40032: "invalid userid list length", 40033: "invalid charset", 40035: "invalid parameter",
    40056: "invalid agentid", 40058: "invalid request parameter", 40063: "some parameters are empty",
    40066: "invalid party list", 40068: "invalid tagid", 40071: "invalid tag name: already exists",
    40096: "invalid external userid", 40097: "handover user has not left",
    40099: "customers of user out of limit", 40100: "customer is being transferred",
    40126: "corp tags out of limit", 40128: "customer transferred too often",
    40129: "customer is being transferred", 40130: "handover and takeover user are the same",
    40131: "not the user's customer", 41001: "access_token missing",
    41041: "contact way users out of limit", 41042: "invalid contact way style",
    41044: "invalid config_id", 41045: "contact ways out of limit", 41046: "msgid missing",
    41047: "invalid msgid", 41048: "no customer to send", 41050: "invalid welcome code",
    41051: "externaluser has started chatting", 41054: "user has not been activated",
    41055: "welcome templates out of limit", 41058: "invalid welcome template",
    41059: "invalid moment id", 41063: "group msg is being distributed",
    41064: "attachments out of limit", 41065: "invalid attachment type",
    41067: "not a moment of the corp", 41068: "intercept rule not found",
    41071: "invalid intercept words", 41072: "attachment of another scene",
    41078: "moment jobs out of limit", 41079: "moment is being distributed",
    41082: "attachment length out of limit", 41089: "text and attachments are both empty",
    41093: "group msg has been cancelled", 41094: "remind groupmsg send freq out of limit",
    41095: "customer acquisition links out of limit", 41096: "welcome msg is being distributed",
    42001: "access_token expired", 42012: "invalid jsapi ticket type", 42022: "oauth code used",
    42052: "msgid expired", 43001: "require GET method", 43002: "require POST method",
    44001: "empty media data", 44004: "empty content", 45001: "media size out of limit",
    45002: "content size out of limit", 45009: "api freq out of limit",
    45033: "request api concurrent out of limit", 48002: "api forbidden",
    48006: "api has been withdrawn", 50100: "invalid cursor", 60003: "department not found",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip", 60111: "userid not found", 60136: "record not found",
    81013: "user & party & tag all invalid", 81017: "request size out of limit",
    84015: "user ticket expired", 84061: "not external contact", 86003: "invalid chat",
    90500: "the owner of this chat is not resigned", 90501: "chat is not external group chat",
    90502: "the owner of this chat is resigned", 90503: "new owner can not use customer group",
    90504: "new owner is the owner already", 90507: "chat is being transferred",
    90508: "chat has been transferred", 90511: "opengid is not of the corp",
    301002: "not allow operate another agent with this accesstoken", 830001: "invalid url",
}  # fmt: skip


class ApiError(Exception):
    """A WeCom error: answered with HTTP 200 and this `errcode`."""

    def __init__(self, code: int, hint: str = "", **extra: Any) -> None:
        self.code = code
        self.extra = extra
        self.text = TEXTS.get(code, "error") + (f", {hint}" if hint else "")
        super().__init__(f"{code} {self.text}")

    def answer(self, ip: str = "", at: float = 0, note: str = "") -> dict[str, Any]:
        """As WeCom words it: what is wrong, a hint for its support, the caller's address."""
        text = self.text + note
        if ip:
            hint = hashlib.sha256(f"{at} {ip} {self.text}".encode()).hexdigest()[:32]
            more = f"https://open.work.weixin.qq.com/devtool/query?e={self.code}"
            text = f"{text}, hint: [{int(at)}_{self.code}_{hint}], from ip: {ip}, more info at {more}"
        return {"errcode": self.code, "errmsg": text, **self.extra}
