"""Segments counted and listed: in the function `lake`, where the engine is."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.facts import rule_reader, rules
from chalicelib.facts.types import All, AnyOf, Condition, Not, Rule
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
    """What a rule would give, of the customers of these guides (None: of all). Invalid.

    Conditions are asked of everybody once; what all, any and not make of them is counted from the marks.
    """
    parts = dict(rules.paths(rule_reader.read(rule)))
    asked = expansion.expand_parts(
        {path: part for path, part in parts.items() if isinstance(part, Condition)}
    )
    show_frozen(lake, asked.values())
    within = expansion.of_guides(frozenset(guides)) if guides is not None else _EVERYBODY
    marking = rule_query.mark_each([within, *asked.values()], clock.now()).sql("duckdb")
    lake.ask(f"CREATE OR REPLACE TEMP TABLE marked AS {marking}")
    marks = {path: rule_query.marked(place) for place, path in enumerate(asked, 1)}
    fits = [f"({rule_query.marked(0)} AND {_from_marks(part, path, marks)})" for path, part in parts.items()]
    counts = lake.ask(f"SELECT {', '.join(f'count(*) FILTER ({each})' for each in fits)} FROM marked")[0]
    lake.ask(f"""CREATE OR REPLACE TEMP TABLE chosen AS SELECT number, staff_ids, added_at FROM facts
        SEMI JOIN (FROM marked WHERE {fits[0]}) USING (number)""")
    by_staff = lake.ask("SELECT unnest(staff_ids) AS who, count(*) FROM chosen GROUP BY 1 ORDER BY 2 DESC, 1")
    theirs = None if guides is None else frozenset(guides)
    return Counts(
        count=int(counts[0]),
        reachable=int(lake.ask("SELECT count(*) FROM chosen WHERE len(staff_ids) > 0")[0][0]),
        as_of=clock.iso(lake.as_of),
        by_staff=[(who, int(n)) for who, n in by_staff if theirs is None or who in theirs],
        lines=list(zip(list(parts)[1:], map(int, counts[1:]), strict=True)),
        sample=_sample(lake, marks),
    )


def _from_marks(rule: Rule, path: str, marks: Mapping[str, str]) -> str:
    """Whether a part of a rule fits, by the marks of its conditions."""
    match rule:
        case Condition():
            return marks[path]
        case Not(inner):
            return f"NOT ({_from_marks(inner, f'{path}.not', marks)})"
        case All(inner) | AnyOf(inner):
            name, joined = ("all", " AND ") if isinstance(rule, All) else ("any", " OR ")
            parts = [_from_marks(each, f"{path}.{name}[{n}]", marks) for n, each in enumerate(inner)]
            return f"({joined.join(parts)})" if parts else str(isinstance(rule, All)).lower()


def _sample(lake: Lake, marks: Mapping[str, str]) -> list[tuple[str, list[str], list[str]]]:
    """The newest of those chosen, with their guides and the paths of the conditions that they fit."""
    newest = f"SELECT number FROM chosen ORDER BY added_at DESC NULLS LAST, number LIMIT {SAMPLE}"
    chosen = lake.ask(
        f"SELECT {', '.join(['number', *marks.values()])} FROM marked SEMI JOIN ({newest}) USING (number)"
    )
    if not chosen:
        return []
    fits = {
        number: [path for path, yes in zip(marks, marked, strict=True) if yes] for number, *marked in chosen
    }
    people = lake.ask(
        f"""SELECT number, external_userid, staff_ids FROM facts WHERE number IN ({", ".join(map(str, fits))})
            ORDER BY added_at DESC NULLS LAST, external_userid"""
    )
    return [(str(who), list(staff_ids), fits[number]) for number, who, staff_ids in people]


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
