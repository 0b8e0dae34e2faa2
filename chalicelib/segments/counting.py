"""Segments counted and listed: in the function `lake`, where the engine is."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.facts import rule_reader, rules
from chalicelib.facts.types import All, Condition, Rule
from chalicelib.lake import members, rule_query
from chalicelib.lake.engine import Lake
from chalicelib.platform import clock
from chalicelib.segments import expansion, models
from chalicelib.segments.models import SegmentItem

SAMPLE = 20
_EVERYBODY: Rule = All(())


class Counted(Struct, frozen=True, kw_only=True):
    count: int
    as_of: str


class Counts(Counted, frozen=True, kw_only=True):
    """by_staff: (staff_id, count), the most first. lines: (path, count). sample: (id, guides, paths)."""

    reachable: int
    by_staff: list[tuple[str, int]]
    lines: list[tuple[str, int]]
    sample: list[tuple[str, list[str], list[str]]]


class Members(Struct, frozen=True, kw_only=True):
    count: int
    external_userids: list[str]


def preview(lake: Lake, rule: Mapping[str, Any], guides: Sequence[str] | None) -> Counts:
    """What a rule would give, of the customers of these guides (None: of all). Invalid."""
    now = clock.now()
    parts = expansion.expand_parts(rule_reader.read(rule))
    show_frozen(lake, parts.values())
    within = expansion.of_guides(frozenset(guides)) if guides is not None else _EVERYBODY
    whole = rules.both(within, parts["rule"])
    columns = {f"n{number}": part for number, part in enumerate(parts.values())}
    rows = lake.ask(
        rule_query.count_each({name: rules.both(within, part) for name, part in columns.items()}, now).sql(
            "duckdb"
        )
    )
    lines = list(zip(parts, map(int, rows[0]), strict=True))
    leaves = {name: part for name, part in columns.items() if isinstance(part, Condition) or name == "n0"}
    chosen = rule_query.select_customers(whole, now, "staff_ids", "added_at", noted=leaves)
    lake.ask(f"CREATE OR REPLACE TEMP TABLE chosen AS {chosen.sql('duckdb')}")
    theirs = None if guides is None else frozenset(guides)
    by_staff = lake.ask(
        "SELECT unnest(staff_ids) AS staff_id, count(*) FROM chosen GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    fits = [name for name in leaves if name != "n0"]
    sample = lake.ask(
        f"SELECT external_userid, staff_ids, {', '.join(['true', *fits])} FROM chosen"
        f" ORDER BY added_at DESC NULLS LAST, external_userid LIMIT {SAMPLE}"
    )
    paths = dict(zip(columns, parts, strict=True))
    return Counts(
        count=lines[0][1],
        reachable=int(lake.ask("SELECT count(*) FROM chosen WHERE len(staff_ids) > 0")[0][0]),
        as_of=clock.iso(lake.as_of),
        by_staff=[(who, int(n)) for who, n in by_staff if theirs is None or who in theirs],
        lines=lines[1:],
        sample=[
            (who, list(staff_ids), [paths[name] for name, yes in zip(fits, noted, strict=True) if yes])
            for who, staff_ids, _, *noted in sample
        ],
    )


def count(lake: Lake, segment_id: str, guides: Sequence[str] | None) -> Counted:
    """How many a segment has now, of the customers of these guides."""
    query = _members(lake, segment_id, guides).sql("duckdb")
    [(number,)] = lake.ask(f"SELECT count(*) FROM ({query})")
    return Counted(count=int(number), as_of=clock.iso(lake.as_of))


def page(lake: Lake, segment_id: str, guides: Sequence[str] | None, after: str, limit: int) -> Members:
    """Ids of its members, in their order, behind `after`, and how many they all are."""
    query = _members(lake, segment_id, guides).sql("duckdb")
    lake.ask(f"CREATE OR REPLACE TEMP TABLE chosen AS {query}")
    [(number,)] = lake.ask("SELECT count(*) FROM chosen")
    rows = lake.ask(
        f"SELECT external_userid FROM chosen WHERE external_userid > ? ORDER BY 1 LIMIT {int(limit)}", after
    )
    return Members(count=int(number), external_userids=[str(who) for (who,) in rows])


def _members(lake: Lake, segment_id: str, guides: Sequence[str] | None) -> Any:
    item = models.get(segment_id)
    rule = expansion.expand_segment(item)
    if guides is not None:
        rule = rules.both(expansion.of_guides(frozenset(guides)), rule)
    show_frozen(lake, [rule])
    return rule_query.select_customers(rule, clock.now())


def show_frozen(lake: Lake, expanded: Any) -> None:
    """Bring in who is in the frozen segments that these rules ask for."""
    named = {
        str(segment_id)
        for rule in expanded
        for condition in rules.conditions(rule)
        if condition.field == "segment"
        for test in condition.tests
        for segment_id in _values(test.value)
    }
    generations = {}
    for segment_id in named:
        item = SegmentItem.find(segment_id)
        if item is not None and item.generation is not None:
            generations[segment_id] = str(item.generation)
    members.show(lake, generations)


def _values(value: Any) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()
