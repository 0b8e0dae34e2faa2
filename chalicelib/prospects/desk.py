"""One prospect: moved from status to status, shown, erased; many: listed, exported."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from chalicelib.platform import clock, files, ids, jobs, queues, storage, timeline
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import Busy, ConditionFailed, Transaction
from chalicelib.platform.timeline import Line
from chalicelib.prospects import imports, models, options, phones, rules
from chalicelib.prospects.models import ExportItem, FigureItem, ProspectItem

_TRIES = 6
_LANES_A_PAGE = 60  # queries in one request, at most
_CHECKED = 100  # DynamoDB: items in one batch
_EXPORTS = "exports"
_KEEP_EXPORTS = timedelta(days=30)  # as the files
_EXPORTED = (
    *("prospect_id", "status", "phone", "name", "note", "external_id", "staff_id", "store_id", "import_id"),
    *("code", "created_at", "asked_at", "added_at", "matched_by", "external_userid"),
)


def find(prospect_id: str) -> ProspectItem:
    """NotFound, also for who was erased."""
    item = models.find(prospect_id) if prospect_id else None
    if item is None or item.status == rules.ERASED:
        raise NotFound("there is no such prospect")
    return item


def change(prospect_id: str, status: str, by: str, of_staff: str | None = None) -> ProspectItem:
    """A guide or an operator says what became of a prospect. The same again changes nothing.

    of_staff: the guide who says so; it must be their task. NotFound, Conflict.
    """
    for item in _attempts(prospect_id):
        if of_staff is not None and item.staff_id != of_staff:
            raise NotFound("there is no such task")
        if item.status == status:
            return item
        if not rules.may(item.status, status):
            raise Conflict(f"a prospect that is {item.status} can't become {status}")
        now, tx = clock.now(), Transaction()
        if status == rules.ASKED:
            item.asked_at = clock.iso(now)
        move(tx, item, status, now, {"by": by})
        if committed(tx):
            return item
    raise AssertionError("unreachable")


def move(
    tx: Transaction,
    item: ProspectItem,
    after: str,
    at: datetime,
    told: dict[str, Any],
    staff_id: str | None = None,
    seconds: int = 0,
) -> None:
    """Add a prospect's next state to a transaction: the item, its figures, its line."""
    before, from_staff, version = item.status, str(item.staff_id), int(item.version)
    to_staff = staff_id or from_staff
    models.placed(item, to_staff, after, clock.iso(at))
    item.version = version + 1
    tx.put("prospect", item, ProspectItem.version == version)
    _count(tx, item, (from_staff, before), (to_staff, after), at, seconds)
    data = {"status": after, "before": before, "staff_id": to_staff, "import_id": item.import_id, **told}
    line = Line(f"prospect#{item.prospect_id}", "prospect_changed", at, f"v{version + 1}", data)
    timeline.add(tx, line)


def _count(
    tx: Transaction,
    item: ProspectItem,
    before: tuple[str, str],
    after: tuple[str, str],
    at: datetime,
    seconds: int,
) -> None:
    moved: dict[str, list[Any]] = {}
    for (staff_id, status), number in ((before, -1), (after, 1)):
        moved.setdefault(staff_id, []).append(getattr(FigureItem, status).add(number))
    for number, (staff_id, actions) in enumerate(moved.items()):
        tx.update(f"figure:{number}", FigureItem(item.import_id, f"staff#{staff_id}"), actions)
    if before[1] != after[1]:
        day = [getattr(FigureItem, after[1]).add(1)]
        day += [FigureItem.seconds.add(seconds)] if seconds else []
        tx.update("figure:day", FigureItem(item.import_id, f"day#{options.day_of(at)}"), day)


def erase(prospect_id: str, by: str, unheard: bool = False) -> None:
    """Nothing of the person stays but the keyed hash of the number: who asked not to be contacted.

    unheard: put down a number that was never here, too; else it is NotFound. Repeats change nothing.
    """
    for _ in range(_TRIES):
        item = models.find(prospect_id)
        if item is None and not unheard:
            raise NotFound("there is no such prospect")
        if item is not None and item.status == rules.ERASED:
            _forget(prospect_id)  # whoever erased it may have died before that
            return
        now, tx = clock.now(), Transaction()
        gone = ProspectItem(models.code_of(prospect_id), prospect_id, status=rules.ERASED, version=1)
        gone.changed_at = clock.iso(now)
        if item is None:
            tx.put("prospect", gone, ProspectItem.prospect_id.does_not_exist())
        else:
            gone.version, gone.import_id = int(item.version) + 1, item.import_id
            tx.put("prospect", gone, ProspectItem.version == item.version)
            figure = FigureItem(item.import_id, f"staff#{item.staff_id}")
            tx.update("figure", figure, [getattr(FigureItem, item.status).add(-1)])
            day = FigureItem(item.import_id, f"day#{options.day_of(now)}")
            tx.update("figure:day", day, [FigureItem.erased.add(1)])
        line = Line(f"prospect#{prospect_id}", "prospect_erased", now, f"v{gone.version}", {"by": by})
        timeline.add(tx, line)
        if committed(tx):
            _forget(prospect_id)
            return
    raise Busy("others keep changing this prospect")


def _forget(prospect_id: str) -> None:
    """What is of an erased person elsewhere: the links, and the files of exports, all of them."""
    _unlink(prospect_id)
    for export in ExportItem.query(_EXPORTS, consistent_read=True):
        storage.update_if(export, [ExportItem.stale.set(True)])  # one that is being written begins anew
        files.delete(_export_key(export.part))
        storage.delete_if(export, ExportItem.stale.exists())


def _unlink(prospect_id: str) -> None:
    """Forget whose number it was. From now on nobody links it any more."""
    for behind in models.links(prospect_id):
        unionid = behind.prospect_id.partition("#")[2]
        for place in models.link(prospect_id, unionid):  # the one by which they are found goes last
            storage.delete_if(place)


def erase_number(phone: str, country: str, by: str) -> str:
    """Erase by the number itself → its prospect_id. Invalid."""
    try:
        prospect_id = models.id_of(phones.normalised(phone, country))
    except phones.BadPhone as error:
        raise Invalid(("phone", str(error))) from error
    erase(prospect_id, by, unheard=True)
    return prospect_id


def shown(item: ProspectItem) -> dict[str, Any]:
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


def number_of(prospect_id: str, by: str) -> str:
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
            return [shown(row) for row in found], _cursor(lane, None)
        query = partial(_query, lane, wanted["import_id"], limit=limit - len(found))
        rows, following = storage.page(query, key)
        found, key = found + rows, None
        if following:
            return [shown(row) for row in found], _cursor(lane, following)
        if len(found) >= limit and number + 1 < len(lanes):
            return [shown(row) for row in found], _cursor(lanes[number + 1], None)
    return [shown(row) for row in found], None


def everything(wanted: dict[str, str | None]) -> Iterator[ProspectItem]:
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
    staff_ids = [wanted["staff_id"]] if wanted["staff_id"] else [*options.guides(), rules.NOBODY]
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


def export(wanted: dict[str, str | None]) -> dict[str, Any]:
    """Begin an export as CSV (numbers masked) → its job. NotFound."""
    if wanted["import_id"]:
        imports.find(wanted["import_id"])
    job_id = jobs.start("prospect_export", 0)
    queues.send("prospect", {"kind": "export", "job_id": job_id, **wanted})
    return jobs.get(job_id)


def write_export(job_id: str, wanted: dict[str, str | None]) -> None:
    """Write the file of an export. A repeat writes it again. Busy when people are erased all the time."""
    named = {"result_key": _export_key(job_id), "result_name": "prospects.csv"}
    for _ in range(_TRIES):
        expires = int((clock.now() + _KEEP_EXPORTS).timestamp())
        ExportItem(_EXPORTS, job_id, expires_at=expires).save()
        done = _write(named["result_key"], wanted)
        begun = ExportItem.find(_EXPORTS, job_id)
        if begun is not None and not begun.stale:
            jobs.update(job_id, status="finished", done=done, total=done, **named)
            return
    files.delete(named["result_key"])
    raise Busy("people are being erased")


def _write(key: str, wanted: dict[str, str | None]) -> int:
    done = 0
    with files.Upload(key, "text/csv; charset=utf-8") as out:
        out.write("\ufeff".encode() + imports.csv_line(_EXPORTED))
        for item in everything(wanted):
            row = shown(item)
            out.write(imports.csv_line([row[name] or "" for name in _EXPORTED]))
            done += 1
    return done


def _export_key(job_id: str) -> str:
    return f"results/prospect-exports/{job_id}.csv"


def attempts(prospect_id: str) -> Iterator[ProspectItem | None]:
    """The prospect as stored, anew for each attempt at writing it. Busy when all have failed."""
    for _ in range(_TRIES):
        yield models.find(prospect_id)
    raise Busy("others keep changing this prospect")


def _attempts(prospect_id: str) -> Iterator[ProspectItem]:
    for item in attempts(prospect_id):
        if item is None or item.status == rules.ERASED:
            raise NotFound("there is no such prospect")
        yield item


def committed(tx: Transaction) -> bool:
    """False when somebody else was first with one of the items: look again."""
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True
