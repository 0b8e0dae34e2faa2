"""A rule's JSON as a Rule: every part is checked, and an error names its path (`rule.all[1].tag.some`)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.facts.types import FIELDS, All, AnyOf, Condition, FieldSpec, Not, Rule, Test
from chalicelib.platform import clock, durations
from chalicelib.platform.errors import Invalid, Issue, issue

DEPTH = 8
NODES = 100
VALUES = 1000  # of one list
_LENGTH = 200  # of one value
_SHORTS = {"all_tags": "all", "any_tags": "any", "no_tags": "none"}
_LARGEST = 10**13  # times a customer's orders still fits 64 bits


def read(value: Any, path: str = "rule") -> Rule:
    """The rule that `value` says. Invalid, with every fault."""
    reader = _Reader()
    rule = reader.node(value, path, 1)
    if reader.nodes > NODES:
        reader.fault(path, "rule_nodes", nodes=NODES)
    if reader.issues or rule is None:
        raise Invalid(*reader.issues)
    return rule


def read_when(value: Mapping[str, Any], path: str) -> Rule:
    """An SOP step's `when`: a rule, or its short forms `all_tags`, `any_tags`, `no_tags`, `opened`."""
    shorts = [
        name for name in value if name in _SHORTS or (name == "opened" and isinstance(value[name], str))
    ]
    if not shorts:
        return read(dict(value), path)
    rules: list[Any] = []
    for name in value:
        if name in _SHORTS:
            rules.append({"tag": {_SHORTS[name]: value[name]}})
        elif name in shorts:
            rules.append({"opened": {"any": [value[name]]}})
        else:
            rules.append({name: value[name]})
    return All(tuple(read(rule, path) for rule in rules))


class _Reader:
    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.nodes = 0

    def fault(self, path: str, code: str, **params: Any) -> None:
        self.issues.append(issue(path, code, **params))

    def node(self, value: Any, path: str, depth: int) -> Rule | None:
        self.nodes += 1
        if depth > DEPTH:
            self.fault(path, "rule_depth", depth=DEPTH)
            return None
        if self.nodes > NODES:
            return None
        if not isinstance(value, Mapping):
            self.fault(path, "type", type="object")
            return None
        if len(value) != 1:
            self.fault(path, "rule_node")
            return None
        [(name, inner)] = value.items()
        here = f"{path}.{name}"
        if name in ("all", "any"):
            return self.branch(name, inner, here, depth)
        if name == "not":
            rule = self.node(inner, here, depth + 1)
            return rule and Not(rule)
        if name not in FIELDS:
            self.fault(here, "rule_field")
            return None
        return self.condition(name, inner, here)

    def branch(self, name: str, value: Any, path: str, depth: int) -> Rule | None:
        if not isinstance(value, list):
            self.fault(path, "type", type="array")
            return None
        rules = [self.node(each, f"{path}[{i}]", depth + 1) for i, each in enumerate(value)]
        readable = tuple(rule for rule in rules if rule is not None)
        return All(readable) if name == "all" else AnyOf(readable)

    def condition(self, name: str, value: Any, path: str) -> Condition | None:
        spec = FIELDS[name]
        if not isinstance(value, Mapping):
            self.fault(path, "type", type="object")
            return None
        within = None
        tests = []
        for operator, asked in value.items():
            here = f"{path}.{operator}"
            if operator == "within" and spec.kind in ("number", "dated"):
                within = self.duration(asked, here)
            elif operator not in spec.operators:
                self.fault(here, "rule_operator", allowed=", ".join(spec.operators))
            elif (test := self.value(spec, operator, asked, here)) is not None:
                tests.append(Test(operator, test))
        if not any(operator in spec.operators for operator in value):
            self.fault(path, "one_of_fields", fields=", ".join(spec.operators))
            return None
        return Condition(name, tuple(tests), within)

    def value(
        self, spec: FieldSpec, operator: str, value: Any, path: str
    ) -> tuple[str, ...] | int | datetime | timedelta | None:
        if spec.kind == "number":
            return self.number(value, path)
        if spec.kind in ("time", "birthday"):
            return self.duration(value, path) if operator.endswith("within") else self.time(value, path)
        return self.values(spec, value, path)

    def number(self, value: Any, path: str) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool):
            self.fault(path, "type", type="integer")
            return None
        if abs(value) > _LARGEST:
            self.fault(path, "maximum", maximum=_LARGEST)
            return None
        return value

    def time(self, value: Any, path: str) -> datetime | timedelta | None:
        if not isinstance(value, str):
            self.fault(path, "type", type="string")
            return None
        if value.startswith("P"):
            return self.duration(value, path)
        try:
            return clock.parse(value)
        except (ValueError, OverflowError):
            self.fault(path, "rule_time")
            return None

    def duration(self, value: Any, path: str) -> timedelta | None:
        if not isinstance(value, str):
            self.fault(path, "type", type="string")
            return None
        try:
            length = durations.parse(value)
        except ValueError:
            self.fault(path, "duration")
            return None
        longest = timedelta(days=36_525)
        if length > longest:
            self.fault(path, "range_days", days=longest.days)
            return None
        return length

    def values(self, spec: FieldSpec, value: Any, path: str) -> tuple[str, ...] | None:
        if not isinstance(value, list):
            self.fault(path, "type", type="array")
            return None
        if len(value) > VALUES:
            self.fault(path, "max_items", max_items=VALUES)
            return None
        for i, each in enumerate(value):
            here = f"{path}[{i}]"
            if not isinstance(each, str):
                self.fault(here, "type", type="string")
            elif len(each) > _LENGTH:
                self.fault(here, "max_length", max_length=_LENGTH)
            elif spec.values and each not in spec.values:
                self.fault(here, "enum", allowed=", ".join(spec.values))
            elif not _is_storable(each):
                self.fault(here, "control_character")
        return tuple(each for each in value if isinstance(each, str))


def _is_storable(text: str) -> bool:
    """Neither half a surrogate pair nor a NUL: no store and no query takes these."""
    return ("\0" not in text and text.isascii()) or not any(
        "\ud800" <= c <= "\udfff" or c == "\0" for c in text
    )
