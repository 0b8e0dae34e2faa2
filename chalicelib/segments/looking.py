"""Who is in each segment, looked at every few minutes: who came in or went out has a line in the timeline.

| step | killed behind it |
|---|---|
| the next look is ordered | it looks then |
| the members of now and what changed are written as files | the next look writes others |
| the segment names that generation | the next look first says what changed with it |
| each who came or went has a line, under the generation's time | the same lines again are there already |
| the segment is `said` | |
"""

from collections.abc import Callable
from functools import partial

from chalicelib.lake import members, rule_query
from chalicelib.lake.engine import Lake, current
from chalicelib.platform import clock, ids, lists, storage, timeline
from chalicelib.platform.errors import Invalid
from chalicelib.platform.timeline import Line
from chalicelib.segments import counting, expansion, look_times, models
from chalicelib.segments.models import LISTED, SegmentItem

_LINES = 1000  # said between two looks at the time that is left
_ENOUGH_MS = 60_000


def look(*, milliseconds_left: Callable[[], int]) -> None:
    """Work: look at each live segment; those that time has not sufficed for come first at the next look."""
    items = [
        item
        for item in lists.partition(partial(SegmentItem.by_creation.query, LISTED))
        if item.kind == "live"
    ]
    if not items:
        return
    look_times.order()
    lake = current()
    lake.refresh()
    for item in sorted(items, key=lambda item: str(item.as_of or "")):
        if milliseconds_left() < _ENOUGH_MS:
            return
        look_at(lake, item.segment_id, milliseconds_left)


def look_at(lake: Lake, segment_id: str, milliseconds_left: Callable[[], int]) -> None:
    """One segment: who is in it now, and lines of who came and went."""
    item = SegmentItem.find(segment_id)
    if item is None:
        return
    if item.said is False and not _say(lake, item, milliseconds_left):
        return
    try:
        rule = expansion.expand_segment(item)
    except Invalid:  # what it named is gone
        return
    counting.show_frozen(lake, [rule])
    now = clock.now()
    query = rule_query.select_customers(rule, now).sql("duckdb")
    generation, before = ids.ulid(now), item.generation
    count = members.save(lake, segment_id, generation, before, query)
    actions = [
        SegmentItem.size.set(count),
        SegmentItem.as_of.set(clock.iso(lake.as_of)),
        SegmentItem.generation.set(generation),
        SegmentItem.said.set(before is None),
    ]
    same = SegmentItem.generation == before if before else SegmentItem.generation.does_not_exist()
    same &= SegmentItem.version == item.version
    if storage.update_if(item, actions, same, lambda stored: bool(stored.generation == generation)):
        members.delete(segment_id, {generation, *([before] if before else [])})
        if before is not None:
            _say(lake, item, milliseconds_left)


def freeze(segment_id: str) -> None:
    """Work: note who fits a frozen segment's rule now, once."""
    item = SegmentItem.find(segment_id)
    if item is None or item.generation is not None:
        return
    lake = current()
    lake.refresh()
    rule = expansion.expand_rule_of(item)
    counting.show_frozen(lake, [rule])
    now = clock.now()
    generation = ids.ulid(now)
    query = rule_query.select_customers(rule, now).sql("duckdb")
    count = members.save(lake, segment_id, generation, None, query)
    models.save_members(segment_id, [str(who) for (who,) in lake.ask("FROM present ORDER BY 1")])
    actions = [
        SegmentItem.size.set(count),
        SegmentItem.as_of.set(clock.iso(lake.as_of)),
        SegmentItem.generation.set(generation),
    ]
    storage.update_if(item, actions, SegmentItem.generation.does_not_exist(), lambda stored: True)


def forget(segment_id: str) -> None:
    """Work: delete who was in a segment that is deleted. Twice is once."""
    if SegmentItem.find(segment_id) is None:
        members.delete(segment_id, set())
        models.delete_members(segment_id)


def _say(lake: Lake, item: SegmentItem, milliseconds_left: Callable[[], int]) -> bool:
    """Lines of who came in and went out with the segment's generation. False when time does not suffice."""
    generation, after = str(item.generation), ""
    at = ids.ulid_time(generation)
    while changes := members.changes(lake, item.segment_id, generation, after, _LINES):
        for who, entered in changes:
            type_ = "segment_entered" if entered else "segment_left"
            timeline.record(Line(who, type_, at, item.segment_id, {"segment_id": item.segment_id}))
        after = changes[-1][0]
        if milliseconds_left() < _ENOUGH_MS:
            return False
    said = [SegmentItem.said.set(True)]
    return storage.update_if(item, said, SegmentItem.generation == generation, lambda stored: True)
