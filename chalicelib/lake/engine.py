"""DuckDB over the lake's files: brought to /tmp, kept there while the process is warm, asked in SQL."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from chalicelib.lake import files, rows
from chalicelib.platform import clock, ids, queues
from chalicelib.platform import files as stored
from chalicelib.platform.errors import NotFound

_ATTEMPTS = 3
_WAITING = ("facts", "lakewrite")  # queues of what is on its way here
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "400MB",
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Lake:
    """Everybody's facts as of the files that were there at `refresh`: the views `facts` and `dated`.

    as_of: all that had happened until then is in them, but for what the stream has not handed on yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.base = duckdb.connect(config=_SETTINGS | {"temp_directory": str(folder / "spill")})
        self.changes: list[str] = []
        self.listed: list[str] = []
        self.manifest: files.Manifest | None = None
        self.as_of = clock.now()

    def refresh(self) -> None:
        """Bring in what is new; again when a base took in and deleted what was listed. NotFound."""
        # Asked before the files are listed: what comes into a queue meanwhile is younger than now.
        now, waits = clock.now(), any(queues.count(queue) for queue in _WAITING)
        self._refresh_files()
        self.as_of = self._newest() if waits else now

    def _newest(self) -> datetime:
        """When the newest of its files was written."""
        names = [*self.changes, *(m.generation for m in [self.manifest] if m and m.generation)]
        return max((ids.ulid_time(name) for name in names), default=_NEVER)

    def _refresh_files(self) -> None:
        for _ in range(_ATTEMPTS - 1):
            try:
                self._refresh()
            except NotFound:
                continue
            return
        self._refresh()

    def _refresh(self) -> None:
        self.listed = files.changes()  # before the manifest is read (files.py)
        manifest = files.read_manifest()
        newer = [name for name in self.listed if name not in manifest.merged]
        if (manifest, newer) == (self.manifest, self.changes):
            return
        if manifest != self.manifest:
            self._forget()
        self._make_views(manifest, newer)
        self.manifest, self.changes = manifest, newer

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self.base.execute(sql, values).fetchall()

    def file(self, key: str) -> str:
        """A stored Parquet file as a table of a query. NotFound."""
        return f"read_parquet('{self._fetch(key)}')"

    def _make_views(self, manifest: files.Manifest, changes: Sequence[str]) -> None:
        facts = self._read([manifest.facts(n) for n in manifest.shards], rows.FACTS_COLUMNS)
        dated = self._read([manifest.dated(n) for n in manifest.shards], rows.DATED_COLUMNS)
        changed = self._read([files.facts_of(name) for name in changes], rows.FACTS_COLUMNS)
        acts = self._read([files.dated_of(name) for name in changes], rows.DATED_COLUMNS)
        newest = "QUALIFY row_number() OVER (PARTITION BY external_userid ORDER BY version DESC) = 1"
        for statement in (
            f"""CREATE OR REPLACE TABLE changed AS SELECT * REPLACE
                (row_number() OVER () + (SELECT coalesce(max(number), 0) FROM {facts}) AS number)
                FROM (SELECT * FROM {changed} {newest}) c WHERE NOT EXISTS
                (SELECT 1 FROM {facts} b
                    WHERE b.external_userid = c.external_userid AND b.version >= c.version)""",
            f"""CREATE OR REPLACE TABLE changed_dated AS
                SELECT DISTINCT a.* REPLACE (c.number AS number) FROM {acts} a
                JOIN changed c USING (external_userid, version)""",
            f"""CREATE OR REPLACE TABLE replaced AS
                SELECT number FROM {facts} SEMI JOIN changed USING (external_userid)""",
            f"""CREATE OR REPLACE VIEW facts AS
                SELECT * FROM {facts} b ANTI JOIN replaced r USING (number)
                UNION ALL BY NAME SELECT * FROM changed WHERE NOT gone""",
            f"""CREATE OR REPLACE VIEW dated AS
                SELECT * FROM {dated} b ANTI JOIN replaced r USING (number)
                UNION ALL BY NAME SELECT * FROM changed_dated""",
        ):
            self.base.execute(statement)

    def _read(self, keys: Sequence[str], columns: Mapping[str, str]) -> str:
        """A table of these files, brought here if they are not; of none, an empty one."""
        if not keys:
            nothing = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns.items())
            return f"(SELECT {nothing} WHERE false)"
        paths = ", ".join(f"'{self._fetch(key)}'" for key in keys)
        return f"read_parquet([{paths}])"

    def _fetch(self, key: str) -> Path:
        path = self.folder / key.replace("/", "_")
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                stored.download(key, file)
            part.rename(path)
        return path

    def _forget(self) -> None:
        for path in self.folder.glob("lake_*"):
            path.unlink()


@cache
def current() -> Lake:
    """The process's own. What a process that was killed left here is removed, since Lambda keeps /tmp."""
    place = Path(tempfile.gettempdir())
    for folder in place.glob("lake-*"):
        if not Path(f"/proc/{folder.name.removeprefix('lake-')}").exists():
            shutil.rmtree(folder, ignore_errors=True)
    return Lake(place / f"lake-{os.getpid()}")


def write(base: duckdb.DuckDBPyConnection, select: str, key: str, folder: Path) -> None:
    """Store what a query gives as the Parquet file `key`."""
    path = folder / f"out_{key.replace('/', '_')}"
    base.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    stored.put(key, path.read_bytes())
    path.unlink()
