"""Imports: each row once, whatever is killed, repeated or run side by side; the bad ones by their line."""

import threading
from collections import Counter
from io import BytesIO
from typing import Any

import msgspec
import pytest
from openpyxl import Workbook

from chalicelib.platform import files, jobs, storage
from chalicelib.platform.errors import Conflict, Invalid
from chalicelib.platform.principal import SYSTEM
from chalicelib.prospects import brand_settings, erasure, import_reading, import_rows, imports, models
from chalicelib.prospects.models import ImportItem, ProspectItem
from chalicelib.prospects.types import FromOrders
from chalicelib.stores import service as stores
from chalicelib.stores.types import NewStore
from tests.support import tables_corpus as corpus
from tests.support.prospects_world import (
    World,
    engine_world,
    import_of,
    number,
    plenty,
    prospects,
    report,
    rows_of,
    uploaded,
    world,
)
from tests.support.scan_support import requests

__all__ = ["engine_world", "world"]
FROM_ORDERS = {"staff": {"staff_ids": ["lihua", "wangwu"]}, "consent": "下单时同意"}


def table(numbers: list[str], encoding: str = "utf-8") -> bytes:
    lines = ["姓名,手机号,备注", *(f"客户{i},{n},老客" for i, n in enumerate(numbers))]
    return "\r\n".join(lines).encode(encoding)


def report_of(import_id: str) -> list[str]:
    text = files.get(f"results/prospect-imports/{import_id}.csv").decode("utf-8-sig")
    return text.splitlines()[1:]


def test_a_file_becomes_prospects_and_a_report_by_line(world: World) -> None:
    bad = [number(1), "1.38E+10", number(1), "", "010-12345678", "+86 138 0000 0002"]
    import_id = uploaded(table(bad, "gb18030"))
    world.queues.work()
    told = report(import_id)
    assert told["status"] == "finished"
    assert (told["rows"], told["new"], told["duplicates"], told["bad"]) == (6, 2, 1, 3)
    assert report_of(import_id) == [
        "3,phone,lost digits in a spreadsheet (1.38E+10): format the column as text,*****",
        "4,phone,is in line 2 already,138****0001",
        "5,phone,is empty,",
        "6,phone,is not a mobile number,010******78",
    ]
    rows = sorted(prospects(), key=lambda row: row.line)
    assert [models.person(row) for row in rows] == [
        {"phone": "+8613800000001", "name": "客户0", "note": "老客"},
        {"phone": "+8613800000002", "name": "客户5", "note": "老客"},
    ]
    assert [row.staff_id for row in rows] == ["lihua", "wangwu"]
    job = jobs.get(told["job_id"])
    assert (job.status, job.done, job.total) == ("finished", 6, 6) and job.result_url
    assert files.size(f"uploads/prospects/{import_id}.csv") is None  # the numbers in clear are gone


def test_the_same_file_again_is_all_duplicates(world: World) -> None:
    content = table([number(n) for n in range(200)])
    first, second = uploaded(content), uploaded(content)
    world.queues.work(times=2)
    figures = [report(i) for i in (first, second)]
    assert [(f["new"], f["duplicates"]) for f in figures] == [(200, 0), (0, 200)]
    assert len(prospects()) == 200
    assert Counter(row.staff_id for row in prospects()) == {"lihua": 100, "wangwu": 100}


PEOPLE = [["姓名", "手机号", "会员号"], *([f"客户{n}", number(n), f"M-{n}"] for n in range(120))]


def test_any_file_becomes_prospects_whatever_its_name_says(world: World) -> None:
    chosen = [*corpus.csvs(PEOPLE)][::11] + [*corpus.workbooks(PEOPLE)][::3]
    for n, (kind, raw) in enumerate(chosen):
        import_id = uploaded(raw, format=("csv", "xlsx")[n % 2])
        world.queues.work(times=2)
        told = report(import_id)
        assert (told["status"], told["rows"], told["bad"]) == ("finished", 120, 0), kind
        for name in ("csv", "csv.csv", "xlsx", "xlsx.csv"):
            assert files.size(f"uploads/prospects/{import_id}.{name}") is None
    assert len(prospects()) == 120


def test_a_text_in_utf16_goes_on_where_it_was_left(world: World) -> None:
    text = "\r\n".join("\t".join(row) for row in PEOPLE)
    import_id = uploaded(text.encode("utf-16"))
    while world.queues.waiting:
        message = world.queues.waiting.pop(0)
        import_reading.read_on(message["import_id"], lambda: 0)
    assert report(import_id)["new"] == 120


@pytest.mark.parametrize(
    ("content", "error", "reported"),
    [
        ("手机号,姓名\n".encode(), "no rows", 0),
        (b"", "not there", 0),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "save it as an .xlsx", 0),
        ("手机号,姓名\n1.38E+10,a\n,b\n".encode(), "none of the 2 rows", 2),
        (corpus.workbook(corpus.sheet([["手机号"]])), "no rows", 0),
        (
            corpus.workbook(corpus.cells('<c t="inlineStr"><is><t>手机号</t></is></c>', "<c><f>B2</f></c>")),
            "none of the 1",
            1,
        ),
    ],
)
def test_an_import_that_finds_nobody_has_failed(
    world: World, content: bytes, error: str, reported: int
) -> None:
    if not content:
        with pytest.raises(Conflict):
            uploaded(content)
        return
    import_id = uploaded(content)
    world.queues.work(times=2)
    told = report(import_id)
    job = jobs.get(told["job_id"])
    assert (told["status"], job.status) == ("failed", "failed")
    assert error in (job.error or "") and bool(job.result_url) is bool(reported)
    if reported:
        assert len(report_of(import_id)) == reported


def test_what_a_spreadsheet_has_lost_is_reported_by_field(world: World) -> None:
    rows = [
        ("手机号", "姓名", "会员号", "导购", "门店"),
        (number(1), "=VLOOKUP(A1,B:C,2)", "", "", ""),
        (number(2), "甲", "1.23E+15", "", ""),
        (number(3), "乙", "2026112200017000000", "", ""),
        (number(4), "丙", "", "2.02611E+16", ""),
        (number(5), "#N/A", "", "", ""),
        ('"=""13800000006"""', "=好评", '"=""0017"""', "", ""),
    ]
    import_id = uploaded("\n".join(",".join(row) for row in rows).encode())
    world.queues.work()
    assert [line.split(",")[:2] for line in report_of(import_id)] == [
        ["2", "name"], ["3", "external_id"], ["4", "external_id"], ["5", "staff_id"], ["6", "name"],
    ]  # fmt: skip
    (row,) = prospects()
    assert models.person(row) == {"phone": "+8613800000006", "name": "=好评", "external_id": "0017"}


def test_a_time_limit_is_a_continuation(world: World) -> None:
    import_id = uploaded(table([number(n) for n in range(300)]))
    rounds = 0
    while world.queues.waiting:
        message = world.queues.waiting.pop(0)
        import_reading.read_on(message["import_id"], lambda: 0)  # no time left after each slice
        rounds += 1
    told = report(import_id)
    assert (told["status"], told["new"], rounds) == ("finished", 300, 5)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_any_commit_no_row_is_lost_or_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    import_id = uploaded(table([number(n % 250) for n in range(300)]))
    commit, deaths = storage.Transaction.commit, iter([True, False, True, True, False, True] + [False] * 99)

    class Killed(BaseException):
        pass

    def dies(tx: storage.Transaction) -> None:
        if when == "after":
            commit(tx)
        if next(deaths):
            raise Killed
        if when == "before":
            commit(tx)

    monkeypatch.setattr(storage.Transaction, "commit", dies)
    for _ in range(8):
        try:
            import_reading.read_on(import_id, plenty)
        except Killed:
            continue
    told = report(import_id)
    assert (told["status"], told["rows"], told["new"], told["duplicates"]) == ("finished", 300, 250, 50)
    assert told["statuses"]["to_add"] == len(prospects()) == 250
    assert len(report_of(import_id)) == 50


@pytest.mark.parametrize("content", [table([number(1)]), b"no table"])
@pytest.mark.parametrize("step", range(4))
def test_killed_at_its_end_an_import_ends_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch, content: bytes, step: int
) -> None:
    import_id = uploaded(content)

    class Killed(BaseException):
        pass

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    doors = [(storage, "update_if"), (jobs, "update"), (files, "delete"), (import_reading, "_delete_files")]
    with monkeypatch.context() as patch:
        patch.setattr(*doors[step], dies)
        with pytest.raises(Killed):
            import_reading.read_on(import_id, plenty)
    world.queues.work()  # the message comes again
    told = report(import_id)
    job = jobs.get(told["job_id"])
    assert told["status"] == job.status == ("failed" if content == b"no table" else "finished")
    assert job.result_url if told["status"] == "finished" else job.error
    assert files.size(f"uploads/prospects/{import_id}.csv") is None


def test_a_start_that_comes_late_leaves_the_job_as_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = imports.create(import_of())
    files.put(f"uploads/prospects/{made.import_id}.csv", table([number(1)]))
    size = files.size

    def meanwhile(key: str) -> int | None:
        monkeypatch.setattr(files, "size", size)
        imports.start(made.import_id)
        world.queues.work()
        return size(key) or 1

    monkeypatch.setattr(files, "size", meanwhile)
    assert imports.start(made.import_id).status == "finished"


def test_two_imports_with_the_same_numbers_at_once(engine_world: World) -> None:
    first = uploaded(table([number(n) for n in range(0, 300)]))
    second = uploaded(table([number(n) for n in range(150, 450)]))
    both = [threading.Thread(target=import_reading.read_on, args=(i, plenty)) for i in (first, second, first)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    for import_id in (first, second):  # the one of the two that stopped is delivered again
        import_reading.read_on(import_id, plenty)
    told = [report(i) for i in (first, second)]
    assert [f["rows"] for f in told] == [300, 300]
    assert sum(f["new"] for f in told) == 450 and sum(f["duplicates"] for f in told) == 150
    assert len(prospects()) == 450
    by_import = Counter(row.import_id for row in prospects())
    assert [by_import[i] for i in (first, second)] == [f["new"] for f in told]


def test_an_xlsx_is_read_as_a_csv_is(world: World) -> None:
    cells = [("手机号", "门店")] + [(number(n), "s1") for n in range(120)]
    book, packed = Workbook(), BytesIO()
    for row in cells:
        book.active.append(row)
    book.save(packed)
    stores.create(store("s1", ["a", "b"]), SYSTEM)
    import_id = uploaded(packed.getvalue(), format="xlsx", staff={"rule": "by_store"})
    left = iter([300_000] * 120 + [0])
    import_reading.read_on(import_id, lambda: next(left))  # the workbook, and one slice
    files.put(f"uploads/prospects/{import_id}.xlsx", b"read once")
    world.queues.work()
    told = report(import_id)
    assert (told["rows"], told["new"], told["status"]) == (120, 120, "finished")
    assert {row["staff_id"]: row["to_add"] for row in told["by_staff"]} == {"a": 60, "b": 60}
    for name in ("xlsx", "xlsx.csv"):  # the numbers in clear are gone
        assert files.size(f"uploads/prospects/{import_id}.{name}") is None


def test_rows_of_an_xlsx_keep_their_numbers(world: World) -> None:
    book, packed = Workbook(), BytesIO()
    book.active["B2"], book.active["C2"], book.active["D2"] = "手机号", "姓名", "备注"
    book.active["B5"], book.active["C5"], book.active["D5"] = 13800000001, '张"三,', "一\n二\u2028三;"
    book.active["C7"] = "没有号码"
    book.active["A8"], book.active["B9"] = "旁边", 1.38e10
    book.active["B10"] = "=B5+1"
    book.save(packed)
    import_id = uploaded(packed.getvalue(), format="xlsx")
    world.queues.work(times=2)
    assert [line[:30] for line in report_of(import_id)] == [
        "7,phone,is empty,",
        "8,phone,is empty,",
        '10,phone,"is a formula without',
    ]
    first, second = sorted(prospects(), key=lambda row: row.line)
    assert models.person(first) == {"phone": "+8613800000001", "name": '张"三,', "note": "一 二 三;"}
    assert (first.line, second.line, models.person(second)["phone"]) == (5, 9, "+8613800000000")


def test_an_xlsx_that_takes_too_long_fails_with_the_reason(world: World) -> None:
    book, packed = Workbook(), BytesIO()
    for cell in ("手机号", number(1)):
        book.active.append([cell])
    book.save(packed)
    import_id = uploaded(packed.getvalue(), format="xlsx")
    import_reading.read_on(import_id, lambda: 0)
    told = report(import_id)
    assert (told["status"], told["error"]) == ("failed", "the file takes too long to read: save it as CSV")
    assert files.size(f"uploads/prospects/{import_id}.xlsx.csv") is None and not prospects()


def store(store_id: str, staff_ids: list[str]) -> NewStore:
    given = {
        "store_id": store_id,
        "name": store_id,
        "staff_ids": staff_ids,
        "latitude": 31.2,
        "longitude": 121.4,
    }
    return msgspec.convert(given, NewStore)


def test_rows_that_lead_to_no_guide_are_told(world: World) -> None:
    given = rows_of([number(1), number(2)], staff={"rule": "by_column"})
    rows = [msgspec.structs.replace(given.rows[0], staff_id="lihua"), given.rows[1]]
    taken = imports.take(msgspec.structs.replace(given, rows=rows), language="en")
    assert (taken.new, taken.bad) == (1, 1)
    (error,) = taken.errors
    assert (error.row, error.field, error.code) == (1, "rows[1].staff_id", "row_no_guide")
    assert error.message == "leads to no guide"


def test_a_column_that_is_none_of_guides_makes_no_guides(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_rows, "MAX_GUIDES", 2)
    staff_ids = ["lihua", "李华", "a#b", "wangwu", "lihua", "chenjie"]
    lines = [f"{number(n)},{staff_id}" for n, staff_id in enumerate(staff_ids)]
    import_id = uploaded("\n".join(["手机,导购", *lines]).encode(), staff={"rule": "by_column"})
    world.queues.work()
    assert report_of(import_id) == [
        "3,staff_id,is no userid of WeCom's,",
        "4,staff_id,is no userid of WeCom's,",
        "7,staff_id,is one guide too many: an import may have 2,",
    ]
    assert sorted(row.staff_id for row in prospects()) == ["lihua", "lihua", "wangwu"]
    assert sorted(brand_settings.guides()) == ["lihua", "wangwu"]


@pytest.mark.parametrize("content", [b"", b"name\nx", "手机".encode("utf-16"), b"PK\x03\x04\x00"])
def test_a_file_that_is_no_table_fails_with_the_reason(world: World, content: bytes) -> None:
    if not content:
        with pytest.raises(Conflict):
            uploaded(content)
        return
    import_id = uploaded(content)
    world.queues.work()
    told = report(import_id)
    assert told["status"] == "failed" and told["error"]
    assert jobs.get(told["job_id"]).status == "failed"
    assert files.size(f"uploads/prospects/{import_id}.csv") is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"staff": {"rule": "weighted"}}, "staff.weights"),
        ({"staff": {}}, "staff.staff_ids"),
        ({"staff": {"staff_ids": ["a", "a"]}}, "staff.staff_ids"),
        ({"country": "XX"}, "country"),
        ({"consent": "     "}, "consent"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    world: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as told:
        imports.create(import_of(**changes))
    assert [name for name, _ in told.value.errors] == [field]
    assert not list(ImportItem.scan())


def test_the_erased_are_never_imported_again(world: World) -> None:
    imports.take(rows_of([number(1)]))
    (row,) = prospects()
    erasure.erase(row.prospect_id)
    erasure.erase_number(number(2), "CN")  # one we never had
    taken = imports.take(rows_of([number(1), number(2), number(3)]))
    assert (taken.new, taken.do_not_contact) == (1, 2)
    erased = [r for r in ProspectItem.scan() if r.status == "erased"]
    assert len(erased) == 2 and all(
        r.sealed is None and r.staff_id is None and r.lane is None for r in erased
    )


def test_what_a_slice_costs(world: World) -> None:
    job = imports.make_of_orders("im_cost", "rows", msgspec.convert(FROM_ORDERS, FromOrders), "CN")
    desk_ = import_rows.Intake(job)
    desk_.take([import_rows.Incoming(0, {"phone": number(999)})])
    desk_.take([import_rows.Incoming(0, {"phone": number(998)})])  # both guides are known now
    asked = requests()
    rows = [import_rows.Incoming(n, {"phone": number(n), "name": "张三"}) for n in range(import_rows.SLICE)]
    assert desk_.take(rows)
    assert asked == ["BatchGetItem", "TransactWriteItems"]
