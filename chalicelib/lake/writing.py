"""Writing the lake: what changed in some seconds as one file, and the base anew when changes grow."""

from collections.abc import Sequence

from chalicelib.facts.types import Change
from chalicelib.lake import files, rows
from chalicelib.lake.engine import Lake, current, write
from chalicelib.lake.files import Manifest
from chalicelib.platform import clock, ids, log, queues

COMPACT_AT = 50  # files of changes that a reader has to open beside the base


def take(lake: Lake, changes: Sequence[Change]) -> None:
    """Store what changed, and have the base made anew when it is time."""
    write_changes(lake, changes)
    if len(files.changes()) >= COMPACT_AT:
        queues.send("lake", {"kind": "lake_compact"})


def write_changes(lake: Lake, changes: Sequence[Change]) -> str:
    """Store the changes; twice is once, since of a customer the greatest version counts. → their name."""
    name = ids.ulid(clock.now())
    # The facts come last: a reader takes a change for whole once they are there.
    acts = [row for change in changes for row in rows.dated_rows(change)]
    write(lake.base, _select(lake, acts, rows.DATED_COLUMNS), files.dated_of(name), lake.folder)
    people = [rows.facts_row(change) for change in changes]
    write(lake.base, _select(lake, people, rows.FACTS_COLUMNS), files.facts_of(name), lake.folder)
    return name


def compact(lake: Lake) -> Manifest:
    """A new base with all changes that are there. Killed anywhere, or two at a time: one base counts."""
    lake.refresh()
    before = lake.manifest or Manifest()
    files.delete_changes([name for name in before.merged if name in lake.listed])
    if not lake.changes:
        return before
    shards = [int(row[0]) for row in lake.ask("SELECT DISTINCT shard FROM facts ORDER BY 1")]
    manifest = Manifest(
        tag=before.tag,
        generation=ids.ulid(clock.now()),
        shards=tuple(shards),
        merged=tuple(lake.changes),
    )
    for shard in shards:
        for view, key in (("facts", manifest.facts(shard)), ("dated", manifest.dated(shard))):
            write(lake.base, f"SELECT * FROM {view} WHERE shard = {shard}", key, lake.folder)
    if not files.write_manifest(manifest):
        log.logger.info("another base was made meanwhile", extra={"generation": manifest.generation})
        return before
    files.delete_changes(lake.changes)
    files.delete_bases({before.generation, manifest.generation})  # who reads has the one before
    return manifest


def compact_current() -> None:
    """Work: the base anew."""
    compact(current())


def _select(lake: Lake, values: Sequence[dict[str, object]], columns: dict[str, str]) -> str:
    path = lake.folder / "in.ndjson"
    path.write_bytes(rows.as_lines(values))
    kinds = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    return f"SELECT * FROM read_json('{path}', format = 'newline_delimited', columns = {{{kinds}}})"
