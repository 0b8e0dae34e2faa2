"""The lake at 10,000, 100,000 and 1,000,000 customers: a preview's time cold and warm, memory, bytes, requests.

Customers are made by DuckDB (two dated facts each) and stand in files as a base does, in a folder that plays
S3: so `cold` is a new process that reads 16 files of a disk, and S3 adds its own time for them. One thread,
400 MB, as in the function. `changes`: with the 49 files, of 2,000 customers each, that 100 events a second
leave between two compactions. Prints `name value unit`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import duckdb

from chalicelib.lake import files, rows, rule_query

SIZES = (10_000, 100_000, 1_000_000)
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
RULE = {
    "all": [
        {"tag": {"any": ["channel/c1", "channel/c2"]}},
        {"added_at": {"within": "P365D"}},
        {"orders": {"gte": 1, "within": "P365D"}},
        {"paid_fen": {"gte": 10000}},
        {"channel": {"not_in": ["ch1", "ch2"]}},
    ]
}
DAY = 86_400_000_000
PERSON = f"""'wm' || md5(i::VARCHAR) AS external_userid, {{version}}::BIGINT AS version,
    {{number}} AS number, (i % {rows.SHARDS})::UTINYINT AS shard"""
FACTS = f"""SELECT {PERSON}, false AS gone,
    list_sort(['channel/c' || (hash(i) % 20), 'level/l' || (hash(i + 1) % 5), 'likes/t' || (hash(i + 2) % 200)])
        AS tags,
    ['guide' || (hash(i + 3) % 3000)] AS staff_ids,
    CASE WHEN hash(i + 4) % 5 = 0 THEN ['wr' || (hash(i + 5) % 900)] ELSE []::VARCHAR[] END AS "groups",
    []::VARCHAR[] AS sop_ids, []::VARCHAR[] AS campaign_ids, ['unionid'] AS has,
    'ch' || (hash(i + 6) % 20) AS channel, 'lc' || (hash(i + 7) % 300) AS live_code_id,
    chr((65 + hash(i + 8) % 8)::INT) AS rfm, NULL::VARCHAR AS "level",
    CASE hash(i + 9) % 2 WHEN 0 THEN 'male' ELSE 'female' END AS gender,
    {{now}} - (hash(i + 10) % 700)::BIGINT * {DAY} AS added_at, NULL::BIGINT AS lost_at,
    NULL::BIGINT AS first_order_at, {{now}} - (hash(i + 12) % 300)::BIGINT * {DAY} AS last_order_at,
    NULL::BIGINT AS last_opened_at, 1::BIGINT AS orders, (hash(i + 14) % 200000)::BIGINT AS paid_fen,
    0::BIGINT AS refunded_fen, 0::BIGINT AS score, 0::BIGINT AS points, 0::BIGINT AS invited,
    (hash(i + 16) % 12 * 100 + 101)::INT AS birth_day, NULL::INT AS born_on
    FROM range({{first}}, {{end}}) people(i)"""
DATED = f"""SELECT {PERSON}, unnest(['order', 'bought']) AS kind,
    {{now}} - (hash(i + 12) % 700)::BIGINT * {DAY} AS happened_at,
    unnest(['M' || i, 'SKU' || (hash(i) % 500)]) AS what,
    unnest([(hash(i + 14) % 20000)::BIGINT, 1]) AS amount FROM range({{first}}, {{end}}) people(i)"""


def make(folder: Path, size: int, changes: int) -> None:
    """A base of `size` customers, and files of changes."""
    base = duckdb.connect()
    now = rule_query.microseconds(NOW)
    manifest = files.Manifest(generation="01AAAAAAAAAAAAAAAAAAAAAAAA", shards=tuple(range(rows.SHARDS)))

    def write(query: str, key: str) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        base.execute(f"COPY ({query}) TO '{folder / key}' (FORMAT parquet, COMPRESSION zstd)")

    for table, query, key in (("facts", FACTS, manifest.facts), ("dated", DATED, manifest.dated)):
        base.execute(
            f"CREATE TABLE {table} AS {query.format(version=1, number='i::BIGINT', now=now, first=0, end=size)}"
        )
        for shard in manifest.shards:
            write(f"SELECT * FROM {table} WHERE shard = {shard}", key(shard))
    for number in range(changes):
        name, first = f"01B{number:023}", number * 2000 % size
        among = {
            "version": 2,
            "number": "NULL::BIGINT",
            "now": now,
            "first": first,
            "end": min(first + 2000, size),
        }
        write(FACTS.format(**among), files.facts_of(name))
        write(DATED.format(**among), files.dated_of(name))
    import msgspec

    (folder / "lake" / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def ask(folder: Path, compacts: bool) -> None:
    """In a new process: what a preview costs, or what a new base does."""

    from chalicelib.facts import rules  # noqa: F401 (imported before the clock runs, as at a function's start)
    from chalicelib.lake import writing
    from chalicelib.lake.engine import Lake
    from chalicelib.platform import clock, queues
    from chalicelib.platform import files as stored
    from chalicelib.segments import counting

    requests = 0

    def counted(work: Any) -> Any:
        def call(*args: Any) -> Any:
            nonlocal requests
            requests += 1
            return work(*args)

        return call

    def names(prefix: str) -> list[str]:
        return sorted(str(p.relative_to(folder)) for p in (folder / prefix).rglob("*") if p.is_file())

    def put(key: str, body: bytes, *_: str) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(body)

    stored.names = counted(names)
    stored.get_tagged = counted(lambda key: ((folder / key).read_bytes(), "1"))
    stored.download = counted(lambda key, into: into.write((folder / key).read_bytes()))
    stored.put = counted(put)
    stored.replace = counted(lambda key, body, kind, tag: put(key, body) is None)
    stored.delete = counted(lambda key: (folder / key).unlink())
    queues.count = lambda queue: 0
    clock.now = lambda: NOW
    own = Path(tempfile.mkdtemp())
    begun = time.perf_counter()
    lake = Lake(own)
    if compacts:
        writing.compact(lake)
        figures = {"compact": time.perf_counter() - begun, "requests": requests}
    else:
        times = []
        for _ in range(6):
            lake.refresh()
            counting.preview(lake, RULE, None)
            times.append(time.perf_counter() - begun)
            begun = time.perf_counter()
        figures = {"cold": times[0], "warm": sorted(times[1:])[2], "requests": requests}
    figures["memory"] = peak()
    shutil.rmtree(own)
    print(json.dumps(figures), file=sys.stdout)


def peak() -> float:
    """The most memory that this process had, MB. (ru_maxrss begins at what its parent had.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(folder: Path, what: str) -> dict[str, float]:
    run = [sys.executable, __file__, what, str(folder)]
    return dict(json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    warm: dict[int, float] = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            make(folder, size, 0)
            whole = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
            figures = measure(folder, "ask")
            warm[size] = figures["warm"]
            print(f"lake.{size}.bytes {whole / size:.1f} bytes/customer")
            print(f"lake.{size}.preview_cold {figures['cold'] * 1000:.0f} ms")
            print(f"lake.{size}.preview_warm {figures['warm'] * 1000:.0f} ms")
            print(f"lake.{size}.memory {figures['memory']:.0f} MB")
            print(f"lake.{size}.requests_cold {figures['requests'] - 10} requests")
        if size == SIZES[-1]:
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                make(folder, size, 49)
                figures = measure(folder, "ask")
                print(f"lake.{size}.changes.preview_cold {figures['cold'] * 1000:.0f} ms")
                print(f"lake.{size}.changes.preview_warm {figures['warm'] * 1000:.0f} ms")
                print(f"lake.{size}.changes.memory {figures['memory']:.0f} MB")
                figures = measure(folder, "compact")
                print(f"lake.{size}.compact {figures['compact']:.1f} s")
                print(f"lake.{size}.compact.memory {figures['memory']:.0f} MB")
                print(f"lake.{size}.compact.requests {figures['requests']} requests")
    print(
        f"lake.ratio {warm[SIZES[-1]] / warm[SIZES[-2]]:.1f} times, of {SIZES[-1] // SIZES[-2]} times the customers"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ask(Path(sys.argv[2]), sys.argv[1] == "compact")
    else:
        main()
