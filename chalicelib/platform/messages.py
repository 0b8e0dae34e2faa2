"""What people read of an error, in Chinese and English: one row a code. A `{name}` is one of its params.

Here are the codes that several packages use; each capability has its own in its `messages.py`, which are
loaded when a code is not found here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from chalicelib.platform import declared

Language = Literal["zh", "en"]

_TEXTS: dict[str, tuple[str, str]] = {
    "yaml_line": ("第 {line} 行不符合 YAML 语法", "line {line} is not YAML"),
    "yaml_repeated_key": ("第 {line} 行：{key} 写了两次", "line {line}: {key} stands here twice"),
    "yaml_encoding": ("第 {line} 行有无法识别的字符：请存为 UTF-8 编码", "line {line} is not UTF-8"),
    "yaml_unreadable": ("不是可读取的 YAML", "is not YAML that can be read"),
    "yaml_too_much": ("第 {line} 行：内容过多或嵌套过深", "line {line}: too much, or too deep"),
    "yaml_alias": ("第 {line} 行：不支持别名", "line {line}: aliases are not taken"),
    "yaml_tag": ("第 {line} 行：不支持标签", "line {line}: tags are not taken"),
    # a field of a body, of a query
    "required": ("必须填写", "is required"),
    "unknown_field": ("没有这个字段", "there is no such field"),
    "null": ("不能为空；不需要时请不要填写", "can't be null; leave it out instead"),
    "type": ("应为{type}", "must be {type}"),
    "blank": ("不能只有空格", "can't be nothing but spaces"),
    "control_character": (
        "含有看不见的控制字符（{character}），请删除后重新输入",
        "holds a control character that can't be seen ({character}): remove it",
    ),
    "unknown_placeholder": (
        "没有占位符 {name}；可以使用：{known}",
        "there is no placeholder {name}; there are: {known}",
    ),
    "no_placeholders": (
        "{name} 会原样发给客户：这里没有占位符，请去掉花括号",
        "{name} would be sent as it is: there are no placeholders here",
    ),
    "enum": ("只能是以下之一：{allowed}", "must be one of: {allowed}"),
    "minimum": ("不能小于 {minimum}", "must be at least {minimum}"),
    "maximum": ("不能大于 {maximum}", "must be at most {maximum}"),
    "more_than": ("必须大于 {limit}", "must be more than {limit}"),
    "less_than": ("必须小于 {limit}", "must be less than {limit}"),
    "min_length": ("至少 {min_length} 个字符", "must have at least {min_length} characters"),
    "max_length": ("最多 {max_length} 个字符", "may have at most {max_length} characters"),
    "length": ("应为 {minimum} 到 {maximum} 个字符", "must have {minimum} to {maximum} characters"),
    "max_bytes": ("最多 {max_bytes} 字节", "may have at most {max_bytes} bytes"),
    "min_items": ("至少 {min_items} 项", "must have at least {min_items} items"),
    "max_items": ("最多 {max_items} 项", "may have at most {max_items} items"),
    "pattern": ("格式不正确", "does not have the right form"),
    "format": ("格式不正确", "does not have the right form"),
    "userid": (
        "应为一个企业微信成员账号（userid）：字母、数字和 _ - . @，每项只填一个",
        "must be one userid of WeCom's: letters, digits and _ - . @, one in each place",
    ),
    "date_time": (
        "应为带时区的 ISO 8601 时间，例如 2026-11-22T10:00:00+08:00",
        "must be an ISO 8601 time with its offset, e.g. 2026-11-22T10:00:00+08:00",
    ),
    "date": ("应为日期，例如 2026-11-22", "must be a day, e.g. 2026-11-22"),
    "duration": (
        "应为 {minimum} 到 {maximum} 之间的 ISO 8601 时长",
        "must be an ISO 8601 duration from {minimum} to {maximum}",
    ),
    "timezone": ("没有这个时区；例如 Asia/Shanghai", "must be a time zone, e.g. Asia/Shanghai"),
    "cursor": ("不是我们给出的游标", "is not a cursor that was given out"),
    "invalid": ("不正确", "is not valid"),
    # what fields mean together
    "unchangeable": ("不能修改", "can't be changed"),
    "duplicate": ("与前面的重复", "is in the list already"),
    "same_as": ("不能与 {other} 相同", "must differ from {other}"),
    "not_after": ("必须晚于 {other}", "must be after {other}"),
    "after": ("不能晚于 {other}", "must not be after {other}"),
    "range_days": ("最多 {days} 天", "may cover at most {days} days"),
    "only_with": ("只能与 {other} 一起使用", "goes only with {other}"),
    "needs": ("还需要 {other}", "needs {other} as well"),
    "one_of_fields": ("请填写以下之一：{fields}", "give one of: {fields}"),
    "too_many_columns": ("这一行的列数比表头多", "the line has more columns than the first line"),
    "not_found": ("不存在", "does not exist"),
    # jobs
    "no_such_job": ("没有任务 {job_id}", "there is no job {job_id}"),
    "job_not_resumable": (
        "任务状态为 {status}，没有可以继续的部分",
        "the job is {status}, and nothing of it can be resumed",
    ),
    "past": ("必须晚于现在", "must be in the future"),
    "guides_outside_scope": (
        "只能选择您管理范围内的员工（不可用：{staff_ids}）",
        "must be guides of your scope (not: {staff_ids})",
    ),
    "no_customer": ("没有这个客户：{external_userid}", "there is no customer {external_userid}"),
    "changed_meanwhile": ("刚才被别人修改了，请刷新后再试", "it was changed meanwhile: read it again"),
    "timestamp": (
        "X-Timestamp 与现在相差超过 {minutes} 分钟",
        "X-Timestamp is more than {minutes} minutes off",
    ),
    # WeCom
    "not_from_wecom": ("不是企业微信发给本企业的消息", "not a message from WeCom to this corp"),
    "no_callback": ("不是企业微信的回调", "not a WeCom callback"),
    "wecom_refused": ("企业微信拒绝了 {path}，错误码 {errcode}", "{path}: errcode {errcode}"),
    "wecom_answer_lost": (
        "企业微信没有应答 {path}，可能已经执行",
        "{path}: no answer; it may have been carried out",
    ),
    "wecom_silent": ("企业微信没有应答：{path}", "{path}: WeCom does not answer in time"),
    "no_wecom_picture": ("没有从企业微信取到二维码图片", "WeCom did not give the picture"),
    "no_migration": ("没有这个迁移任务：{name}", "there is no migration {name}"),
    # whole answers
    "no_path": ("没有这个地址", "there is no such path"),
    "no_thing": ("没有找到", "there is no such thing"),
    "methods": ("这个地址只接受 {allowed}", "this path takes {allowed}"),
    "needs_key": ("请提供 API 密钥：Authorization: Bearer KEY", "send an API key: Authorization: Bearer KEY"),
    "unknown_key": ("没有这个 API 密钥", "this API key is not known"),
    "role_may_not": ("「{role}」没有这个权限", "{role} may not do this"),
    "needs_csrf": (
        "使用会话修改时须带 X-CSRF-Token（见 GET /api/me）",
        "a write by session carries X-CSRF-Token, from GET /api/me",
    ),
    "busy": ("系统繁忙，请稍后再试", "the store is busy"),
    "answer_lost": ("系统没有应答，请稍后再试", "the store's answer was lost"),
    "too_many_items": (
        "一次最多写入 {limit} 项，现有 {count} 项",
        "a transaction takes {limit} items, this one has {count}",
    ),
    "idempotency_other_body": (
        "这个 Idempotency-Key 已用于另一个请求",
        "this Idempotency-Key was used with another body",
    ),
    "idempotency_unknown": (
        "使用这个 Idempotency-Key 的请求正在处理或被中断：请先查看是否已完成，未完成时换一个新的",
        "a call with this Idempotency-Key is at work, or was cut off: look whether it was done, "
        "and use a new key if it was not",
    ),
    "idempotency_too_large": (
        "使用这个 Idempotency-Key 的请求已完成，但结果过大未能保存",
        "the call with this Idempotency-Key was done; its answer is too large to be kept",
    ),
    "no_file": ("没有文件 {key}", "there is no file {key}"),
    "queue_refused": ("消息未能送达队列 {queue}，请稍后再试", "the queue {queue} did not take the message"),
    # dead letters
    "no_queue": ("没有队列 {queue}", "there is no queue {queue}"),
    "not_redrivable": (
        "{queue} 不是队列，处理办法见 docs/operate.md",
        "{queue} is no queue: see docs/operate.md for what to do instead",
    ),
    "function_failed": ("处理失败，已记录，请稍后再试", "a function that was asked failed; try again later"),
    "needs_permission": ("需要权限 {permission}", "this takes the permission {permission}"),
    "malformed": ("请求内容不是有效的 JSON", "the body is not valid JSON"),
    "repeated_key": ("同一个字段写了两次：{key}", "a field is there twice: {key}"),
    "list_too_large": (
        "列表太大，无法直接下载（上限 {limit} 字节、15 秒）：请用 POST /api/exports 生成 {format} 文件",
        "the list is too large for an answer ({limit} bytes, 15 s); POST /api/exports makes a {format}",
    ),
    "body_too_large": ("请求内容超过 {limit} 字节", "the body is over {limit} bytes"),
    "internal": ("系统出错，已记录，请稍后再试", "something went wrong here; it has been logged"),
}  # fmt: skip

_TITLES: dict[int, tuple[str, str]] = {
    400: ("请求格式错误", "Malformed request"),
    401: ("尚未登录", "Not signed in"),
    403: ("没有权限", "Not allowed"),
    404: ("没有找到", "Not found"),
    405: ("不支持这种请求方法", "Method not allowed"),
    409: ("与现有状态冲突", "Conflict"),
    413: ("内容过大", "Too large"),
    422: ("填写有误", "Invalid input"),
    429: ("次数或数量已用完", "Used up"),
    500: ("系统出错", "Internal error"),
    503: ("暂时无法使用", "Temporarily unavailable"),
}

_TYPES: dict[str, tuple[str, str]] = {
    "string": ("文字", "text"),
    "integer": ("整数", "a whole number"),
    "number": ("数字", "a number"),
    "boolean": ("是或否（true 或 false）", "true or false"),
    "array": ("列表", "a list"),
    "object": ("对象", "an object"),
    "null": ("空", "null"),
}

_ROLES: dict[str, tuple[str, str]] = {
    "admin": ("管理员", "an admin"),
    "operator": ("运营", "an operator"),
    "store_manager": ("店长", "a store manager"),
    "guide": ("导购", "a guide"),
    "finance": ("财务", "finance"),
    "auditor": ("审计", "an auditor"),
}

_WAYS: dict[str, tuple[str, str]] = {  # in which a poster's code is read
    "as_is": ("原样", "as it is"),
    "quarter": ("缩小到 25 %", "at 25 % of its size"),
    "turned": ("转 15 度", "turned by 15 degrees"),
    "noisy": ("JPEG 噪点", "with JPEG noise"),
}


def language(accept_language: str | None) -> Language:
    """The first of zh and en by q, else zh."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in (accept_language or "").lower().split(","):
        tag, _, quality = part.strip().partition(";")
        name = tag.strip().partition("-")[0]
        try:
            q = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if name in ("zh", "en") and q > best[0]:
            best = (q, "en" if name == "en" else "zh")
    return best[1]


def known(code: str) -> bool:
    """Whether there are words for it."""
    return code in _TEXTS or code in _of_capabilities()


@cache
def _of_capabilities() -> dict[str, tuple[str, str]]:
    return {code: texts for table in declared.find("messages", "TEXTS") for code, texts in table.items()}


def text(code: str, language: Language, params: Mapping[str, Any]) -> str:
    """A code in a person's words."""
    at = int(language == "en")
    words = {name: _words(name, value, at) for name, value in params.items()}
    texts = _TEXTS.get(code) or _of_capabilities()[code]
    return texts[at].format_map(words)


def title(status: int, language: Language) -> str:
    """The title of an error of that status."""
    return _TITLES.get(status, _TITLES[500])[int(language == "en")]


def _words(name: str, value: Any, at: int) -> str:
    if name == "type":
        kinds = [_TYPES[kind][at] for kind in ([value] if isinstance(value, str) else value)]
        return ("或" if at == 0 else " or ").join(kinds)
    if name == "role":
        value = _ROLES[value][at] if value in _ROLES else value
    if name == "ways":
        value = [_WAYS[way][at] for way in value]
    if isinstance(value, (list, tuple)):
        return ("、" if at == 0 else ", ").join(str(part) for part in value)
    return str(value)
