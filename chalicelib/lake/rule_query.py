"""A rule as SQL over everybody's facts: the same question that facts/rules.py asks of one customer.

Built as a tree, so that a value can never be read as SQL, and written in DuckDB's dialect or Athena's.
Table `facts` has a row a customer, `dated` what they did, `members` who is in frozen segments; times are
microseconds since 1970, UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Literal

from sqlglot import exp

from chalicelib.facts import rules
from chalicelib.facts.types import FIELDS, All, AnyOf, Condition, Not, Rule, Test

Dialect = Literal["duckdb", "athena"]
_COMPARE = {"gte": exp.GTE, "lte": exp.LTE, "eq": exp.EQ}
MARKS = 62  # bits of a whole number that are not its sign
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def select_customers(rule: Rule, now: datetime) -> exp.Select:
    """`SELECT f.external_userid FROM facts AS f … WHERE …`, of a rule that `rules.expand` gave."""
    asked = _Asked(now)
    where = asked.where(rule)
    return asked.with_sums(exp.select(_column("external_userid")).from_("facts AS f").where(where))


def mark_each(rules: Sequence[Rule], now: datetime) -> exp.Select:
    """`SELECT f.number, … AS bits0, … FROM facts AS f …`: of every customer, which of the rules fit.

    A bit each, MARKS of them in a column (`marked`): written as booleans they take a third longer.
    """
    asked = _Asked(now)
    columns = []
    for first in range(0, len(rules), MARKS):
        bits: exp.Expr = _number(0)
        for bit, rule in enumerate(rules[first : first + MARKS]):
            fits = exp.Cast(this=exp.Paren(this=asked.where(rule)), to=exp.DataType.build("BIGINT"))
            bits = exp.Add(this=bits, expression=exp.Mul(this=fits, expression=_number(1 << bit)))
        columns.append(exp.alias_(bits, f"bits{first // MARKS}"))
    return asked.with_sums(exp.select(_column("number"), *columns).from_("facts AS f"))


def marked(place: int) -> str:
    """Whether the rule at that place of `mark_each` fits, of its row."""
    return f"bits{place // MARKS} & {1 << place % MARKS} > 0"


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


class _Asked:
    """`sums`: what the conditions with a window count, a subquery each, by its alias."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.sums: dict[str, exp.Select] = {}
        self._names: dict[tuple[str, timedelta], str] = {}

    def with_sums(self, query: exp.Select) -> exp.Select:
        """The query with what its conditions count."""
        for name, sums in self.sums.items():
            on = f"{name}.number = f.number"
            query = query.join(sums.subquery(name), on=on, join_type="LEFT")
        return query

    def where(self, rule: Rule) -> exp.Expr:
        match rule:
            case All(inner):
                return _joined(exp.And, [self.where(each) for each in inner], empty=True)
            case AnyOf(inner):
                return _joined(exp.Or, [self.where(each) for each in inner], empty=False)
            case Not(inner):
                return exp.Not(this=exp.Paren(this=self.where(inner)))
            case Condition():
                kind = FIELDS[rule.field].kind
                tests = [_ASK[kind](self, rule, test) for test in rule.tests]
                return _joined(exp.And, tests, empty=True)

    def single(self, rule: Condition, test: Test) -> exp.Expr:
        column = _column(rule.field)
        listed = _is_in(column, test.value)
        return _known(column, exp.Not(this=listed) if test.operator == "not_in" else listed)

    def a_set(self, rule: Condition, test: Test) -> exp.Expr:
        column = _column(FIELDS[rule.field].fact)
        assert isinstance(test.value, tuple)
        held = [exp.ArrayContains(this=column.copy(), expression=_text(each)) for each in test.value]
        if test.operator == "all":
            return _joined(exp.And, held, empty=True)
        any_of = _joined(exp.Or, held, empty=False)
        return any_of if test.operator in ("any", "in") else exp.Not(this=any_of)

    def time(self, rule: Condition, test: Test) -> exp.Expr:
        column, at = _column(rule.field), _number(microseconds(rules.instant(test, self.now)))
        match test.operator:
            case "after":
                return _known(column, exp.GT(this=column.copy(), expression=at))
            case "before":
                return _known(column, exp.LT(this=column.copy(), expression=at))
        inside = exp.and_(
            exp.GT(this=column.copy(), expression=at),
            exp.LTE(this=column.copy(), expression=_number(microseconds(self.now))),
        )
        return _known(column, inside if test.operator == "within" else exp.Not(this=exp.Paren(this=inside)))

    def birthday(self, rule: Condition, test: Test) -> exp.Expr:
        if test.operator.endswith("within"):
            days = sorted(rules.days_ahead(test, self.now))
            column = _column("birth_day")
            inside = exp.In(this=column.copy(), expressions=[_number(day) for day in days])
            return _known(column, inside if test.operator == "within" else exp.Not(this=inside))
        day = rules.local_day(rules.instant(test, self.now))
        column, asked = _column("born_on"), _number(day_of(day.year, day.month, day.day))
        compare = exp.GT if test.operator == "after" else exp.LT
        return _known(column, compare(this=column.copy(), expression=asked))

    def number(self, rule: Condition, test: Test) -> exp.Expr:
        assert isinstance(test.value, int)
        if rule.field == "average_fen":
            return self.average(rule.within, test.operator, test.value)
        return _COMPARE[test.operator](
            this=self.counted(rule.field, rule.within), expression=_number(test.value)
        )

    def average(self, within: timedelta | None, operator: str, asked: int) -> exp.Expr:
        """⌊paid ÷ orders⌋ without a division, which Athena would do in floating point."""
        paid, orders = self.counted("paid_fen", within), self.counted("orders", within)
        at_least = exp.GTE(this=paid, expression=exp.Mul(this=_number(asked), expression=orders))
        at_most = exp.LT(
            this=paid.copy(), expression=exp.Mul(this=_number(asked + 1), expression=orders.copy())
        )
        asks: dict[str, list[exp.Expr]] = {"gte": [at_least], "lte": [at_most], "eq": [at_least, at_most]}
        some = exp.GT(this=orders.copy(), expression=_number(0))
        none = exp.Paren(this=exp.Not(this=some.copy()))
        zero = exp.convert({"gte": asked <= 0, "lte": asked >= 0, "eq": asked == 0}[operator])
        return _joined(
            exp.Or,
            [_joined(exp.And, [some, *asks[operator]], empty=True), exp.And(this=none, expression=zero)],
            empty=False,
        )

    def counted(self, name: str, within: timedelta | None) -> exp.Expr:
        if within is None:
            return _column(name)
        counted = rules.COUNTED[name]
        alias = self._names.setdefault((counted.kind, within), f"w{len(self._names)}")
        if alias not in self.sums:
            self.sums[alias] = (
                self.dated(counted.kind, within)
                .select("COUNT(*) AS times", "SUM(amount) AS amount", append=True)
                .group_by("number")
            )
        column = exp.column("amount" if counted.by_amount else "times", table=alias)
        return exp.func("coalesce", column, _number(0))

    def bought_or_opened(self, rule: Condition, test: Test) -> exp.Expr:
        who = self.dated(rule.field, rule.within).where(_is_in(exp.column("what"), test.value))
        inside = exp.In(this=_column("number"), query=who.subquery())
        return inside if test.operator == "any" else exp.Not(this=inside)

    def members(self, rule: Condition, test: Test) -> exp.Expr:
        """Of frozen segments: a live one was expanded to its rule."""
        who = exp.select("external_userid").from_("members")
        who = who.where(_is_in(exp.column("segment_id"), test.value))
        inside = exp.In(this=_column("external_userid"), query=who.subquery())
        return inside if test.operator == "in" else exp.Not(this=inside)

    def dated(self, kind: str, within: timedelta | None) -> exp.Select:
        query = (
            exp.select("number").from_("dated").where(exp.EQ(this=exp.column("kind"), expression=_text(kind)))
        )
        if within is None:
            return query
        first, last = _number(microseconds(self.now - within)), _number(microseconds(self.now))
        at = exp.column("happened_at")
        return query.where(exp.GT(this=at, expression=first), exp.LTE(this=at.copy(), expression=last))


_ASK: Mapping[str, Callable[[_Asked, Condition, Test], exp.Expr]] = {
    "single": _Asked.single,
    "set": _Asked.a_set,
    "time": _Asked.time,
    "birthday": _Asked.birthday,
    "number": _Asked.number,
    "dated": _Asked.bought_or_opened,
    "expanded": _Asked.members,
}


def day_of(year: int, month: int, day: int) -> int:
    """A date as one number that sorts as dates do: 19900501."""
    return year * 10_000 + month * 100 + day


def _column(name: str) -> exp.Column:
    return exp.column(name, table="f")


def _text(value: str) -> exp.Literal:
    return exp.Literal.string(value)


def _number(value: int) -> exp.Expr:
    return exp.convert(value)


def _is_in(column: exp.Expr, values: object) -> exp.Expr:
    assert isinstance(values, tuple)
    return exp.In(this=column, expressions=[_text(each) for each in values]) if values else exp.false()


def _known(column: exp.Column, condition: exp.Expr) -> exp.Expr:
    """An unknown value fits no test: SQL's NULL would make a Not of it unknown too."""
    known = exp.Not(this=exp.Is(this=column.copy(), expression=exp.null()))
    return exp.Paren(this=exp.And(this=known, expression=condition))


def _joined(how: type[exp.Connector], parts: Sequence[exp.Expr], empty: bool) -> exp.Expr:
    if not parts:
        return exp.convert(empty)
    return exp.Paren(this=reduce(lambda a, b: how(this=a, expression=b), parts))
