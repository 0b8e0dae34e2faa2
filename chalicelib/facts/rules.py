"""Whether a rule fits one customer (the contract's "Rules"). chalicelib/lake asks the same of all, as SQL.

A single value that is not known fits no test, not even `not_in` or `not_within`; only Not turns a rule round.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.facts.types import (
    FIELDS,
    All,
    AnyOf,
    Birthday,
    Condition,
    DatedFact,
    DatedKind,
    Facts,
    Not,
    Rule,
    Test,
)

_SHANGHAI_OFFSET = timedelta(hours=8)


class Counted(Struct, frozen=True):
    """What a number is made of: facts of that kind, each as one or by its amount."""

    kind: DatedKind
    by_amount: bool


COUNTED: Mapping[str, Counted] = {
    "orders": Counted("order", False),
    "paid_fen": Counted("order", True),
    "refunded_fen": Counted("refund", True),
    "score": Counted("score", True),
    "points": Counted("points", True),
    "invited": Counted("invited", False),
}


def combine(external_userid: str, known: Mapping[str, Any], dated: Sequence[DatedFact]) -> Facts:
    """The flat record: what is `known` of them, and the sums and ends of what they did."""
    orders = sorted(d.at for d in dated if d.kind == "order")
    sums: dict[str, Any] = {
        name: sum(d.amount if counted.by_amount else 1 for d in dated if d.kind == counted.kind)
        for name, counted in COUNTED.items()
    }
    return Facts(
        external_userid=external_userid,
        groups=tuple(sorted({d.what for d in dated if d.kind == "in_group"})),
        added_at=min((d.at for d in dated if d.kind == "added"), default=None),
        first_order_at=orders[0] if orders else None,
        last_order_at=orders[-1] if orders else None,
        last_opened_at=max((d.at for d in dated if d.kind == "opened"), default=None),
        **sums,
        **known,
    )


def matches(rule: Rule, facts: Facts, dated: Sequence[DatedFact], now: datetime) -> bool:
    """Whether `facts`, and what they did until `now`, are what a rule that `expand` gave asks."""
    match rule:
        case All(rules):
            return all(matches(each, facts, dated, now) for each in rules)
        case AnyOf(rules):
            return any(matches(each, facts, dated, now) for each in rules)
        case Not(inner):
            return not matches(inner, facts, dated, now)
        case Condition():
            return _fits(rule, facts, dated, now)


def asks_dated(rule: Rule) -> bool:
    """Whether judging the rule takes the dated facts: windows, what was bought and opened."""
    return any(c.within is not None or FIELDS[c.field].kind == "dated" for c in conditions(rule))


def both(one: Rule, other: Rule) -> Rule:
    return All((one, other))


def paths(rule: Rule, path: str = "rule") -> Iterator[tuple[str, Rule]]:
    """A rule and each of its parts, by where it stands in the JSON: `rule`, `rule.all[0]`, `rule.not`, …"""
    yield path, rule
    match rule:
        case All(rules) | AnyOf(rules):
            name = "all" if isinstance(rule, All) else "any"
            for number, each in enumerate(rules):
                yield from paths(each, f"{path}.{name}[{number}]")
        case Not(inner):
            yield from paths(inner, f"{path}.not")


def conditions(rule: Rule) -> Iterator[Condition]:
    """All that a rule asks, in its order."""
    match rule:
        case All(rules) | AnyOf(rules):
            for each in rules:
                yield from conditions(each)
        case Not(inner):
            yield from conditions(inner)
        case Condition():
            yield rule


def expand(rule: Rule, named: Callable[[str, str], Rule]) -> Rule:
    """With the rules that stand for a store (its guides) or a segment: `named(field, id)`.

    What is named may name further ones; `named` expands them and refuses a circle.
    """
    match rule:
        case All(rules):
            return All(tuple(expand(each, named) for each in rules))
        case AnyOf(rules):
            return AnyOf(tuple(expand(each, named) for each in rules))
        case Not(inner):
            return Not(expand(inner, named))
        case Condition(field, tests) if FIELDS[field].kind == "expanded":
            parts: list[Rule] = []
            for test in tests:
                any_of: Rule = AnyOf(tuple(named(field, str(each)) for each in _values(test)))
                parts.append(any_of if test.operator == "in" else Not(any_of))
            return All(tuple(parts))
        case Condition():
            return rule


def _fits(condition: Condition, facts: Facts, dated: Sequence[DatedFact], now: datetime) -> bool:
    spec = FIELDS[condition.field]
    theirs: Any
    match spec.kind:
        case "set":
            theirs = frozenset(getattr(facts, spec.fact))
        case "dated":
            theirs = frozenset(d.what for d in _in_window(dated, condition.field, condition.within, now))
        case "number":
            theirs = _number(condition, facts, dated, now)
        case _:
            theirs = getattr(facts, condition.field)
            if theirs is None:
                return False
    return all(_TESTS[spec.kind](test, theirs, now) for test in condition.tests)


def _fits_set(test: Test, theirs: frozenset[str], now: datetime) -> bool:
    asked = _values(test)
    match test.operator:
        case "any" | "in":
            return not theirs.isdisjoint(asked)
        case "all":
            return theirs.issuperset(asked)
        case _:
            return theirs.isdisjoint(asked)


def _fits_single(test: Test, theirs: str, now: datetime) -> bool:
    return (theirs in _values(test)) == (test.operator == "in")


def _fits_number(test: Test, theirs: int, now: datetime) -> bool:
    asked = test.value
    assert isinstance(asked, int)
    match test.operator:
        case "gte":
            return theirs >= asked
        case "lte":
            return theirs <= asked
        case _:
            return theirs == asked


def _fits_time(test: Test, theirs: datetime, now: datetime) -> bool:
    at = instant(test, now)
    match test.operator:
        case "after":
            return theirs > at
        case "before":
            return theirs < at
        case "within":
            return at < theirs <= now
        case _:
            return not at < theirs <= now


def _fits_birthday(test: Test, theirs: Birthday, now: datetime) -> bool:
    if test.operator.endswith("within"):
        return (day_number(theirs.month, theirs.day) in days_ahead(test, now)) == (test.operator == "within")
    born, asked = theirs.date, local_day(instant(test, now))
    if born is None:
        return False
    return born > asked if test.operator == "after" else born < asked


_TESTS: Mapping[str, Callable[[Test, Any, datetime], bool]] = {
    "set": _fits_set,
    "dated": _fits_set,
    "single": _fits_single,
    "number": _fits_number,
    "time": _fits_time,
    "birthday": _fits_birthday,
}


def _number(condition: Condition, facts: Facts, dated: Sequence[DatedFact], now: datetime) -> int:
    if condition.field == "average_fen":
        paid, orders = (_sum(name, facts, dated, condition.within, now) for name in ("paid_fen", "orders"))
        return paid // orders if orders else 0
    return _sum(condition.field, facts, dated, condition.within, now)


def _sum(name: str, facts: Facts, dated: Sequence[DatedFact], within: timedelta | None, now: datetime) -> int:
    if within is None:
        return int(getattr(facts, name))
    counted = COUNTED[name]
    return sum(d.amount if counted.by_amount else 1 for d in _in_window(dated, counted.kind, within, now))


def _in_window(
    dated: Sequence[DatedFact], kind: str, within: timedelta | None, now: datetime
) -> Iterator[DatedFact]:
    for each in dated:
        if each.kind == kind and (within is None or now - within < each.at <= now):
            yield each


def instant(test: Test, now: datetime) -> datetime:
    """The time that a test asks with; a duration is counted back from now."""
    value = test.value
    if isinstance(value, timedelta):
        return now - value
    assert isinstance(value, datetime)
    return value


def local_day(at: datetime) -> date:
    """The day of that time in China, where birthdays are."""
    return (at.replace(tzinfo=None) - (at.utcoffset() or timedelta()) + _SHANGHAI_OFFSET).date()


def day_number(month: int, day: int) -> int:
    """A day of the year as month × 100 + day."""
    return month * 100 + day


def days_ahead(test: Test, now: datetime) -> frozenset[int]:
    """The days, as numbers, that meet the time from `now` until the test's duration later.

    29 February is kept on the 28th in a year that has none.
    """
    assert isinstance(test.value, timedelta)
    first, last = local_day(now), local_day(now + test.value - timedelta(microseconds=1))
    numbers = set()
    for day in (first + timedelta(days=n) for n in range(min((last - first).days, 366) + 1)):
        numbers.add(day_number(day.month, day.day))
        if (day.month, day.day) == (2, 28) and (day + timedelta(days=1)).day == 1:
            numbers.add(day_number(2, 29))
    return frozenset(numbers)


def _values(test: Test) -> Collection[str]:
    assert isinstance(test.value, tuple)
    return test.value
