"""Segments: made, changed, listed. Counting them is the function `lake`'s (counting.py, looking.py)."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, cast

import msgspec

from chalicelib.customers import lookup as customers
from chalicelib.customers import rows as customer_rows
from chalicelib.customers.types import CustomerRow
from chalicelib.facts import rule_reader, rules
from chalicelib.facts.types import Rule
from chalicelib.lake import asking
from chalicelib.platform import audit, clock, due, ids, lists, queues, storage
from chalicelib.platform.errors import Conflict, Forbidden, NotFound, Upstream
from chalicelib.platform.lists import Page
from chalicelib.platform.patch import merged
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.validation import convert
from chalicelib.platform.versions import IfMatch
from chalicelib.segments import expansion, look_times, models
from chalicelib.segments.models import LISTED, SegmentItem
from chalicelib.segments.types import (
    Kind,
    LineCount,
    MembersQuery,
    NewSegment,
    Preview,
    Sampled,
    SegmentOut,
    SegmentsQuery,
    StaffCount,
)
from chalicelib.staff import service as staff
from chalicelib.stores.scope import guides_in_scope


def create(segment: NewSegment, principal: Principal) -> str:
    """A new segment, for the customers of one's scope. → its id. Invalid."""
    expansion.expand(rule_reader.read(segment.rule))
    now = clock.iso(clock.now())
    item = SegmentItem(
        f"seg_{ids.short(10)}",
        listing=LISTED,
        created_at=now,
        updated_at=now,
        version=1,
        name=segment.name,
        kind=segment.kind,
        rule=segment.rule,
        scope=msgspec.to_builtins(principal.scope) if principal.is_scoped else None,
    )
    tx = Transaction()
    tx.put("segment", item, SegmentItem.segment_id.does_not_exist())
    audit.add(tx, "segments.create", item.segment_id, None, _definition(item))
    if segment.kind == "live":
        look_times.order()  # before it is there: a look at nothing is harmless, one never looked at is not
        tx.commit()
    else:
        _commit_with_work(tx, "segment_freeze", item.segment_id)
    return str(item.segment_id)


def get(segment_id: str, principal: Principal) -> SegmentOut:
    """With how many they are now, of the caller's customers. NotFound."""
    item = _find(segment_id, principal)
    shown = _show(item, principal)
    if item.kind == "frozen" and item.generation is None:
        return shown
    counted = asking.ask("segment_count", segment_id=segment_id, guides=_guides(principal))
    return msgspec.structs.replace(shown, count=counted["count"], as_of=counted["as_of"])


def page(query: SegmentsQuery, principal: Principal) -> Page[SegmentOut]:
    """As they were counted last. Who is kept to a scope has no counts of everybody's customers."""
    rows = [
        _show(item, principal)
        for item in _all()
        if _is_seen(item, principal) and query.kind in (None, item.kind)
    ]
    return lists.whole(
        rows,
        query,
        key=lambda row: row.segment_id,
        sorts={
            "name": lambda row: row.name,
            "created_at": lambda row: row.created_at,
            "count": lambda row: row.count or 0,
        },
        sort=query.sort,
        texts=lambda row: (row.name,),
    )


@storage.retrying("others keep changing this segment")
def change(segment_id: str, patch: Mapping[str, Any], if_match: IfMatch, principal: Principal) -> SegmentOut:
    """Apply a merge patch. Who comes in or goes out by a changed rule has no line of it. NotFound, Invalid,
    Stale, Conflict, Forbidden.
    """
    item = _find_to_change(segment_id, principal)
    before = _show(item, principal)
    if_match.check(before.version, lambda: before)
    definition = _definition(item)
    wanted: NewSegment = convert({**merged(definition, patch), **_rule_of(patch)}, NewSegment)
    if wanted.kind != item.kind or (item.kind == "frozen" and wanted.rule != item.rule):
        raise Conflict(code="segment_frozen")
    expansion.expand(rule_reader.read(wanted.rule), within=(segment_id,))
    actions = [
        SegmentItem.name.set(wanted.name),
        SegmentItem.rule.set(wanted.rule),
        SegmentItem.updated_at.set(clock.iso(clock.now())),
        SegmentItem.version.set(before.version + 1),
    ]
    if wanted.rule != item.rule:
        actions += [attribute.remove() for attribute in (SegmentItem.generation, SegmentItem.said)]
    tx = Transaction()
    tx.update("segment", SegmentItem(segment_id), actions, SegmentItem.version == before.version)
    audit.add(tx, "segments.change", segment_id, definition, msgspec.to_builtins(wanted))
    tx.commit()
    if item.kind == "live":
        look_times.order()
    return _show(models.get(segment_id), principal)


@storage.retrying("others keep changing this segment")
def remove(segment_id: str, if_match: IfMatch, principal: Principal) -> None:
    """NotFound, Stale, Forbidden; Conflict while another asks for it."""
    item = _find_to_change(segment_id, principal)
    before = _show(item, principal)
    if_match.check(before.version, lambda: before)
    for other in _all():
        if other.segment_id != segment_id and segment_id in _named(rule_reader.read(other.rule)):
            raise Conflict(code="segment_in_use", name=other.name)
    tx = Transaction()
    tx.delete("segment", SegmentItem(segment_id), SegmentItem.version == before.version)
    audit.add(tx, "segments.delete", segment_id, _definition(item), None)
    _commit_with_work(tx, "segment_forget", segment_id)


def preview(rule: Mapping[str, Any], principal: Principal) -> Preview:
    """What a rule would give, of the caller's customers. Invalid."""
    rule_reader.read(rule)  # here, so that a wrong one costs no question
    guides = _guides(principal)
    counts = asking.ask("segment_preview", rule=dict(rule), guides=guides)
    names = staff.names(who for who, _ in counts["by_staff"])
    people = customers.shown([who for who, _, _ in counts["sample"]], principal)
    return Preview(
        count=counts["count"],
        reachable=counts["reachable"],
        as_of=counts["as_of"],
        by_staff=[
            StaffCount(staff_id=who, staff_name=names.get(who, who), count=count)
            for who, count in counts["by_staff"]
        ],
        lines=[LineCount(path=path, count=count) for path, count in counts["lines"]],
        sample=[
            Sampled(
                external_userid=people[who].external_userid,
                name=people[who].name,
                staff_ids=theirs,
                fits=fits,
            )
            for who, theirs, fits in counts["sample"]
            if who in people
        ],
    )


def members(segment_id: str, query: MembersQuery, principal: Principal) -> Page[CustomerRow]:
    """Who is in it, of the caller's customers, by id. NotFound; Conflict before a frozen one is filled."""
    item = _find(segment_id, principal)
    if item.kind == "frozen" and item.generation is None:
        raise Conflict(code="segment_not_counted")

    def read(after: str, limit: int) -> tuple[list[str], int]:
        given = {"segment_id": segment_id, "guides": _guides(principal), "after": after, "limit": limit}
        answer = asking.ask("segment_page", **given)
        return answer["external_userids"], answer["count"]

    page = lists.keyed(read, query)
    people = customers.shown(page.items, principal)
    showing = customer_rows.showing(people.values())
    # Who is not a customer of the caller's any more, since the lake was written, is left out.
    seen = [showing(people[who]) for who in page.items if who in people]
    return Page(seen, page.total, page.next_cursor)


def named(ids: list[str]) -> dict[str, str]:
    """What those of them are called that there are, by id."""
    return {row.segment_id: row.name for row in SegmentItem.batch_get(list(set(ids)))}


def _commit_with_work(tx: Transaction, kind: str, segment_id: str) -> None:
    """Commit with what is to be done then: by the ticker for certain, and at once if the queue takes it."""
    work = {"kind": kind, "segment_id": segment_id}
    due.add(tx, kind, clock.now(), segment_id, work)
    tx.commit()
    with suppress(Upstream):
        queues.send("lake", work)


def _named(rule: Rule) -> set[str]:
    """The segments that a rule asks for."""
    return {
        str(each)
        for condition in rules.conditions(rule)
        if condition.field == "segment"
        for test in condition.tests
        if isinstance(test.value, tuple)
        for each in test.value
    }


def _rule_of(patch: Mapping[str, Any]) -> dict[str, Any]:
    return {"rule": patch["rule"]} if "rule" in patch else {}


def _all() -> Iterator[SegmentItem]:
    yield from lists.partition(partial(SegmentItem.by_creation.query, LISTED))


def _guides(principal: Principal) -> list[str] | None:
    guides = guides_in_scope(principal)
    return None if guides is None else sorted(guides)


def _find(segment_id: str, principal: Principal) -> SegmentItem:
    item = models.get(segment_id)
    if not _is_seen(item, principal):
        raise NotFound(code="no_segment", segment_id=segment_id)
    return item


def _find_to_change(segment_id: str, principal: Principal) -> SegmentItem:
    item = _find(segment_id, principal)
    if not _may_change(item, principal):
        raise Forbidden(code="segment_of_others")
    return item


def _is_seen(item: SegmentItem, principal: Principal) -> bool:
    return item.scope is None or _may_change(item, principal)


def _may_change(item: SegmentItem, principal: Principal) -> bool:
    return principal.scope.holds(expansion.scope_of(item))


def _definition(item: SegmentItem) -> dict[str, Any]:
    return {"name": item.name, "rule": item.rule, "kind": item.kind}


def _show(item: SegmentItem, principal: Principal) -> SegmentOut:
    counts = item.size is not None and (not principal.is_scoped or item.scope is not None)
    return SegmentOut(
        segment_id=item.segment_id,
        name=item.name,
        rule=dict(item.rule),
        kind=cast(Kind, item.kind),
        count=int(item.size) if counts else None,
        as_of=item.as_of if counts else None,
        version=int(item.version),
        created_at=item.created_at,
        updated_at=item.updated_at,
        can_change=_may_change(item, principal),
    )
