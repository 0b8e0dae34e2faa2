"""Prospects as lists show them: lane by lane (guide and status), numbers masked."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from chalicelib.platform import clock, ids, storage, timeline
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.timeline import Line
from chalicelib.prospects import brand_settings, imports, models, rules
from chalicelib.prospects.models import ProspectItem
from chalicelib.prospects.status_changes import find

_LANES_A_PAGE = 60  # queries in one request, at most
_CHECKED = 100  # DynamoDB: items in one batch


def show(item: ProspectItem) -> dict[str, Any]:
    """A prospect as lists show it: the number masked, also where a name or a note has one."""
    person = models.person(item)
    texts = {name: rules.hidden(person.get(name, "")) for name in ("name", "note", "external_id")}
    same = ("status", "staff_id", "store_id", "import_id", "created_at", "changed_at")
    later = ("asked_at", "added_at", "matched_by", "external_userid")
    return {
        "prospect_id": item.prospect_id,
        "phone": rules.masked(person["phone"]) if "phone" in person else None,
        **texts,
        "code": item.code,
        "remark": rules.remark(texts["name"], item.code),
        **{name: getattr(item, name) for name in (*same, *later)},
    }


def reveal_number(prospect_id: str, by: str) -> str:
    """The whole number, and a line that says who saw it. NotFound."""
    item = find(prospect_id)
    line = Line(f"prospect#{prospect_id}", "prospect_revealed", clock.now(), ids.short(), {"by": by})
    timeline.record(line)
    return models.person(item)["phone"]


def history(prospect_id: str, limit: int, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """What became of a prospect, newest first; its beginning is its import. NotFound."""
    if models.find(prospect_id) is None:
        raise NotFound("there is no such prospect")
    return timeline.read(f"prospect#{prospect_id}", limit, cursor)


def page(wanted: dict[str, str | None], limit: int, cursor: str | None) -> tuple[list[Any], str | None]:
    """Prospects by `status`, `staff_id`, `import_id`, each may be None; masked. Invalid, NotFound.

    Read lane by lane (guide and status); one request asks at most 60 of them, so a page may be short.
    """
    lanes = _lanes(wanted)
    start, key = _place(cursor, lanes)
    found: list[ProspectItem] = []
    for number, lane in enumerate(lanes[start:], start):
        if number - start == _LANES_A_PAGE:
            return [show(row) for row in found], _cursor(lane, None)
        query = partial(_query, lane, wanted["import_id"], limit=limit - len(found))
        rows, following = storage.page(query, key)
        found, key = found + rows, None
        if following:
            return [show(row) for row in found], _cursor(lane, following)
        if len(found) >= limit and number + 1 < len(lanes):
            return [show(row) for row in found], _cursor(lanes[number + 1], None)
    return [show(row) for row in found], None


def read_all(wanted: dict[str, str | None]) -> Iterator[ProspectItem]:
    """All of them; without those who are erased, whom the index may still have for moments."""
    for lane in _lanes(wanted):
        rows = iter(_query(lane, wanted["import_id"]))
        while some := list(islice(rows, _CHECKED)):
            keys = {(row.code, row.prospect_id) for row in some}
            now = ProspectItem.batch_get(keys, consistent_read=True)
            there = {row.prospect_id for row in now if row.status != rules.ERASED}
            yield from (row for row in some if row.prospect_id in there)


def _query(lane: str, import_id: str | None, **rest: Any) -> Any:
    """A lane's prospects. Work to do lies in the order of imports; the rest is sifted."""
    if import_id is None:
        return ProspectItem.lanes.query(lane, **rest)
    if lane.endswith(f"#{rules.TO_ADD}"):
        return ProspectItem.lanes.query(lane, ProspectItem.rank.startswith(f"{import_id}#"), **rest)
    return ProspectItem.lanes.query(lane, filter_condition=ProspectItem.import_id == import_id, **rest)


def _lanes(wanted: dict[str, str | None]) -> list[str]:
    """The lanes in which there may be any: those of the import's own figures, else of all guides."""
    statuses = [wanted["status"]] if wanted["status"] else list(rules.STATUSES)
    if wrong := [status for status in statuses if status not in rules.STATUSES]:
        raise Invalid(("status", f"{len(wrong[0])} characters that are no status"))
    if wanted["import_id"]:
        rows = imports.report(wanted["import_id"])["by_staff"]
        known = {row["staff_id"]: row for row in rows}
        staff_ids = [wanted["staff_id"]] if wanted["staff_id"] else list(known)
        return [f"{s}#{status}" for s in staff_ids for status in statuses if known.get(s, {}).get(status)]
    staff_ids = [wanted["staff_id"]] if wanted["staff_id"] else [*brand_settings.guides(), rules.NOBODY]
    return [f"{staff_id}#{status}" for staff_id in staff_ids for status in statuses]


def _cursor(lane: str, key: str | None) -> str:
    return urlsafe_b64encode(json.dumps([lane, key]).encode()).decode()


def _place(cursor: str | None, lanes: list[str]) -> tuple[int, str | None]:
    if not cursor:
        return 0, None
    try:
        lane, key = json.loads(urlsafe_b64decode(cursor))
        return lanes.index(lane), key
    except (ValueError, TypeError) as error:
        raise Invalid(("cursor", "not a cursor that was given out")) from error
