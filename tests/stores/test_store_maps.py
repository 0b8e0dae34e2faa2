"""The map follows the stores: at once, through concurrent writers, imports and cuts in half."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from chalicelib.platform import due, jobs, storage
from chalicelib.platform.errors import NotFound
from chalicelib.platform.storage import Busy
from chalicelib.stores import cells, imports, map_bytes, map_updates, maps, rules, service
from chalicelib.stores.models import HEAD, IMPORTS, NOW, MapItem, StoreItem
from chalicelib.stores.types import NewStore, Place
from tests.support.stores_world import change_store, create_store, import_table, remove_store


def store(store_id: str, latitude: float, longitude: float, **rest: Any) -> dict[str, Any]:
    given = {
        "store_id": store_id,
        "name": store_id,
        "city": "深圳",
        "address": "",
        "latitude": latitude,
        "longitude": longitude,
        "datum": "wgs84",
        "staff_ids": ["a"],
        "chat_ids": [],
        "hours": None,
        "status": "open",
    }
    return given | rest


def anywhere(count: int, seed: int = 1) -> dict[str, dict[str, Any]]:
    chance = random.Random(seed)
    spots = [(chance.uniform(20, 45), chance.uniform(80, 122)) for _ in range(count)]
    return {f"S{n:05}": store(f"S{n:05}", round(a, 6), round(b, 6)) for n, (a, b) in enumerate(spots)}


def mapped() -> dict[str, Place]:
    """As a new process sees the map, on which no store stands twice."""
    maps.forget()
    now, everyone = maps.view(), {row.store_id for row in StoreItem.scan(consistent_read=True)}
    twice = {key: at for key, at in maps.spots(now, everyone).items() if len(at) > 1}
    assert twice.keys() <= now.changes.keys()
    return {place.store_id: place for place in service.everywhere()}


def truth() -> dict[str, Place]:
    return {row.store_id: rules.place(row.store()) for row in StoreItem.scan(consistent_read=True)}


def change(store_id: str, **changes: Any) -> None:
    change_store(store_id, changes)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cells of 8 stores, folded every 5 changes: a large map in the small."""
    monkeypatch.setattr(cells.cut, "__defaults__", (8,))
    monkeypatch.setattr(maps, "FOLD_AT", 5)
    maps.forget()
    yield
    maps.forget()


def test_each_write_is_seen_and_folded_in(tables: None, small: None) -> None:
    chance = random.Random(2)
    known = anywhere(24)
    for number, one in enumerate(known.values()):
        create_store(one)
        if number % 3 == 0:
            change(one["store_id"], latitude=chance.uniform(-60, 60), name="moved")
        if number % 7 == 0:
            remove_store(one["store_id"])
            if number % 2:
                create_store(one)
        at = truth()
        assert mapped() == at
        spot = cells.position(
            chance.choice([*at.values()]) if at else rules.place(msgspec.convert(one, NewStore))
        )
        nearest = next(service.near(*spot, "wgs84", 1e7), None)
        assert (nearest is None) == (not at) and (nearest is None or nearest[0] == 0)
    now = maps.view()
    assert len(now.changes) < 5 and len(now.cells) > 3
    # Nothing is left of cells that were replaced.
    rows = [row for row in MapItem.scan() if row.map.startswith("cell#")]
    assert len(rows) == sum(known.stores > 0 for known in now.cells.values())


def test_what_the_map_does_not_hold_does_not_touch_it(tables: None) -> None:
    create_store(store("A", 22.5, 113.9))
    before = maps.view().changes["A"].stamp
    change("A", address="elsewhere", staff_ids=["b", "c"])
    assert maps.view().changes["A"].stamp == before
    change("A", staff_ids=[])
    assert maps.view().changes["A"].stamp != before


def test_writers_at_once_all_get_through(engine: str, small: None) -> None:
    """Sixteen at a time: none is lost, none refused, and no fold undoes another."""
    known = [*anywhere(40).values()]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(create_store, known))
        assert mapped() == truth() and len(mapped()) == 40

        def move(one: dict[str, Any]) -> None:
            change(one["store_id"], latitude=one["latitude"] + 1)
            if int(one["store_id"][1:]) % 4 == 0:
                remove_store(one["store_id"])

        list(pool.map(move, known))
    assert mapped() == truth() and len(mapped()) == 30
    maps.tidy()
    assert mapped() == truth()


def test_an_import_beside_writers(engine: str, small: None) -> None:
    before = anywhere(60)
    import_table(table(before))
    assert mapped() == truth() and not maps.view().changes
    after = {k: v | {"latitude": v["latitude"] + 2} for k, v in before.items()}
    importer = threading.Thread(target=import_table, args=(table(after),))
    importer.start()
    for number in range(20):
        create_store(store(f"NEW{number}", 30 + number / 10, 100))
    importer.join()
    assert mapped() == truth() and len(mapped()) == 80


def table(known: dict[str, dict[str, Any]]) -> str:
    lines = [f"{s['store_id']},{s['name']},{s['latitude']},{s['longitude']},wgs84" for s in known.values()]
    return "\n".join(["store_id,name,latitude,longitude,datum", *lines])


def test_a_store_changed_while_it_is_imported_is_where_its_row_says(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_table(table(anywhere(10)))
    end = map_updates.end

    def late(*given: Any) -> None:
        change("S00003", latitude=11.0)
        remove_store("S00004")
        end(*given)

    monkeypatch.setattr(map_updates, "end", late)
    moved = {key: one | {"latitude": one["latitude"] + 5} for key, one in anywhere(10).items()}
    import_table(table(moved))
    assert mapped() == truth()
    assert mapped()["S00003"].latitude == 11.0


def test_an_import_that_moves_nothing_beside_one_that_does(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later row wins, and the map knows it: who read the store before the other moved it."""
    rows, put, hits = anywhere(10), imports._put, []
    import_table(table(rows))
    moved = {key: one | {"latitude": one["latitude"] + 5} for key, one in rows.items()}

    def late(*given: Any) -> Any:
        if not hits:
            hits.append(1)
            import_table(table(moved))
        return put(*given)

    monkeypatch.setattr(imports, "_put", late)
    import_table(table({key: one | {"address": "new"} for key, one in rows.items()}))
    assert mapped() == truth()
    assert mapped()["S00003"].latitude == rows["S00003"]["latitude"]


@pytest.mark.parametrize(("first", "then"), [(1, 2), (3, 1), (2, -2), (5, -5)])
def test_an_import_within_another_leaves_no_store_in_two_places(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch, first: float, then: float
) -> None:
    rows, put, hits = anywhere(30), imports._put, []
    import_table(table(rows))
    inner, outer = (
        {key: one | {"latitude": one["latitude"] + by} for key, one in rows.items()} for by in (first, then)
    )

    def late(*given: Any) -> Any:
        if not hits:
            hits.append(1)
            import_table(table(inner))
        return put(*given)

    monkeypatch.setattr(imports, "_put", late)
    import_table(table(outer))
    assert mapped() == truth()


@pytest.mark.parametrize("where", ["view", "batch_get"])
def test_an_import_while_another_is_about_to_read_is_known_to_it(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    rows, hits = anywhere(30), []
    import_table(table(rows))
    inner, outer = (
        {key: one | {"latitude": one["latitude"] + by} for key, one in rows.items()} for by in (5, -5)
    )
    whose: Any = maps if where == "view" else StoreItem
    real = getattr(whose, where)

    def late(*given: Any, **rest: Any) -> Any:
        if not hits:
            hits.append(1)
            import_table(table(inner))
        return real(*given, **rest)

    monkeypatch.setattr(whose, where, late)
    import_table(table(outer))
    assert mapped() == truth()


@pytest.mark.parametrize("meanwhile", ["changed", "deleted", "made anew", "made by another"])
def test_an_import_undoes_nothing_that_happens_meanwhile(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    rows, put = anywhere(150), imports._put
    if meanwhile != "made by another":
        create_store(rows["S00003"] | {"staff_ids": ["a", "gone"]})

    def late(*given: Any) -> Any:
        monkeypatch.setattr(imports, "_put", put)
        if meanwhile == "changed":
            change("S00003", staff_ids=["b"], latitude=11.0)
        elif meanwhile != "made by another":
            remove_store("S00003")
        if meanwhile.startswith("made"):
            create_store(rows["S00003"] | {"staff_ids": ["b"], "latitude": 11.0})
        return put(*given)

    monkeypatch.setattr(imports, "_put", late)
    moved = {key: one | {"latitude": one["latitude"] + 5} for key, one in rows.items()}
    assert import_table(table(moved)).imported == 150
    assert mapped() == truth() and len(mapped()) == (149 if meanwhile == "deleted" else 150)
    now = service.find("S00003")
    assert (now is None) is (meanwhile == "deleted")
    assert now is None or (now.staff_ids, now.latitude) == (["b"], moved["S00003"]["latitude"])


def test_no_version_of_a_store_comes_twice(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has read the store before an import, or before it was deleted, does not change it after."""
    create_store(store("A", 10, 100))
    find, read = service._find, StoreItem.get("A")
    monkeypatch.setattr(service, "_find", lambda *_: read)
    monkeypatch.setattr(storage, "_wait", lambda _: None)
    import_table(table({"A": store("A", 12, 100)}))
    with pytest.raises(Busy):
        change("A", latitude=11.0)
    monkeypatch.setattr(service, "_find", find)
    remove_store("A")
    create_store(store("A", 13, 100))
    monkeypatch.setattr(service, "_find", lambda *_: read)
    with pytest.raises(Busy):
        change("A", latitude=11.0)
    assert mapped() == truth() and mapped()["A"].latitude == 13


def test_imports_and_writers_at_once(engine: str, small: None) -> None:
    import_table(table(anywhere(30)))
    versions = [
        {key: one | {"latitude": one["latitude"] + shift} for key, one in anywhere(30).items()}
        for shift in (1, 2, 3)
    ]

    def move(number: int) -> None:
        for turn in range(5):
            try:
                change(f"S{number:05}", latitude=30.0 + turn)
            except Busy:
                continue

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(import_table, table(one)) for one in versions]
        done += [pool.submit(move, number) for number in range(5)]
        for one in done:
            one.result()
    assert mapped() == truth() and len(mapped()) == 30


@pytest.mark.parametrize("cut", ["rows", "half the rows", "fold"])
def test_an_import_cut_in_half_is_finished_by_the_timer(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    import_table(table(anywhere(30)))
    moved = {k: v | {"latitude": v["latitude"] + 5} for k, v in anywhere(40).items()}
    commit, put = maps.fold, imports._put

    class Cut(BaseException):
        pass

    def die(*_: Any) -> Any:
        raise Cut

    if cut == "rows":
        monkeypatch.setattr(imports, "_put", die)
    elif cut == "half the rows":

        def half(items: dict[str, Any], *rest: Any) -> Any:
            put(dict([*items.items()][:20]), *rest)
            raise Cut

        monkeypatch.setattr(imports, "_put", half)
    else:
        monkeypatch.setattr(maps, "fold", die)
    with pytest.raises(Cut):
        import_table(table(moved))
    monkeypatch.setattr(imports, "_put", put)
    monkeypatch.setattr(maps, "fold", commit)
    (left,) = MapItem.query(IMPORTS)
    work = next(row.work for row in due.DueItem.scan() if row.work.get("import_id") == left.part)
    assert work["kind"] == "store_map"
    assert (mapped() == truth()) is (cut == "rows")
    for _ in range(2):
        map_updates.finish(work["import_id"])
        assert mapped() == truth()
    assert not list(MapItem.query(IMPORTS))


def test_a_reader_never_loses_the_map_under_a_fold(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells that are folded between reading their list and reading them."""
    import_table(table(anywhere(50)))
    maps.forget()
    get, hits = MapItem.batch_get, []

    def late(keys: Any, **rest: Any) -> Any:
        if not hits:
            hits.append(1)
            import_table(table(anywhere(50, seed=4)))
        return get(keys, **rest)

    monkeypatch.setattr(MapItem, "batch_get", late)
    assert {p.store_id: p for p in service.everywhere()} == truth()
    hits.clear()
    maps.forget()
    found = [place for _, place in service.near(30, 100, "wgs84", 2e7)]
    assert sorted(p.store_id for p in found) == sorted(truth())


def test_the_map_made_anew(tables: None, small: None, sent: list[Any]) -> None:
    import_table(table(anywhere(30)))
    create_store(store("LATE", 10, 100))
    for row in MapItem.scan():
        if row.map.startswith("cell#"):
            row.delete()
    head = MapItem.get(NOW, HEAD)
    head.cells = map_bytes.pack_cells({1: map_bytes.Cell(0, 0)})
    head.save()
    assert len(mapped()) == 1
    job_id = service.start_rebuild()
    ((queue, message, _),) = [m for m in sent if m[0] == "assign"]
    assert (queue, message) == ("assign", {"kind": map_updates.KIND, "job_id": job_id})
    for _ in range(2):
        map_updates.rebuild(job_id)
        assert mapped() == truth()
    assert jobs.get(job_id).status == "finished"


def test_rebuilding_loses_to_a_writer_and_tries_again(
    tables: None, small: None, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    import_table(table(anywhere(30)))
    job_id, add_head, hits = service.start_rebuild(), maps.add_head, []

    def late(*args: Any) -> None:
        if not hits:
            hits.append(1)
            import_table(table(anywhere(30, seed=9)))
        add_head(*args)

    monkeypatch.setattr(map_updates.maps, "add_head", late)
    map_updates.rebuild(job_id)
    assert mapped() == truth() and jobs.get(job_id).status == "finished"
    rows = [row for row in MapItem.scan() if row.map.startswith("cell#")]
    assert len(rows) == sum(known.stores > 0 for known in maps.view().cells.values())


def test_a_store_deleted_twice_and_changed_by_two(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    create_store(store("A", 1, 1))
    find = service._find

    def late(*given: Any) -> StoreItem:
        item = find(*given)
        monkeypatch.setattr(service, "_find", find)
        change(given[0], latitude=2)
        return item

    monkeypatch.setattr(service, "_find", late)
    change("A", latitude=3)  # reads again, and is the last to write
    assert mapped()["A"].latitude == 3
    remove_store("A")
    with pytest.raises(NotFound):
        remove_store("A")
    assert mapped() == {}
