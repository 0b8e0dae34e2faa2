"""Who is on the blacklist, with the names of people and of who put them there: groups know neither."""

from collections.abc import Sequence

from chalicelib.blacklist.types import BlacklistQuery, BlacklistRow
from chalicelib.customers import rules
from chalicelib.customers import service as customers
from chalicelib.groups import blacklist
from chalicelib.groups.blacklist import Entry
from chalicelib.people import actors
from chalicelib.platform import ids, lists
from chalicelib.platform.audit import MASK
from chalicelib.platform.principal import Principal


def page(query: BlacklistQuery, principal: Principal) -> lists.Page[BlacklistRow]:
    """A page of it. Names are read of whom it shows, and of all only when they are searched."""
    entries = [entry for entry in blacklist.entries() if query.by in (None, entry.by)]
    searched = _rows(entries, principal) if query.q else {}

    def texts(entry: Entry) -> Sequence[str | None]:
        row = searched[entry.external_userid]
        return row.name, row.external_userid, row.reason

    found = lists.whole(
        entries,
        query,
        key=lambda entry: ids.derived(entry.external_userid),  # a cursor can be read, and this is a person
        sorts={"at": lambda entry: entry.at},
        sort=query.sort,
        texts=texts,
    )
    rows = _rows(found.items, principal)
    return found.map(lambda entry: rows[entry.external_userid])


def get(external_userid: str, principal: Principal) -> BlacklistRow:
    """NotFound when they are not on it."""
    return _rows([blacklist.get(external_userid)], principal)[external_userid]


def put(external_userid: str, reason: str, principal: Principal) -> BlacklistRow:
    """Put somebody on it."""
    blacklist.put(external_userid, reason)
    return get(external_userid, principal)


def _rows(entries: Sequence[Entry], principal: Principal) -> dict[str, BlacklistRow]:
    people = customers.several([entry.external_userid for entry in entries])
    names = actors.names({entry.by for entry in entries if entry.by})
    rows = {}
    for entry in entries:
        person = people.get(entry.external_userid)
        shown = rules.masked(person) if person and principal.sees_masked else person
        rows[entry.external_userid] = BlacklistRow(
            external_userid=MASK if principal.sees_masked else entry.external_userid,
            name=shown.name if shown and shown.name else None,
            reason=MASK if principal.sees_masked and entry.reason else entry.reason,
            at=entry.at,
            by=entry.by,
            by_name=names.get(entry.by or ""),
        )
    return rows
