"""Many stores at once: an import's rows, and the whole map made anew.

An import says first whose rows it is about to write, and where they were. Cut in half, it is found by
a timer and finished: the rows as they are by then go into the map.
"""

import time
from collections.abc import Collection, Mapping
from datetime import timedelta

from chalicelib.platform import audit, clock, due, ids, jobs, storage
from chalicelib.platform.storage import Transaction
from chalicelib.stores import cells, map_bytes, maps, rules
from chalicelib.stores.models import IMPORTS, MapItem, StoreItem
from chalicelib.stores.types import Place

KIND = "store_map"  # of work: an import to finish (import_id), a map to make anew (job_id)
_FINISH_AFTER = timedelta(minutes=2)  # longer than any API call
_ATTEMPTS = 20
_AT_ONCE = 1000  # stores that one attempt to fold looks at
_REBUILDS = 5

Was = Mapping[str, set[int]]


def begin(was: Was) -> str:
    """Make known whose rows are about to be written, and where they were: an import_id."""
    import_id, now = ids.ulid(clock.now()), clock.now()
    MapItem(IMPORTS, import_id, places=map_bytes.pack_was(was)).save()
    due.put(KIND, now + _FINISH_AFTER, import_id, {"kind": KIND, "import_id": import_id})
    return import_id


def end(import_id: str, version: int | None, was: Was, places: Mapping[str, Place]) -> None:
    """Bring the stores whose rows were written into the map.

    version: the map's, from before it was read where they were. None: not known. While it is still that,
    they stand where they were; else others may have moved them, and the map itself is asked.
    """
    left = sorted(places, key=lambda key: cells.deepest(cells.position(places[key])))
    left += [key for key in was if key not in places]
    failed = 0
    while left:
        now, part = maps.view(), left[:_AT_ONCE]
        known: Mapping[str, Collection[int]] = was
        try:
            if now.version != version:
                mapped = maps.spots(now, set(part))
                known = {key: {*was.get(key, ()), *mapped.get(key, ())} for key in part}
            stale = [key for key in part if now.version != version or key in now.changes]
            places = {key: places[key] for key in places.keys() - set(stale)} | present(stale)
            done = maps.fold(now, {key: (known.get(key, ()), places.get(key)) for key in part})
        except maps.Moved:
            done = None
        if done is None:
            failed += 1
            if failed > _ATTEMPTS:
                raise storage.Busy("the map of the stores is being changed by others")
            time.sleep(0.01 * failed)
            continue
        left, version, failed = left[done:], now.version + 1, 0
    MapItem(IMPORTS, import_id).delete()


def work(import_id: str | None = None, job_id: str | None = None) -> None:
    """The work of kind `store_map`: finish an import, or make the whole map anew."""
    if import_id:
        finish(import_id)
    elif job_id:
        rebuild(job_id)


def finish(import_id: str) -> None:
    """Finish an import that was cut in half. Nothing when it was not."""
    row = MapItem.find(IMPORTS, import_id)
    if row is not None:
        was = map_bytes.unpack_was(row.places)
        end(import_id, None, was, present(list(was)))


def present(store_ids: list[str]) -> dict[str, Place]:
    """Stores as their rows are at this moment."""
    rows = StoreItem.batch_get(store_ids, consistent_read=True) if store_ids else ()
    return {row.store_id: rules.place(row.store()) for row in rows}


def start_rebuild() -> str:
    """Ask for the whole map to be made anew from the stores' rows: the job's id."""
    tx, job_id = Transaction(), f"job_{ids.short(16)}"
    audit.add(tx, "stores.rebuild", job_id, None, {"kind": KIND})
    tx.commit()  # before the job: a rebuild that nobody sees started changes no store
    return jobs.start("stores_rebuild", 0, job_id=job_id, first=("assign", {"kind": KIND}))


def rebuild(job_id: str) -> None:
    """Make the whole map anew. Changes beside it stay: they are taken in later, as ever."""
    for _ in range(_REBUILDS):
        now = maps.view()
        places = [rules.place(row.store()) for row in StoreItem.scan(consistent_read=True)]
        parts = cells.cut(cells.EARTH, places)
        tx = Transaction()
        written = {cell: _write_cell(cell, inside) for cell, inside in parts.items()}
        maps.add_head(tx, now.version, written)
        try:
            tx.commit()
        except storage.ConditionFailed:
            _delete_cells(written)
            continue
        _delete_cells(now.cells)
        jobs.update(job_id, status="finished", done=len(places), total=len(places))
        return
    jobs.update(job_id, status="failed", error="stores were changed all the while: try again")


def _write_cell(cell: int, places: list[Place]) -> map_bytes.Cell:
    if not places:
        return map_bytes.Cell(0, 0)
    made, item = maps.cell_item(cell, places)
    item.save()
    return made


def _delete_cells(cells_there: Mapping[int, map_bytes.Cell]) -> None:
    with MapItem.batch_write() as batch:
        for cell, known in cells_there.items():
            if known.stores:
                batch.delete(maps.cell_key(cell, known))
