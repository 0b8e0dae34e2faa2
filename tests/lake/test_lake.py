"""The lake: what changed is there once, the newest version counts, and no kill loses or doubles anybody."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chalicelib.facts import rules
from chalicelib.facts.rule_reader import read
from chalicelib.facts.types import Change, DatedFact, Facts
from chalicelib.lake import files, rule_query, writing
from chalicelib.lake.engine import Lake
from chalicelib.platform import queues

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture
def lake(tables: None, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    monkeypatch.setattr(queues, "count", lambda queue: 0)
    return Lake(tmp_path / "writer")


@pytest.fixture
def reader(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "reader")


def change(external_userid: str, version: int, *tags: str, orders: int = 0) -> Change:
    dated = tuple(DatedFact("order", NOW - timedelta(days=n), f"M{n}", 100) for n in range(orders))
    facts = Facts(external_userid=external_userid, tags=tags, orders=orders, paid_fen=orders * 100)
    return Change(external_userid=external_userid, version=version, facts=facts, dated=dated)


def ask(reader: Lake, value: object) -> set[str]:
    reader.refresh()
    query = rule_query.select_customers(read(value), NOW).sql("duckdb")
    return {str(row[0]) for row in reader.ask(query)}


def everybody(reader: Lake) -> dict[str, int]:
    reader.refresh()
    found = reader.ask("SELECT external_userid, version FROM facts")
    assert len(found) == len({row[0] for row in found})
    return dict(found)  # type: ignore[arg-type]


def test_nobody_is_in_an_empty_lake(lake: Lake, reader: Lake) -> None:
    assert everybody(reader) == {}
    assert ask(reader, {"all": []}) == set()


def test_the_newest_version_counts_whatever_the_order_and_number_of_files(lake: Lake, reader: Lake) -> None:
    writing.write_changes(lake, [change("a", 2, "vip", orders=2), change("b", 1)])
    writing.write_changes(lake, [change("a", 1, "old", orders=1)])
    writing.write_changes(lake, [change("a", 2, "vip", orders=2)])
    assert everybody(reader) == {"a": 2, "b": 1}
    assert ask(reader, {"tag": {"any": ["vip"]}}) == {"a"} and ask(reader, {"tag": {"any": ["old"]}}) == set()
    assert ask(reader, {"orders": {"eq": 2, "within": "P30D"}}) == {"a"}


def test_a_new_base_has_all_of_it_and_later_changes_come_on_top(lake: Lake, reader: Lake) -> None:
    writing.write_changes(lake, [change(f"p{n}", 1, orders=n % 3) for n in range(40)])
    before = everybody(reader)
    writing.compact(lake)
    assert files.changes() == [] and everybody(reader) == before
    assert ask(reader, {"orders": {"gte": 2, "within": "P30D"}}) == {f"p{n}" for n in range(40) if n % 3 == 2}
    writing.write_changes(lake, [change("p2", 2, orders=0), change("new", 1)])
    assert everybody(reader) == {**before, "p2": 2, "new": 1}
    assert "p2" not in ask(reader, {"orders": {"gte": 2, "within": "P30D"}})
    writing.compact(lake)
    assert everybody(reader) == {**before, "p2": 2, "new": 1}


def test_the_erased_are_in_no_view_and_in_no_new_base(lake: Lake, reader: Lake) -> None:
    writing.write_changes(lake, [change("a", 1, orders=1), change("b", 1)])
    writing.compact(lake)
    writing.write_changes(lake, [Change(external_userid="a", version=2, facts=None)])
    assert everybody(reader) == {"b": 1}
    writing.compact(lake)
    assert everybody(reader) == {"b": 1}
    assert reader.ask("SELECT count(*) FROM dated") == [(0,)]


@pytest.mark.parametrize("step", range(1, 8))
def test_killed_anywhere_while_a_base_is_written_nobody_is_lost_or_there_twice(
    lake: Lake, reader: Lake, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        writing.write_changes(lake, [change(f"p{n}", 1, orders=1)])
    left = step
    put, delete, swap = files.files.put, files.files.delete, files.files.replace

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    def dying_put(*args: object) -> None:
        count()
        put(*args)  # type: ignore[arg-type]

    def dying_swap(*args: object) -> bool:
        count()
        return swap(*args)  # type: ignore[arg-type]

    def dying_delete(key: str) -> None:
        count()
        delete(key)

    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(files.files, "put", dying_put)
        dying.setattr(files.files, "replace", dying_swap)
        dying.setattr(files.files, "delete", dying_delete)
        writing.compact(lake)
    assert everybody(reader) == {f"p{n}": 1 for n in range(3)}
    assert ask(reader, {"orders": {"eq": 1, "within": "P1D"}}) == {f"p{n}" for n in range(3)}
    writing.compact(lake)
    assert everybody(reader) == {f"p{n}": 1 for n in range(3)}


def test_of_two_new_bases_at_a_time_one_counts(
    lake: Lake, reader: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """| one | another |
    |---|---|
    | reads the manifest and two changes | |
    | | takes a third change as well, and makes its base |
    | writes its manifest: refused | |
    """
    for n in range(2):
        writing.write_changes(lake, [change(f"p{n}", 1, orders=1)])
    honest = files.write_manifest

    def late(manifest: files.Manifest) -> bool:
        monkeypatch.setattr(files, "write_manifest", honest)
        other = Lake(tmp_path / "other")
        writing.write_changes(other, [change("p2", 1, orders=1)])
        writing.compact(other)
        return honest(manifest)

    monkeypatch.setattr(files, "write_manifest", late)
    writing.compact(lake)
    assert everybody(reader) == {f"p{n}": 1 for n in range(3)}
    writing.write_changes(lake, [change("p3", 1)])
    writing.compact(lake)
    writing.write_changes(lake, [change("p4", 1)])
    writing.compact(lake)
    assert everybody(reader) == {f"p{n}": 1 for n in range(5)}
    assert len({key.split("/")[2] for key in files.files.names("lake/base/")}) == 2  # of those killed, none


def test_who_has_read_the_list_before_a_new_base_misses_nobody(
    lake: Lake, reader: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """| the reader | a compaction |
    |---|---|
    | lists the changes | |
    | | writes the base and the manifest, deletes the changes |
    | reads the manifest | |
    """
    writing.write_changes(lake, [change("a", 1)])
    honest = files.read_manifest

    def late() -> files.Manifest:
        monkeypatch.setattr(files, "read_manifest", honest)
        writing.compact(lake)
        return honest()

    monkeypatch.setattr(files, "read_manifest", late)
    assert everybody(reader) == {"a": 1}


def test_a_rule_is_judged_as_in_python(lake: Lake, reader: Lake) -> None:
    people = [change(f"p{n}", 1, *(["x"] if n % 2 else []), orders=n % 4) for n in range(30)]
    writing.write_changes(lake, people)
    for value in (
        {"all": [{"tag": {"any": ["x"]}}, {"average_fen": {"gte": 100}}]},
        {"not": {"orders": {"gte": 2, "within": "P1D"}}},
        {"first_order_at": {"not_within": "P1D"}},
    ):
        rule = read(value)
        judged = {p.external_userid for p in people if p.facts and rules.matches(rule, p.facts, p.dated, NOW)}
        assert ask(reader, value) == judged
