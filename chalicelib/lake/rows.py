"""How facts stand in the lake's files: one row a customer, one a dated fact. Pure.

`number` stands for the customer where rows are joined, since numbers are compared in a third of the time that
ids take. A base's rows have one; those of changes get one when they are read (engine.py), and keep it in the
next base.

Times are microseconds since 1970, UTC, since each engine reads whole numbers alike. A birthday is its day of
the year (501) and, where the year is known, its date (19900501).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from chalicelib.facts.rules import day_number
from chalicelib.facts.types import Change
from chalicelib.lake.rule_query import day_of, microseconds
from chalicelib.platform import ids

SHARDS = 8
SETS = ("tags", "staff_ids", "groups", "sop_ids", "campaign_ids", "has")
TEXTS = ("channel", "live_code_id", "rfm", "level", "gender")
TIMES = ("added_at", "lost_at", "first_order_at", "last_order_at", "last_opened_at")
NUMBERS = ("orders", "paid_fen", "refunded_fen", "score", "points", "invited")

FACTS_COLUMNS = {
    "external_userid": "VARCHAR",
    "version": "BIGINT",
    "number": "BIGINT",
    "shard": "UTINYINT",
    "gone": "BOOLEAN",
    **dict.fromkeys(SETS, "VARCHAR[]"),
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys((*TIMES, *NUMBERS), "BIGINT"),
    "birth_day": "INTEGER",
    "born_on": "INTEGER",
}
DATED_COLUMNS = {
    "external_userid": "VARCHAR",
    "version": "BIGINT",
    "number": "BIGINT",
    "shard": "UTINYINT",
    "kind": "VARCHAR",
    "happened_at": "BIGINT",
    "what": "VARCHAR",
    "amount": "BIGINT",
}


def facts_row(change: Change) -> dict[str, Any]:
    """The customer's row, by FACTS_COLUMNS."""
    row: dict[str, Any] = {**_key(change), "gone": change.facts is None}
    if change.facts is None:
        return row
    facts = change.facts
    row |= {name: list(getattr(facts, name)) for name in SETS}
    row |= {name: getattr(facts, name) for name in (*TEXTS, *NUMBERS)}
    row |= {name: at and microseconds(at) for name in TIMES for at in [getattr(facts, name)]}
    if facts.birthday is not None:
        day = facts.birthday.date
        row["birth_day"] = day_number(facts.birthday.month, facts.birthday.day)
        row["born_on"] = day and day_of(day.year, day.month, day.day)
    return row


def dated_rows(change: Change) -> Iterator[dict[str, Any]]:
    """Rows by DATED_COLUMNS."""
    for each in change.dated:
        yield {
            **_key(change),
            "kind": each.kind,
            "happened_at": microseconds(each.at),
            "what": each.what,
            "amount": each.amount,
        }


def as_lines(rows: Sequence[dict[str, Any]]) -> bytes:
    """One JSON object a line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def _key(change: Change) -> dict[str, Any]:
    return {
        "external_userid": change.external_userid,
        "version": change.version,
        "shard": ids.shard(change.external_userid, SHARDS),
    }
