"""What is said of a connection by what was last heard of it. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct

WAIT = timedelta(minutes=2)  # for a test that another function makes; beyond it, it was lost


class Heard(Struct, frozen=True, kw_only=True):
    """Times as text, in UTC. test_failure: null where the last test went well."""

    success_at: str | None = None
    failure_at: str | None = None
    failure: str | None = None
    tested_at: str | None = None
    test_failure: str | None = None
    asked_at: str | None = None


def last_success_of(heard: Heard) -> str | None:
    """When something went well with it last, be it a test."""
    tested_at = None if heard.test_failure else heard.tested_at
    return max(filter(None, (heard.success_at, tested_at)), default=None)


def problem_of(heard: Heard) -> tuple[str, str] | None:
    """(code, since when) of what is wrong now: what failed last, unless something has gone well since."""
    good = last_success_of(heard) or ""
    failed = [(heard.failure_at, heard.failure), (heard.tested_at, heard.test_failure)]
    bad = max(((at, code) for at, code in failed if at and code), default=("", ""))
    return (bad[1], bad[0]) if bad[0] > good else None


def status_of(heard: Heard, is_set_up: bool, is_called: bool = False) -> str:
    """is_called: it works when the other side calls us; that we reach our own door says less."""
    if not is_set_up:
        return "not_set_up"
    if problem_of(heard) is not None:
        return "failing"
    return "working" if heard.success_at or (heard.tested_at and not is_called) else "untested"


def is_testing(heard: Heard, now: datetime) -> bool:
    """Whether a test was asked for that has not been made yet."""
    if heard.asked_at is None or (heard.tested_at or "") >= heard.asked_at:
        return False
    return now - datetime.fromisoformat(heard.asked_at) < WAIT


def errcode_of(code: str) -> int | None:
    """WeCom's number in a code of ours, `wecom_60020`."""
    number = code.removeprefix("wecom_")
    return int(number) if number != code and number.lstrip("-").isdigit() else None
