"""What a rule names: a store stands for the guides that it has now, a live segment for its rule.

A frozen segment stands for itself: who is in it, is in it.
"""

from collections.abc import Callable, Mapping

from chalicelib.facts import rule_reader, rules
from chalicelib.facts.types import AnyOf, Condition, Rule, Test
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.principal import Principal, Scope
from chalicelib.segments.models import SegmentItem
from chalicelib.stores import service as stores
from chalicelib.stores.scope import guides_in_scope

NODES = 1000  # of a rule with all that it names

Frozen = Callable[[str], Rule]  # what a frozen segment is asked as


def of_guides(staff_ids: frozenset[str] | set[str]) -> Rule:
    """Whose bond with one of these guides stands."""
    return Condition("staff_id", (Test("in", tuple(sorted(staff_ids))),))


def asked(segment_id: str) -> Rule:
    """A frozen segment in a query."""
    return Condition("segment", (Test("in", (segment_id,)),))


def expand(rule: Rule, frozen: Frozen = asked, within: tuple[str, ...] = (), path: str = "rule") -> Rule:
    """With all that it names. Invalid for a segment that is not there, and for one of `within`: a circle."""
    return rules.expand(rule, _Expander(frozen, path).naming(within))


def expand_parts(parts: Mapping[str, Rule]) -> dict[str, Rule]:
    """A rule's parts with all that they name, by their paths. Invalid."""
    naming = _Expander(asked, "rule").naming(())
    return {path: rules.expand(part, naming) for path, part in parts.items()}


def expand_segment(item: SegmentItem, frozen: Frozen = asked) -> Rule:
    """A segment's rule with all that it names, for the customers of its scope."""
    if item.kind == "frozen":
        return frozen(item.segment_id)
    return _Expander(frozen, "rule").segment(item, ())


class _Expander:
    """Reads each store and segment once."""

    def __init__(self, frozen: Frozen, path: str) -> None:
        self.frozen, self.path = frozen, path
        self.nodes = 0
        self.stores: dict[str, Rule] = {}
        self.segments: dict[str, SegmentItem | None] = {}

    def naming(self, within: tuple[str, ...]) -> Callable[[str, str], Rule]:
        def named(field: str, id_: str) -> Rule:
            return self.store(id_) if field == "store_id" else self.named_segment(id_, within)

        return named

    def store(self, store_id: str) -> Rule:
        if store_id not in self.stores:
            store = stores.find(store_id)
            self.stores[store_id] = of_guides(set(store.staff_ids)) if store else AnyOf(())
        return self.stores[store_id]

    def named_segment(self, segment_id: str, within: tuple[str, ...]) -> Rule:
        if segment_id in within:
            raise Invalid(issue(self.path, "segment_circle"))
        if segment_id not in self.segments:
            self.segments[segment_id] = SegmentItem.find(segment_id)
        item = self.segments[segment_id]
        if item is None:
            raise Invalid(issue(self.path, "no_segment"))
        if item.kind == "frozen":
            return self.frozen(segment_id)
        return self.segment(item, within)

    def segment(self, item: SegmentItem, within: tuple[str, ...]) -> Rule:
        rule = rule_reader.read(item.rule)
        self.nodes += sum(1 for _ in rules.conditions(rule))
        if self.nodes > NODES:
            raise Invalid(issue(self.path, "segment_nodes", nodes=self.nodes, most=NODES))
        return in_scope(rules.expand(rule, self.naming((*within, item.segment_id))), item)


def expand_rule_of(item: SegmentItem) -> Rule:
    """The rule that a segment was made by, a frozen one too, for the customers of its scope."""
    return in_scope(expand(rule_reader.read(item.rule), within=(item.segment_id,)), item)


def in_scope(rule: Rule, item: SegmentItem) -> Rule:
    """The rule, for the customers of the segment's scope alone."""
    guides = guides_in_scope(maker(item))
    return rule if guides is None else rules.both(of_guides(guides), rule)


def maker(item: SegmentItem) -> Principal:
    """Who made it, as far as its scope says."""
    scope = scope_of(item)
    return Principal("system", item.segment_id, item.name, "store_manager", scope)


def scope_of(item: SegmentItem) -> Scope:
    stored = item.scope or {}
    parts = (stored.get(name) for name in ("store_ids", "department_ids"))
    return Scope(*(None if part is None else tuple(part) for part in parts))
