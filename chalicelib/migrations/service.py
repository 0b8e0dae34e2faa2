"""Migrations: jobs that bring every stored item of a table into the shape of this version.

A capability declares its own in `migrations.py`: `MIGRATIONS: list[Migration]`. One may be run again at any
time, beside the traffic and beside itself. The scan is a chain of messages, each of which reads pages until
its invocation's time is nearly over; of a message that comes twice the two chains do the same work.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

from chalicelib.migrations.types import Migration
from chalicelib.platform import audit, declared, ids, jobs, queues, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Transaction

_PAGE = 200  # items
_THREADS = 8
_ENOUGH_MS = 30_000  # for a page whose writes are throttled


def start(name: str) -> str:
    """Run a migration: its job. NotFound, Upstream."""
    find(name)
    job_id = f"job_{ids.short(16)}"
    tx = Transaction()
    audit.add(tx, "migrations.run", name, None, {"job_id": job_id})
    tx.commit()
    first = _message(name, None, 0, f"migration {name}")
    return jobs.start(f"migration {name}", 0, job_id=job_id, first=("migrate", first))


def find(name: str) -> Migration:
    """The migration of that name. NotFound."""
    for migration in chain.from_iterable(declared.find("migrations", "MIGRATIONS")):
        if migration.name == name:
            return migration  # type: ignore[no-any-return]
    raise NotFound(code="no_migration", name=name)


def run(name: str, cursor: str | None, done: int, job_id: str, milliseconds_left: Callable[[], int]) -> None:
    """Change what lies behind the cursor, page by page; `done`: how many items lie before it."""
    migration = find(name)
    model: Any = declared.resolve(migration.items)
    change = declared.resolve(migration.change)
    with ThreadPoolExecutor(_THREADS) as pool:
        while True:
            items, cursor = storage.page(partial(model.scan, limit=_PAGE), cursor)
            list(pool.map(change, items))
            done += len(items)
            jobs.raise_done(job_id, done)
            if cursor is None:
                jobs.update(job_id, status="finished", done=done, total=done)
                return
            if milliseconds_left() < _ENOUGH_MS:
                rest = _message(name, cursor, done, f"the rest of migration {name}")
                queues.send("migrate", {**rest, "job_id": job_id})
                return


def _message(name: str, cursor: str | None, done: int, what: str) -> dict[str, Any]:
    return {"kind": "migrate", "name": name, "cursor": cursor, "done": done, "what": what}
