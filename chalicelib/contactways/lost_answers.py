"""What became of a call to WeCom whose answer was lost: the contact way is found, taken or deleted.

WeCom has no key of ours for a way, so after a lost answer or a crash we look through what it has for our
`state` before making another: they are a scarce thing (500,000 a corp).

WeCom may carry out a call minutes after we gave it up, and who was to look may never come. So each
attempt leaves an order (`way_search`, in `due`) that only WeCom's answer takes back: what WeCom has of
the attempt is taken for the way, or deleted, and the row of one that came to nothing goes.
What we have is skipped by its config_id, so that a search asks WeCom one list for each 1,000 ways
made around the attempt, and one call for each of those that we don't know.
"""

from datetime import datetime, timedelta

from chalicelib.contactways import rows
from chalicelib.contactways.models import MAKING, ContactWayItem
from chalicelib.contactways.rows import DEADLINE, GONE, LEASE
from chalicelib.platform import clock, due, log
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import Upstream
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

LOOK_AFTER = timedelta(minutes=5)  # an attempt: WeCom has carried it out by then, or never will
_AT_ONCE = 100  # ways that one search looks at
_ON, _AGAIN = timedelta(seconds=10), timedelta(minutes=10)  # until the next part; after WeCom failed
_SKEW = timedelta(minutes=5)  # WeCom's clock and ours


def order_search(at: datetime, state: str, since: str, after: str = "") -> DueItem:
    """The order to look for an attempt of that time; the caller stores it."""
    work = {"state": state, "since": since, "after": after}
    return due.item("way_search", at, f"{state}#{since}#{after}", work, clock.now())


def resolve_lost_answer(state: str, since: str, after: str = "") -> None:
    """Find out what became of an attempt of that time whose answer was not stored.

    What WeCom has of it is taken for the way, or deleted when there is another; a way that is not there
    is not counted any more. Nothing is touched but what bears this very state and was made around the
    attempt. after: where the message before this one stopped.
    """
    now = clock.now()
    row = ContactWayItem.find(state)
    if row is not None and row.status == MAKING and row.lease >= clock.iso(now):
        order_search(now + LEASE, state, since, after).save()  # somebody is making it at present
        return
    at = clock.parse(since)
    try:
        ways, stopped = search(state, at - _SKEW, at + LEASE + _SKEW, after, until=now + DEADLINE)
        for config_id, qr_url in ways:
            row = ContactWayItem.find(state)  # as it is now: who makes it says so before they ask WeCom
            if row is not None and row.status == MAKING:
                if row.lease >= clock.iso(now) or not rows.store_answer(row, row.lease, config_id, qr_url):
                    stopped = after
                    break
            elif row is None or row.config_id != config_id:
                rows.delete_at_wecom(config_id)
                log.logger.warning("a contact way of a lost answer is deleted", extra={"state": state})
    except Upstream as error:
        log.failure("attempt at a contact way not looked up", error, state=state)
        order_search(now + _AGAIN, state, since, after).save()
        return
    if stopped is not None:
        order_search(now + _ON, state, since, stopped).save()
    elif row is not None and row.status == MAKING:
        rows.remove(row, (ContactWayItem.lease == row.lease) & (ContactWayItem.status == MAKING))


def search_since(state: str, since: str, until: datetime) -> tuple[list[tuple[str, str]], str | None]:
    """As `search`: of all that was made since an attempt began."""
    return search(state, clock.parse(since) - _SKEW, clock.now() + _SKEW, until=until)


def search(
    state: str, start: datetime, end: datetime, after: str = "", *, until: datetime
) -> tuple[list[tuple[str, str]], str | None]:
    """(config_id, qr_url) of what WeCom has under `state`, was made in that time, and we don't have.

    Also the config_id at which it stopped, None at the end. WeComError, Upstream.
    """
    client = wecom.default_client()
    there = sorted(
        config_id for config_id in client.list_contact_way(start, end, deadline=until) if config_id > after
    )
    ways = []
    for config_id in there[:_AT_ONCE]:
        if next(iter(ContactWayItem.by_config.query(config_id, limit=1)), None):
            continue
        try:
            way = client.get_contact_way(config_id, deadline=until)
        except WeComError as error:
            if error.errcode != GONE:
                raise
        else:
            if way.get("state") == state:
                ways.append((config_id, str(way.get("qr_code", ""))))
    return ways, there[_AT_ONCE - 1] if len(there) > _AT_ONCE else None
