"""The sign-in of staff that has begun, as pure rules: whose cookie it is, and where it may lead back to."""

import re
from datetime import datetime

from chalicelib.platform import signed

PAGES = ("/h5/tasks", "/sidebar")  # where a phone's sign-in may lead: our own pages by name, nothing else
CONSOLE = "/console"
_OF_THE_CONSOLE = re.compile(
    r"/console(?:/[A-Za-z0-9_~%@:-][A-Za-z0-9_.~%@:-]*)*/?(?:\?[A-Za-z0-9_.~%&=+:,@-]*)?"
)
_DOORS = re.compile(r"/console/(?:login|session)\b")  # pages of the console they are not
_IN_WECOM = "wxwork"  # in the user agent of WeCom's own browser


def login_of(key: bytes, cookie: str | None, state: str, now: datetime) -> str | None:
    """Where the sign-in that this browser began leads to; None when it began none with this state, lately."""
    values = signed.login_of(key, "login", cookie, state, now)
    return None if values is None else page_or_first(str(values["next"]))


def console_login_of(key: bytes, cookie: str | None, state: str, now: datetime) -> str | None:
    """The same of a sign-in to the console."""
    values = signed.login_of(key, "console", cookie, state, now)
    return None if values is None else console_page(str(values["next"]))


def page_or_first(wanted: str) -> str:
    """The page if it is one that a sign-in may lead to, else the first of them."""
    return wanted if wanted in PAGES else PAGES[0]


def console_page(wanted: str) -> str:
    """The console's address, filters and all, if it is one; else the console."""
    is_one = len(wanted) <= 1_000 and _OF_THE_CONSOLE.fullmatch(wanted) and not _DOORS.match(wanted)
    return wanted if is_one else CONSOLE


def is_in_wecom(user_agent: str) -> bool:
    """Whether it is WeCom's own browser, which signs in at once; any other shows a code to scan."""
    return _IN_WECOM in user_agent.lower()
