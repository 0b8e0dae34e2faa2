"""The sign-in of staff that has begun, as pure rules: whose cookie it is, and where it may lead back to."""

from datetime import datetime

from chalicelib.platform import signed

PAGES = ("/h5/tasks",)  # where a sign-in may lead: our own pages by name, nothing else


def login_of(key: bytes, cookie: str | None, state: str, now: datetime) -> str | None:
    """Where the sign-in that this browser began leads to; None when it began none with this state, lately."""
    values = signed.login_of(key, "login", cookie, state, now)
    return None if values is None else page_or_first(str(values["next"]))


def page_or_first(wanted: str) -> str:
    """The page if it is one that a sign-in may lead to, else the first of them."""
    return wanted if wanted in PAGES else PAGES[0]
