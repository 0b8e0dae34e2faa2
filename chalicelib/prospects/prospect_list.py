"""Prospects as lists show them: lane by lane (status and guide), numbers masked."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

from chalicelib.platform import audit, clock, ids, lists, timeline
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line, TimelineItem
from chalicelib.prospects import brand_settings, import_figures, models, rules, status_changes
from chalicelib.prospects.models import ProspectItem
from chalicelib.prospects.types import ExportFilter, Prospect, ProspectEvent, ProspectsQuery
from chalicelib.stores import service as stores

_LANES_A_READ = 5  # of at most 20 reads of one page
_CHECKED = 100  # DynamoDB: items in one batch
_TEXTS = ("name", "note", "external_id")
_ATTRIBUTES = (
    *("prospect_id", "code", "status", "staff_id", "store_id", "import_id", "created_at", "changed_at"),
    *("asked_at", "added_at", "matched_by", "external_userid"),
)


def show(item: ProspectItem, principal: Principal = SYSTEM) -> Prospect:
    """The number masked, also where a name or a note has one; for an auditor whatever is personal."""
    person = models.person(item)
    values: dict[str, Any] = {name: getattr(item, name) for name in _ATTRIBUTES}
    texts = {name: rules.hidden(person.get(name, "")) for name in _TEXTS}
    if principal.role == "auditor":
        texts = {name: text and audit.MASK for name, text in texts.items()}
        values["external_userid"] = item.external_userid and audit.MASK
    return Prospect(
        phone=rules.masked(person["phone"]) if "phone" in person else None,
        remark=rules.remark(texts["name"], item.code),
        **values | texts,
    )


def get(prospect_id: str, principal: Principal) -> Prospect:
    """NotFound."""
    return show(status_changes.find(prospect_id, principal), principal)


def reveal_number(prospect_id: str, principal: Principal) -> str:
    """The whole number; who saw it is in the prospect's timeline and in the audit. NotFound."""
    item = status_changes.find(prospect_id, principal)
    by = {"by": principal.name}
    tx = Transaction()
    timeline.add(tx, Line(f"prospect#{prospect_id}", "prospect_revealed", clock.now(), ids.short(), by))
    audit.add(tx, "phones.reveal", prospect_id, None, None)
    tx.commit()
    return models.person(item)["phone"]


def history(prospect_id: str, paging: Paging, principal: Principal) -> Page[ProspectEvent]:
    """What became of a prospect, newest first; its beginning is its import. NotFound."""
    item = models.find(prospect_id)
    if item is None or not status_changes.is_in_scope(item, principal):
        raise NotFound(code="no_prospect")
    query = partial(TimelineItem.query, f"prospect#{prospect_id}", scan_index_forward=False)
    is_masked = principal.role == "auditor"

    def event(row: TimelineItem) -> ProspectEvent:
        data = {k: audit.MASK if is_masked and k in audit.MASKED else v for k, v in row.data.items()}
        return ProspectEvent(type=row.type, at=row.at, data=data)

    return lists.history(query, paging).map(event)


def page(query: ProspectsQuery, principal: Principal = SYSTEM) -> Page[Prospect]:
    """Prospects of the scope by status, guide and import. Invalid, NotFound.

    In the order of the statuses, within each by guide, the newest first. There is a partition for each, of
    which one request asks a hundred at most, so that a page may be short.
    """
    wanted = ExportFilter(status=query.status, staff_id=query.staff_id, import_id=query.import_id)
    read = partial(_Lanes, _lanes(wanted, principal), wanted.import_id)
    return lists.history(read, query).map(lambda item: show(item, principal))


def read_all(wanted: ExportFilter, principal: Principal) -> Iterator[ProspectItem]:
    """All of the scope; without those who are erased, whom the index may still have for moments."""
    for lane in _lanes(wanted, principal):
        rows = iter(_query(lane, wanted.import_id))
        while batch := list(islice(rows, _CHECKED)):
            keys = {(row.code, row.prospect_id) for row in batch}
            current = ProspectItem.batch_get(keys, consistent_read=True)
            there = {row.prospect_id for row in current if row.status != rules.ERASED}
            yield from (row for row in batch if row.prospect_id in there)


class _Lanes:
    """Lanes one after another, read as one query: where it ended is in `last_evaluated_key`."""

    def __init__(
        self,
        lanes: list[str],
        import_id: str | None,
        *,
        limit: int,
        last_evaluated_key: Mapping[str, Any] | None,
    ):
        self._import_id, self._limit = import_id, limit
        self._key = last_evaluated_key
        self.last_evaluated_key: Mapping[str, Any] | None = None
        self._lanes = lanes if self._key is None else [n for n in lanes if _order(n) >= _order(self._first)]

    @property
    def _first(self) -> str:
        try:
            return str((self._key or {})["lane"]["S"])
        except KeyError as error:
            raise Invalid(issue("cursor", "cursor")) from error

    def __iter__(self) -> Iterator[ProspectItem]:
        left = self._limit
        for number, lane in enumerate(self._lanes):
            if number == _LANES_A_READ or not left:
                self.last_evaluated_key = {"lane": {"S": lane}}
                return
            goes_on = self._key is not None and len(self._key) > 1 and lane == self._first
            rows = _query(
                lane,
                self._import_id,
                limit=left,
                last_evaluated_key=self._key if goes_on else None,
                scan_index_forward=False,
            )
            for row in rows:
                yield row
                left -= 1
            if rows.last_evaluated_key:
                self.last_evaluated_key = rows.last_evaluated_key
                return


def _query(lane: str, import_id: str | None, **options: Any) -> Any:
    """A lane's prospects. Work to do lies in the order of imports; the rest is filtered."""
    if import_id is None:
        return ProspectItem.lanes.query(lane, **options)
    if lane.endswith(f"#{rules.TO_ADD}"):
        return ProspectItem.lanes.query(lane, ProspectItem.rank.startswith(f"{import_id}#"), **options)
    return ProspectItem.lanes.query(lane, filter_condition=ProspectItem.import_id == import_id, **options)


def _lanes(wanted: ExportFilter, principal: Principal) -> list[str]:
    """The scope's lanes in which there may be any: those of the import's own figures, else of all guides."""
    statuses = [wanted.status] if wanted.status else list(rules.STATUSES)
    if wanted.import_id:
        counts = {row.staff_id: row for row in import_figures.report(wanted.import_id, principal).by_staff}
        lanes = [f"{name}#{s}" for name, row in counts.items() for s in statuses if getattr(row, s)]
        return sorted((n for n in lanes if wanted.staff_id in (None, _order(n)[1])), key=_order)
    guides = stores.guides_in_scope(principal)
    staff_ids = [wanted.staff_id] if wanted.staff_id else [*brand_settings.guides(), rules.NOBODY]
    seen = (staff_id for staff_id in staff_ids if guides is None or staff_id in guides)
    return sorted((f"{staff_id}#{status}" for staff_id in seen for status in statuses), key=_order)


def _order(lane: str) -> tuple[int, str]:
    """A lane's place among the others. Invalid for what is none."""
    staff_id, _, status = lane.rpartition("#")
    if status not in rules.STATUSES:
        raise Invalid(issue("cursor", "cursor"))
    return rules.STATUSES.index(status), staff_id
