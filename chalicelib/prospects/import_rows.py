"""Rows become prospects: checked, distinguished from those who are here, spread, and written slice by slice.

A slice is one transaction: its prospects, each under "not there yet", and the import's progress under
its version. So whatever is killed, repeated or run twice at once, a row counts once: either the slice
is there with the progress behind it, or neither is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct, field

from chalicelib.platform import clock, messages, storage
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.platform.userids import fold
from chalicelib.prospects import brand_settings, models, phones, rules, table_columns
from chalicelib.prospects.models import ImportItem, ProgressItem, ProspectItem, ReportItem
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores

SLICE = 95  # rows; with progress and report within a transaction's 100 items
MAX_GUIDES = 5_000  # of one import: the progress names each, in one item
_USERID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_KEEP_REPORTS = timedelta(days=30)
_NONE: Mapping[str, Any] = {}
_COUNTS = ("rows", "new", "duplicates", "do_not_contact", "bad", "reports")


class Incoming(Struct, frozen=True):
    """A row: its line, its fields (`phone`, `name`, …), or the code of why not, and in which field."""

    line: int
    fields: dict[str, str]
    fault: str = ""
    fault_in: str = "row"


class _Candidate(Struct):
    line: int
    prospect_id: str
    fields: dict[str, str]


class _Overtaken(Exception):
    """Somebody else works on this import and is ahead of us."""


class _Outcome(Struct):
    """What becomes of a slice's rows. reports: [line, field, code, masked, params]."""

    candidates: list[_Candidate] = field(default_factory=list)
    reports: list[list[Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTS, 0))

    def refuse(
        self, kind: str, line: int, name: str, code: str, masked: str = "", params: Mapping[str, Any] = _NONE
    ) -> None:
        self.counts[kind] += 1
        self.reports.append([line, name, code, masked, params])


class Intake:
    """One import's way in. `state` and `assigned` are as far as it is written."""

    def __init__(self, job: ImportItem):
        self.job = job
        self.rule = brand_settings.present(brand_settings.rule_of(job.spread))
        self._guides = stores.guides_in_scope(job.principal)
        self._stores: dict[str, tuple[str, ...]] = {}
        self._enlisted: set[str] = set()
        self.look()

    def look(self) -> None:
        """Take up the progress as it is written."""
        item = ProgressItem.find(self.job.import_id, "progress")
        self.version = int(item.version) if item else 0
        self.state: dict[str, Any] = dict(item.state) if item else dict.fromkeys(_COUNTS, 0)
        self.assigned = models.unpack(item.packed) if item else {}

    def take(self, rows: list[Incoming], **reached: Any) -> bool:
        """Write a slice of at most SLICE rows, and how far that is (`end`, `following`).

        False: somebody else works on this import and is ahead of us.
        """
        try:
            self._write(rows, reached)
        except _Overtaken:
            return False
        return True

    @storage.retrying("other imports keep writing the same numbers")
    def _write(self, rows: list[Incoming], reached: dict[str, Any]) -> None:
        """Sorted anew when another import was first with one of the numbers: now they are there."""
        outcome = self._sorted(rows)
        tx, state, assigned = self._transaction(outcome, len(rows), reached)
        try:
            tx.commit()
        except ConditionFailed as error:
            if "progress" in error.names:
                raise _Overtaken from error
            raise
        self.version, self.state, self.assigned = self.version + 1, state, assigned

    def note(self, **values: Any) -> bool:
        """Write something down beside the progress (what kind of file it is)."""
        return self.take([], **values)

    def _sorted(self, rows: list[Incoming]) -> _Outcome:
        outcome = _Outcome()
        mine: dict[str, _Candidate] = {}
        for row in rows:
            if row.fault:
                outcome.refuse("bad", row.line, row.fault_in, row.fault)
                continue
            if damage := table_columns.damage(row.fields):
                outcome.refuse("bad", row.line, *damage)
                continue
            phone = row.fields.get("phone", "")
            try:
                e164 = phones.normalised(phone, self.job.country)
            except phones.BadPhone as error:
                outcome.refuse("bad", row.line, "phone", error.code, rules.masked_text(phone))
                continue
            prospect_id = models.id_of(e164)
            if twin := mine.get(prospect_id):
                at = {"line": twin.line}
                outcome.refuse("duplicates", row.line, "phone", "row_in_line", rules.masked(e164), at)
                continue
            mine[prospect_id] = _Candidate(row.line, prospect_id, {**row.fields, "phone": e164})
        here = self._here(list(mine))
        for candidate in mine.values():
            if (known := here.get(candidate.prospect_id)) is not None:
                self._known(outcome, candidate, known)
            else:
                outcome.candidates.append(candidate)
        return outcome

    def _here(self, prospect_ids: list[str]) -> dict[str, ProspectItem]:
        keys = [(models.code_of(prospect_id), prospect_id) for prospect_id in prospect_ids]
        rows = ProspectItem.batch_get(keys, consistent_read=True) if keys else ()
        return {row.prospect_id: row for row in rows}

    def _known(self, outcome: _Outcome, candidate: _Candidate, known: ProspectItem) -> None:
        shown = rules.masked(candidate.fields["phone"])
        line = candidate.line
        if known.status == rules.ERASED:
            outcome.refuse("do_not_contact", line, "phone", "row_do_not_contact", shown)
        elif known.import_id == self.job.import_id:
            at = {"line": int(known.line)}
            outcome.refuse("duplicates", line, "phone", "row_in_line", shown, at)
        else:
            outcome.refuse("duplicates", line, "phone", "row_of_another_import", shown)

    def _transaction(
        self, outcome: _Outcome, rows: int, reached: dict[str, Any]
    ) -> tuple[Transaction, dict[str, Any], dict[str, int]]:
        now, tx = clock.iso(clock.now()), Transaction()
        number, assigned = int(self.state["new"]), dict(self.assigned)
        for candidate in outcome.candidates:
            staff_id = self._guide(candidate, number)
            wrong = self._wrong(staff_id, assigned)
            if staff_id is None or wrong:
                name = "store_id" if self.rule.kind == "by_store" else "staff_id"
                limit = {"limit": MAX_GUIDES} if wrong == "row_too_many_guides" else _NONE
                outcome.refuse("bad", candidate.line, name, wrong, params=limit)
                continue
            number += 1
            assigned[staff_id] = assigned.get(staff_id, 0) + 1
            item = self._item(candidate, staff_id, now)
            tx.put(candidate.prospect_id, item, ProspectItem.prospect_id.does_not_exist())
        outcome.counts["new"] = number - int(self.state["new"])
        outcome.counts["rows"] = rows
        outcome.counts["reports"] = 1 if outcome.reports else 0
        self._enlist(set(assigned) - set(self.assigned))
        state = {name: int(self.state[name]) + outcome.counts[name] for name in _COUNTS}
        state = {**self.state, **state, **reached}
        progress = ProgressItem(
            self.job.import_id, version=self.version + 1, state=state, packed=models.pack(assigned)
        )
        same = (
            ProgressItem.version == self.version if self.version else ProgressItem.import_id.does_not_exist()
        )
        tx.put("progress", progress, same)
        if outcome.reports:
            part = f"report#{state['reports']:08d}"
            expires = int((clock.now() + _KEEP_REPORTS).timestamp())
            report = sorted(outcome.reports)
            tx.put("report", ReportItem(self.job.import_id, part, rows=report, expires_at=expires))
        return tx, state, assigned

    def _item(self, candidate: _Candidate, staff_id: str, now: str) -> ProspectItem:
        kept = ("phone", "name", "note", "external_id")
        item = ProspectItem(
            models.code_of(candidate.prospect_id),
            candidate.prospect_id,
            version=1,
            import_id=self.job.import_id,
            line=candidate.line,
            store_id=candidate.fields.get("store_id") or None,
            sealed=models.sealed(
                candidate.prospect_id, {name: candidate.fields.get(name, "") for name in kept}
            ),
            created_at=now,
        )
        models.placed(item, staff_id, rules.TO_ADD, now)
        return item

    def _guide(self, candidate: _Candidate, number: int) -> str | None:
        named = fold(candidate.fields.get("staff_id", ""))
        store_id = candidate.fields.get("store_id", "")
        of_store = self._staff_of(store_id) if self.rule.kind == "by_store" and store_id else ()
        guide = rules.guide_of(self.rule, number, named, of_store)
        return staff.current_id(guide) if guide else None

    def _wrong(self, staff_id: str | None, assigned: Mapping[str, int]) -> str:
        """The code of why that can't be a prospect's guide: another column may be taken for the guides'."""
        if staff_id is None:
            return "row_no_guide"
        if not _USERID.fullmatch(staff_id):
            return "row_no_userid"
        if staff_id not in assigned and len(assigned) >= MAX_GUIDES:
            return "row_too_many_guides"
        if self._guides is not None and staff_id not in self._guides:
            return "row_guide_outside_scope"
        return ""

    def _staff_of(self, store_id: str) -> tuple[str, ...]:
        if store_id not in self._stores:
            store = stores.find(store_id)
            self._stores[store_id] = tuple(store.staff_ids) if store else ()
        return self._stores[store_id]

    def _enlist(self, staff_ids: set[str]) -> None:
        """Before their prospects are there: a guide without tasks costs nothing, one unknown loses them."""
        brand_settings.enlist(staff_ids - self._enlisted)
        self._enlisted |= staff_ids


def reports(item: ImportItem) -> Iterator[tuple[int, str, str, str, str]]:
    """What was wrong with an import's rows: (line, field, code, message in its language, masked), by line."""
    for part in ReportItem.query(item.import_id, ReportItem.part.startswith("report#")):
        for line, field_name, code, masked, *params in part.rows:
            text = (
                messages.text(code, item.report_language, *params) if params else code
            )  # an older version's words
            yield line, field_name, code, text, masked


def sliced(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Slices of SLICE."""
    held: list[Any] = []
    for row in rows:
        held.append(row)
        if len(held) == SLICE:
            yield held
            held = []
    if held:
        yield held
