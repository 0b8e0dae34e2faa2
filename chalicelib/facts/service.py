"""A customer's facts, made anew from what is known whenever a line of the timeline may have changed them.

Made anew, not added up: a line that comes twice, late or out of its order gives the same facts. Each thing
they did is a row under its own version; the flat record is what the rows and the sources say together.

| a line's refresh | another's |
|---|---|
| reads the record, version 3 | reads the record, version 3 |
| reads the rows | |
| | writes its row, reads the rows, writes version 4 |
| writes under version 3: refused; reads all again | |
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chalicelib.facts import models, rules, sources
from chalicelib.facts.types import Change, DatedFact, Facts, Rule
from chalicelib.platform import clock, listeners, queues, storage
from chalicelib.platform.timeline_line import Line

_BUSY = "others keep changing this customer's facts"


def on_line(line: Line) -> None:
    """Take in what a line changes. Twice is the same as once."""
    rows = sources.rows_of(line)
    for row in rows:
        models.save_row(row)
    for external_userid in {row.external_userid for row in rows} or {line.subject}:
        refresh(external_userid)


@storage.retrying(_BUSY)
def refresh(external_userid: str) -> Facts | None:
    """Make the record what is known now. None for who never was a customer."""
    before = models.load(external_userid)
    known = sources.known_of(external_userid)
    if known is None:
        return None
    dated = models.dated_facts(external_userid)
    facts = rules.combine(external_userid, known, dated)
    version = models.save(facts, dated, before)
    # Sent when nothing changed too: whoever wrote the record may have been killed before they sent it.
    send_change(Change(external_userid=external_userid, version=version, facts=facts, dated=tuple(dated)))
    return facts


def order_refresh(external_userid: str) -> None:
    """Have the facts made anew after a change that has no line in the timeline. Upstream."""
    queues.send("facts", listeners.to_message(Line(external_userid, "follow_edited", clock.now(), "", {})))


def send_change(change: Change) -> None:
    """To the lake. Upstream."""
    queues.send("lakewrite", msgspec.to_builtins(change))


def get(external_userid: str) -> Facts | None:
    """The customer's facts, read consistently."""
    item = models.load(external_userid)
    return None if item is None else models.facts_of(item)


def judge(external_userid: str, rule: Rule, now: datetime | None = None) -> bool:
    """Whether an expanded rule fits the customer now; the dated facts are read only if it asks for them."""
    facts = get(external_userid)
    if facts is None:
        return False
    dated: Sequence[DatedFact] = models.dated_facts(external_userid) if rules.asks_dated(rule) else ()
    return rules.matches(rule, facts, dated, now or clock.now())
