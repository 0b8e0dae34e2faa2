"""Lists as files: the same rows as the list, safe to open, in the reader's words."""

import csv
import io
import json
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import openpyxl
import pytest
import yaml
from msgspec import Struct

from chalicelib.customers import models
from chalicelib.customers.rules import Customer, Follow
from chalicelib.platform import clock, files, jobs, list_files, table_files, tabular
from chalicelib.platform.auth import Scope
from chalicelib.platform.column_texts import COLUMNS, LISTS
from chalicelib.platform.http import Door, Route
from chalicelib.platform.tabular import Column
from chalicelib.platform.value_texts import VALUES
from chalicelib.platform.works import do
from chalicelib.staff.models import StaffItem
from tests.support.api import Api

ROOT = Path(__file__).resolve().parents[2]
KEPT = {("POST", "/api/exports")}
LISTED = [route for route in Door.routes if route.is_list]
NOON = clock.parse("2026-11-23T04:00:00+00:00")


class Bond(Struct, frozen=True):
    staff_name: str
    added_at: str
    status: Literal["active", "lost"]


class Line(Struct, frozen=True):
    amount_fen: int
    rate_bps: int
    at: str
    status: Literal["paid"]
    name: str
    tags: list[str]
    gone: bool
    follows: list[Bond] = []
    nothing: str | None = None


LINE = msgspec.to_builtins(
    Line(
        123456,
        1250,
        "2026-11-22T23:30:00.000000+00:00",
        "paid",
        "=1+1",
        ["a", "b"],
        True,
        [Bond("罗思远", "2026-11-22T23:30:00+00:00", "active")],
    )
)


def cells(language: Literal["zh", "en"]) -> dict[str, Any]:
    return {column.path[-1]: column.cell(LINE, language) for column in tabular.columns(Line)}


def test_a_cell_says_what_people_say() -> None:
    assert cells("zh") == {
        "amount_fen": Decimal("1234.56"),
        "rate_bps": Decimal("12.5"),
        "at": datetime(2026, 11, 23, 7, 30),  # as clocks in Shanghai show it
        "status": "已支付",
        "name": "=1+1",
        "tags": "a; b",
        "gone": "是",
        "follows": "罗思远 · 2026-11-23 07:30:00 · 正常",
        "nothing": None,
    }
    assert cells("en")["status"] == "paid" and cells("en")["gone"] == "yes"
    headings = [column.heading("en") for column in tabular.columns(Line)]
    assert headings[:3] == ["Amount (CNY)", "Rate (%)", "At"]
    assert tabular.columns(Line)[0].heading("zh") == "金额（元）"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "＝1+1"])
def test_no_text_is_a_formula(text: str) -> None:
    out = io.BytesIO()
    file = table_files.new("csv", ["a", "b", "c"], out)
    file.write([text, Decimal("-1.5"), date(2026, 11, 23)])
    file.close()
    assert out.getvalue().startswith(b"\xef\xbb\xbf")
    (_, row) = csv.reader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline=""))
    assert row == [f"'{text}", "-1.50", "2026-11-23"]
    book = io.BytesIO()
    xlsx = table_files.new("xlsx", ["a"], book)
    xlsx.write([text])
    xlsx.close()
    cell = openpyxl.load_workbook(book).active["A2"]  # type: ignore[index]
    assert cell.data_type == "s" and str(cell.value).strip() == text.strip()


def test_an_xlsx_goes_on_in_a_second_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_files, "_SHEET_ROWS", 3)
    out = io.BytesIO()
    file = table_files.new("xlsx", ["n", "t"], out)
    for number in range(4):
        file.write([number, "x\x00y"])
    file.close()
    sheets = [list(sheet.values) for sheet in openpyxl.load_workbook(out)]
    assert sheets == [[("n", "t"), (0, "xy"), (1, "xy")], [("n", "t"), (2, "xy"), (3, "xy")]]


def test_each_list_and_column_and_value_has_a_chinese_name() -> None:
    assert {route.path.removeprefix("/api/") for route in LISTED} <= set(LISTS)
    names = {name for route in LISTED for column in columns(route) for name in words_of(column)}
    assert names <= set(COLUMNS)
    assert {value for route in LISTED for value in literals(route.row)} <= set(VALUES)


def columns(route: Route) -> list[Column]:
    return tabular.columns(route.row, route.path.removeprefix("/api/"))


def words_of(column: Column) -> Iterator[str]:
    """The words that its Chinese heading asks for."""
    last = column.parts[0] if len(column.parts) == 1 else column
    yield from () if column.whole in COLUMNS else last.words


def literals(kind: Any, depth: int = 0) -> Iterator[str]:
    """The values of the enums that are columns."""
    for field in msgspec.structs.fields(kind):
        inner = field.type
        while typing.get_origin(inner) in (typing.Annotated, list):
            inner = typing.get_args(inner)[0]
        options = typing.get_args(inner) if isinstance(inner, types.UnionType) else (inner,)
        for option in options:
            if typing.get_origin(option) is typing.Annotated:
                option = typing.get_args(option)[0]
            if typing.get_origin(option) is Literal:
                yield from typing.get_args(option)
            elif isinstance(option, type) and issubclass(option, Struct) and depth < 2:
                yield from literals(option, depth + 1)


def keep_customers(count: int) -> None:
    for number in range(count):
        follow = Follow("active", NOON, NOON)
        guide = "ann" if number % 2 else "bo"
        models.save(Customer(f"wm{number:04}", name=f"=客户{number}", follows={guide: follow}))


def lines_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_files, "_PAGE", 4)


def test_a_csv_has_all_rows_of_the_list_in_the_caller_s_language(api: Api) -> None:
    keep_customers(30)
    answer = api.raw("GET", "/api/customers?format=csv&staff_id=ann&limit=2", Accept_Language="zh")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "filename*=UTF-8''%E5%AE%A2%E6%88%B7" in answer.headers["Content-Disposition"]
    rows = lines_of(answer.body)
    assert len(rows) == 15 and len({row["客户编号"] for row in rows}) == 15
    assert rows[0]["名称"].startswith("'=客户")
    assert (rows[0]["添加时间"], rows[0]["关系"]) == ("2026-11-23 12:00:00", "正常")
    by_accept = api.raw("GET", "/api/customers?staff_id=ann", Accept="text/csv", Accept_Language="en")
    assert len(lines_of(by_accept.body)) == 15 and "External userid" in lines_of(by_accept.body)[0]


def test_a_file_names_what_ids_stand_for_and_has_the_ids_last(api: Api) -> None:
    StaffItem("ann", listing="staff", name="安然", status=1, seen_at=clock.iso(NOON)).save()
    api.post("/api/channels", {"name": "门店海报", "aliases": ["counter"]})
    code = {"name": "前台", "channel": "counter", "assignment": {"members": [{"staff_id": "ann"}]}}
    live_code_id = api.post("/api/live-codes", code)[1]["live_code_id"]
    [row] = lines_of(api.raw("GET", "/api/live-codes?format=csv", Accept_Language="zh").body)
    assert (row["渠道"], row["成员"], row["保留时长"]) == ("门店海报", "安然", "10 分钟")
    assert row["活码编号"] == live_code_id and next(iter(row)) == "名称"
    assert list(row).index("活码编号") > list(row).index("更新时间")
    sops = next(route for route in LISTED if route.path == "/api/sops")
    assert "steps" not in {column.path[0] for column in columns(sops)}  # no cell holds a plan in words


def test_scope_role_and_masking_are_the_list_s(api: Api) -> None:
    keep_customers(4)
    assert (
        api.post("/api/stores", {"store_id": "s1", "name": "一店", "staff_ids": ["ann"], **PLACE})[0] == 201
    )
    manager = api.acting_as("store_manager", Scope(store_ids=("s1",)))
    rows = lines_of(manager.raw("GET", "/api/customers?format=csv").body)
    assert {row["External userid"] for row in rows} == {"wm0001", "wm0003"}
    auditor = api.acting_as("auditor").raw("GET", "/api/customers?format=csv")
    assert {row["External userid"] for row in lines_of(auditor.body)} == {"***"}
    assert api.acting_as("operator").raw("GET", "/api/commissions?format=csv").status_code == 403
    assert api.raw("GET", "/api/customers?format=pdf").status_code == 422


PLACE = {"latitude": 22.5, "longitude": 113.9}


def test_each_file_is_an_entry_without_what_was_searched_for(api: Api) -> None:
    assert api.raw("GET", "/api/live-codes?format=xlsx&q=13800138000&sort=name").status_code == 200
    entries = api.acting_as("admin").get("/api/audit?object=/api/live-codes")[1]["items"]
    (entry,) = [row for row in entries if row["action"] == "live_codes.export"]
    values = {change["field"]: change["to"] for change in entry["changes"]}
    assert values == {
        "list": "/api/live-codes",
        "format": "xlsx",
        "filters": {"q": "***", "sort": "name"},
        "rows": 0,
    }


def test_what_is_too_large_says_the_way(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_customers(30)
    monkeypatch.setattr(list_files, "_AT_ONCE_BYTES", 500)
    answer = api.raw("GET", "/api/customers?format=csv")
    assert answer.status_code == 413 and "POST /api/exports" in json.loads(answer.body)["detail"]
    entries = api.acting_as("admin").get("/api/audit?object=/api/customers")[1]["items"]
    assert not entries  # nobody got anything


def test_a_job_writes_the_file_for_whoever_asked_alone(api: Api, bucket: str, sent: list[Any]) -> None:
    keep_customers(30)
    status, job = api.post(
        "/api/exports", {"list": "customers", "format": "csv", "query": "?staff_id=ann&limit=5"}
    )
    assert status == 202 and job["status"] == "queued"
    ((_, message, _),) = [one for one in sent if one[0] == "export"]
    for _ in range(2):  # twice is once
        do(message)
    finished = api.get(f"/api/jobs/{job['job_id']}")[1]
    assert (finished["status"], finished["done"], finished["total"]) == ("finished", 15, 15)
    assert len(lines_of(files.get(f"results/exports/{job['job_id']}.csv"))) == 15
    assert finished["result_url"]
    others = api.acting_as("auditor")  # who sees names masked
    assert others.get(f"/api/jobs/{job['job_id']}")[0] == 404
    assert others.get("/api/jobs")[1]["items"] == []
    assert jobs.get(job["job_id"]).status == "finished"


@pytest.mark.parametrize(
    ("role", "body", "status", "field"),
    [
        ("operator", {"list": "nothing", "format": "csv"}, 422, "list"),
        ("operator", {"list": "metrics/kpis/none", "format": "csv"}, 422, "list"),
        ("operator", {"list": "prospects", "format": "csv"}, 422, "list"),
        ("operator", {"list": "live-codes", "format": "csv", "query": "sort=luck"}, 422, "query.sort"),
        ("operator", {"list": "commissions", "format": "csv"}, 403, None),
        ("operator", {"list": "customers", "format": "csv", "query": "store_id=none"}, 404, None),
        ("guide", {"list": "customers", "format": "csv"}, 403, None),
    ],
)
def test_what_the_list_refuses_is_refused_before_a_job(
    api: Api, sent: list[Any], role: str, body: dict[str, str], status: int, field: str | None
) -> None:
    got, problem = api.acting_as(role).post("/api/exports", body)
    assert got == status, problem
    if field:
        assert [error["field"] for error in problem["errors"]] == [field]
    assert not [one for one in sent if one[0] == "export"]


def test_every_list_that_answers_can_be_had_as_a_file(api: Api) -> None:
    admin = api.acting_as("admin")
    had = set()
    for route in LISTED:
        status = admin.raw("GET", route.path.replace("{", "").replace("}", "")).status_code
        for kind in ("csv", "xlsx"):
            answer = admin.raw("GET", f"{route.path.replace('{', '').replace('}', '')}?format={kind}")
            assert answer.status_code == status, (route.path, answer.body)
        had |= {route.path} if status == 200 else set()
    assert {"/api/live-codes", "/api/orders", "/api/payouts", "/api/audit", "/api/metrics/funnel"} < had
    assert len(had) > 20


# Tables of the api's that no list shows a row of.
NO_LIST = {
    "corp_tags",
    "due",
    "idempotency",
    "poster_batches",
    "prospect_tasks",
    "sign_in_failures",
}


def test_the_function_may_read_what_lists_read() -> None:
    functions = yaml.safe_load((ROOT / "infra" / "stack.yaml").read_text())["functions"]

    def tables(name: str) -> set[str]:
        return {table for kind in ("read", "write") for table in functions[name].get(kind, ())}

    assert tables("api") - tables("export") == NO_LIST
    assert set(functions["api"]["scan"]) <= set(functions["export"]["scan"])
    assert functions["export"]["write"] == ["jobs", "staff", "access_tokens", "connections"]


def test_nothing_but_a_file_imports_openpyxl() -> None:
    from tests.infra.test_imports import loaded

    code = "import app; app.app.load_all(); from chalicelib.platform import list_files"
    assert "openpyxl" not in loaded(code)


def test_routes_that_are_lists() -> None:
    assert all(isinstance(route, Route) and route.permission for route in LISTED) and len(LISTED) > 30
