"""One rule, judged on one customer in Python and on all of them by DuckDB: never a difference."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.facts import rules
from chalicelib.facts.rule_reader import read
from chalicelib.facts.types import FIELDS, Birthday, DatedFact, Facts
from chalicelib.lake import rule_query

NOW = datetime(2026, 2, 27, 4, 30, 0, 5, tzinfo=UTC)
WORDS = ["a", "b", "渠道/包裹卡", "it's", 'x"y', "%", "\\", "--", "𝔘"]
# Times on the very edge of windows, and around them.
MOMENTS = [
    NOW,
    NOW - timedelta(days=7),
    NOW - timedelta(days=7, microseconds=-1),
    NOW - timedelta(days=30),
    NOW + timedelta(hours=1),
]

words = st.sampled_from(WORDS)
sets = st.lists(words, max_size=3).map(lambda w: tuple(sorted(set(w))))
moments = st.sampled_from(MOMENTS) | st.datetimes(
    datetime(2020, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)
)
durations = st.sampled_from(["PT0S", "P7D", "P30D", "PT1S", "P400D", "P1DT5H"])
numbers = st.sampled_from([0, 1, 2, 3, 100, -1, 10**6, 10**12])
birthdays = st.sampled_from(
    [
        Birthday(2, 29),
        Birthday(2, 28, 1990),
        Birthday(2, 27, 2000),
        Birthday(3, 1),
        Birthday(2, 29, 2004),
        Birthday(12, 31, 1980),
    ]
)

SETS = ("tags", "staff_ids", "groups", "sop_ids", "campaign_ids")
SINGLES = ("channel", "live_code_id", "level")
TIMES = ("added_at", "lost_at", "first_order_at", "last_order_at", "last_opened_at")
NUMBERS = ("orders", "paid_fen", "refunded_fen", "score", "points", "invited")

facts = st.builds(
    Facts,
    external_userid=st.just("?"),
    has=st.lists(st.sampled_from(FIELDS["has"].values), max_size=2, unique=True).map(tuple),
    rfm=st.none() | st.sampled_from("ABH"),
    gender=st.sampled_from([None, "male", "female"]),
    birthday=st.none() | birthdays,
    **dict.fromkeys(SETS, sets),
    **{name: st.none() | words for name in SINGLES},
    **{name: st.none() | moments for name in TIMES},
    **dict.fromkeys(NUMBERS, numbers.filter(lambda n: 0 <= n <= 10**6)),
)
dated_facts = st.lists(
    st.builds(
        DatedFact,
        kind=st.sampled_from(["order", "refund", "bought", "opened", "score", "points", "invited"]),
        at=moments,
        what=words,
        amount=st.sampled_from([1, 2, 100, 33]),
    ),
    max_size=4,
)


def some(
    *operators: st.SearchStrategy[Any], **by_name: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """A condition of one or two operators."""
    return st.fixed_dictionaries({}, optional=by_name).filter(bool)


def conditions() -> st.SearchStrategy[Any]:
    lists = st.lists(words, max_size=3)
    made = []
    for name, spec in FIELDS.items():
        if spec.kind == "expanded":
            continue
        values = st.lists(st.sampled_from(spec.values), max_size=3) if spec.values else lists
        if spec.kind in ("single", "set"):
            body = some(**dict.fromkeys(spec.operators, values))
        elif spec.kind == "dated":
            body = st.fixed_dictionaries({"any": lists}, optional={"within": durations, "none": lists})
        elif spec.kind == "number":
            body = st.fixed_dictionaries({"gte": numbers}, optional={"lte": numbers, "within": durations}) | (
                st.fixed_dictionaries({"eq": numbers}, optional={"within": durations})
            )
        else:
            times = moments.map(lambda at: at.isoformat()) | durations
            body = some(after=times, before=times, within=durations, not_within=durations)
        made.append(body.map(lambda value, name=name: {name: value}))
    return st.one_of(made)


rule_values = st.recursive(
    conditions(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: {"all": each}),
        st.lists(inner, max_size=3).map(lambda each: {"any": each}),
        inner.map(lambda each: {"not": each}),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    base = duckdb.connect()
    columns = [f"{name} VARCHAR[]" for name in (*SETS, "has")] + [
        f"{name} VARCHAR" for name in (*SINGLES, "rfm", "gender")
    ]
    columns += [f"{name} BIGINT" for name in (*TIMES, *NUMBERS)] + ["birth_day INTEGER", "born_on INTEGER"]
    base.execute(f"CREATE TABLE facts (external_userid VARCHAR, number BIGINT, {', '.join(columns)})")
    base.execute(
        "CREATE TABLE dated (number BIGINT, kind VARCHAR, happened_at BIGINT, what VARCHAR, amount BIGINT)"
    )
    return base


def fill(engine: duckdb.DuckDBPyConnection, people: Sequence[tuple[Facts, Sequence[DatedFact]]]) -> None:
    engine.execute("DELETE FROM facts; DELETE FROM dated")
    names = [row[0] for row in engine.execute("DESCRIBE facts").fetchall()]
    rows, dated = [], []
    for n, (one, did) in enumerate(people):
        row = {name: getattr(one, name, None) for name in names} | {"external_userid": str(n), "number": n}
        row |= {name: list(row[name]) for name in (*SETS, "has")}
        row |= {name: at and rule_query.microseconds(at) for name in TIMES for at in [row[name]]}
        if one.birthday:
            day = one.birthday.date
            row["birth_day"] = rules.day_number(one.birthday.month, one.birthday.day)
            row["born_on"] = day and rule_query.day_of(day.year, day.month, day.day)
        rows.append([row[name] for name in names])
        dated += [[n, d.kind, rule_query.microseconds(d.at), d.what, d.amount] for d in did]
    engine.executemany(f"INSERT INTO facts VALUES ({', '.join('?' * len(names))})", rows)
    if dated:
        engine.executemany("INSERT INTO dated VALUES (?, ?, ?, ?, ?)", dated)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(facts, dated_facts), min_size=6, max_size=6),
    st.lists(rule_values, min_size=8, max_size=8),
)
def test_python_and_sql_agree(
    engine: duckdb.DuckDBPyConnection, people: list[tuple[Facts, list[DatedFact]]], values: list[Any]
) -> None:
    fill(engine, people)
    for value in values:
        rule = read(value)
        query = rule_query.select_customers(rule, NOW)
        sql = query.sql("duckdb")
        counted = {int(row[0]) for row in engine.execute(sql).fetchall()}
        sqlglot.parse_one(query.sql("athena"), read="athena")
        judged = {n for n, (one, did) in enumerate(people) if rules.matches(rule, one, did, NOW)}
        assert counted == judged, (value, sql)
    marking = rule_query.mark_each([read(value) for value in values], NOW).sql("duckdb")
    marks = ", ".join(rule_query.marked(place) for place in range(len(values)))
    for n, *fits in engine.execute(f"SELECT number, {marks} FROM ({marking})").fetchall():
        assert fits == [rules.matches(read(value), *people[n], NOW) for value in values]
