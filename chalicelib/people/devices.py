"""What a session began on, as a person knows it again: browser and system, by the words of its user agent."""

from collections.abc import Sequence
from typing import Literal, cast, get_args

Browser = Literal["wecom", "wechat", "edge", "chrome", "firefox", "safari", "other"]
System = Literal["windows", "macos", "android", "ios", "harmony", "linux", "other"]
# In this order: a browser names those whose pages it wants as well, a system the one that it grew from.
_BROWSERS = (
    ("wxwork", "wecom"),
    ("micromessenger", "wechat"),
    ("edg", "edge"),
    ("firefox", "firefox"),
    ("chrome", "chrome"),
    ("crios", "chrome"),
    ("safari", "safari"),
)
_SYSTEMS = (
    ("openharmony", "harmony"),
    ("windows", "windows"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("android", "android"),
    ("mac os", "macos"),
    ("linux", "linux"),
)


def device(user_agent: str) -> str:
    """`<browser>/<system>`."""
    return f"{_first(_BROWSERS, user_agent)}/{_first(_SYSTEMS, user_agent)}"


def parts(stored: str | None) -> tuple[Browser, System]:
    """Browser and system of what `device` made."""
    browser, _, system = (stored or "").partition("/")
    return (
        cast(Browser, browser if browser in get_args(Browser) else "other"),
        cast(System, system if system in get_args(System) else "other"),
    )


def _first(words: Sequence[tuple[str, str]], user_agent: str) -> str:
    said = user_agent.lower()
    return next((known for word, known in words if word in said), "other")
