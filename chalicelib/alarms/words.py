"""An alarm, or several, as whoever looks after the stack reads it on the phone."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.platform import deadletters, messages, settings
from chalicelib.platform.messages import Language

_MOST = 5  # alarms that one message tells of
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def gather(alarms: Sequence[Mapping[str, Any]]) -> str:
    """One text of several alarms; the same one twice is said once."""
    distinct = list({(str(each["code"]), str(each["about"])): each for each in alarms}.values())
    console = f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/console/settings/dead-letters"
    lines = [f"【系统提醒】{len(distinct)} 项需要关注", f"在后台处理：{console}"]
    lines += [f"• {text_of(each, 'zh')}" for each in distinct[:_MOST]]
    if len(distinct) > _MOST:
        lines.append(f"…另有 {len(distinct) - _MOST} 项")
    return "\n".join([*lines, text_of(distinct[0], "en")])


def text_of(alarm: Mapping[str, Any], language: Language) -> str:
    """What has happened, and what to do."""
    about, code = str(alarm["about"]), str(alarm["code"])
    params = {
        "queue": deadletters.queue_words("queue", about, language),
        "cure": deadletters.queue_words("queue_cure", about, language),
        "function": about.removesuffix("_stream"),
        "name": str(alarm["name"]),
    }
    what = messages.text(f"alarm_{code}", language, params)
    cure = messages.text(f"alarm_cure_{code}", language, params)
    if language == "zh":
        return f"{what}\n  处理：{cure}"
    return f"{what[:1].upper()}{what[1:]}. {cure[:1].upper()}{cure[1:]}"
