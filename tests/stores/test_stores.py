"""Stores through their doors, and the table that operators import."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.platform import auth, storage
from chalicelib.stores.models import StoreItem
from tests.support import api as support
from tests.support import tables_corpus
from tests.support.scan_support import requests

STORE: dict[str, Any] = {
    "store_id": "SZ001",
    "name": "南山店",
    "city": "深圳",
    "address": "海岸城一楼 101",
    "latitude": 22.5171,
    "longitude": 113.9347,
    "staff_ids": ["lihua"],
    "chat_ids": [],
    "hours": {"weekdays": [1, 2, 3], "from": "10:00", "to": "22:00"},
}
HEAD = "store_id,name,city,address,latitude,longitude,staff_ids,chat_ids\n"


class Api:
    def __init__(self, client: Client):
        self.client = client
        self.key = auth.create_key("test", "operator")

    def __call__(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer = self.client.http.request(method, path, headers=headers, body=data)
        return answer.status_code, json.loads(answer.body)


@pytest.fixture
def api(tables: None) -> Iterator[Api]:
    with Client(app) as client:
        yield Api(client)


def test_a_store_with_what_can_be_no_userid_is_shown_and_can_be_mended(api: Api) -> None:
    """Of before userids were checked: one such store must not take the list of all away."""
    api("POST", "/api/stores", STORE)
    StoreItem("SZ001").update(actions=[StoreItem.staff_ids.set(["李华", "a,b"])])
    assert api("GET", "/api/stores")[1]["items"][0]["staff_ids"] == ["李华", "a,b"]
    assert api("GET", "/api/stores/SZ001")[0] == 200
    status, refused = api("PATCH", "/api/stores/SZ001", {"city": "广州"})
    assert (status, refused["errors"][0]["field"]) == (422, "staff_ids[0]")
    assert api("PATCH", "/api/stores/SZ001", {"staff_ids": ["lihua"]})[0] == 200


def test_who_changes_what_another_has_changed_sees_it_first(api: Api) -> None:
    api("POST", "/api/stores", STORE)
    asked = support.Api(api.client)
    seen = asked.raw("GET", "/api/stores/SZ001").headers["ETag"]
    changed = asked.raw("PATCH", "/api/stores/SZ001", {"city": "广州"}, If_Match=seen)
    assert (changed.status_code, changed.headers["ETag"] != seen) == (200, True)
    status, stale = asked.patch("/api/stores/SZ001", {"name": "mine"}, If_Match=seen)
    assert (status, stale["present"]["city"], stale["present"]["name"]) == (409, "广州", STORE["name"])
    assert asked.get("/api/stores/SZ001") == (200, changed.json_body)
    assert asked.patch("/api/stores/SZ001", {"name": "mine"}, If_Match=changed.headers["ETag"])[0] == 200
    assert asked.patch("/api/stores/SZ001", {"name": "last"})[1]["name"] == "last"  # asked for no version


@pytest.mark.parametrize("column", ["name", "门店名称"])
def test_a_table_with_two_columns_for_one_field(api: Api, column: str) -> None:
    table = HEAD.replace("\n", f",{column}\n") + "sh1,静安店,上海,x,31.23,121.45,lihua,,y\n"
    status, refused = api("POST", "/api/stores/import", table.encode(), "text/csv")
    (wrong,) = refused["errors"]
    assert (status, wrong["field"], wrong["code"]) == (422, "file", "table_two_columns")
    assert wrong["message"] == "文件第一行有两列都是 name"


def test_made_read_changed_deleted(api: Api) -> None:
    status, made = api("POST", "/api/stores", STORE)
    assert status == 201
    assert {k: made[k] for k in STORE} == STORE
    assert api("GET", "/api/stores/SZ001") == (200, made)
    assert api("POST", "/api/stores", STORE)[0] == 409
    status, changed = api("PATCH", "/api/stores/SZ001", {"hours": {"to": "21:00"}, "staff_ids": []})
    assert status == 200
    assert (changed["hours"], changed["staff_ids"]) == ({**STORE["hours"], "to": "21:00"}, [])
    assert api("PATCH", "/api/stores/SZ001", {"hours": None})[1]["hours"] is None
    assert api("PATCH", "/api/stores/SZ001", {"latitude": 91})[1]["errors"][0]["field"] == "latitude"
    assert api("PATCH", "/api/stores/SZ001", {"name": None})[0] == 422
    assert api("PATCH", "/api/stores/SZ001", {"store_id": "other"})[0] == 422
    assert api("GET", "/api/stores/SZ001")[1]["name"] == "南山店"
    assert api("DELETE", "/api/stores/SZ001")[0] == 200
    for method in ("GET", "DELETE"):
        assert api(method, "/api/stores/SZ001")[0] == 404
    assert api("PATCH", "/api/stores/SZ001", {"name": "x"})[0] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"latitude": "north"}, "latitude"),
        ({"longitude": 181}, "longitude"),
        ({"store_id": "a/b"}, "store_id"),
        ({"hours": {"from": "25:00", "to": "22:00"}}, "hours.from"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(api: Api, change: dict[str, Any], field: str) -> None:
    status, problem = api("POST", "/api/stores", STORE | change)
    assert (status, [e["field"] for e in problem["errors"]]) == (422, [field])


def test_listed_page_by_page(api: Api) -> None:
    for number in (3, 1, 2):
        api("POST", "/api/stores", STORE | {"store_id": f"S{number}"})
    _, first = api("GET", "/api/stores?limit=2")
    _, rest = api("GET", f"/api/stores?limit=2&cursor={first['next_cursor']}")
    assert [s["store_id"] for s in first["items"] + rest["items"]] == ["S1", "S2", "S3"]


def test_searched_filtered_and_sorted_on_the_map(api: Api) -> None:
    rows = [
        ("A", "重庆店", "重庆", "open"),
        ("B", "南山店", "深圳", "closed"),
        ("C", "南山二店", "深圳", "open"),
    ]
    for store_id, name, city, status in rows:
        row = STORE | {"store_id": store_id, "name": name, "city": city, "status": status}
        assert api("POST", "/api/stores", row)[0] == 201

    def ids(query: str) -> list[str]:
        found = api("GET", f"/api/stores?{query}")[1]
        assert (found["total"], found["total_is"]) == (len(found["items"]), "exact")
        return [row["store_id"] for row in found["items"]]

    assert ids("sort=name") == ["A", "B", "C"] and ids("sort=-name") == ["C", "B", "A"]
    assert ids("q=nsd") == ["B"] and ids("q=zqd") == ids("q=cqd") == ids("q=a") == ["A"]
    assert sorted(ids("city=深圳")) == ["B", "C"] and ids("city=深圳&status=open") == ["C"]
    assert ids("status=closed") == ["B"]
    for query, field in (("sort=city", "sort"), ("limit=201", "limit"), ("cursor=x", "cursor")):
        status, problem = api("GET", f"/api/stores?{query}")
        assert (status, problem["errors"][0]["field"]) == (422, field)
    asked = requests()
    ids("limit=200")
    # The key, the map's list of cells and changes, the page's rows and their guides: the process has cells.
    assert asked == ["GetItem", "Query", "BatchGetItem", "BatchGetItem"]


def test_what_is_wrong_with_a_line_is_said_in_the_language_that_is_asked_for(api: Api) -> None:
    table = HEAD.strip() + ",hours\nS1,一店,,,1,2,,,whenever\n"
    _, done = api("POST", "/api/stores/import", {"csv": table})
    (error,) = done["errors"]
    assert (error["line"], error["field"], error["code"]) == (2, "hours", "store_hours")
    assert "为周一" in error["message"]


def test_an_import_takes_the_right_rows_and_tells_of_the_others(api: Api) -> None:
    table = (
        HEAD
        + "SZ001,南山店,深圳,,22.5,113.9,lihua;wangwu,\n"
        + "SZ002,福田店,深圳,,north,113.9,,\n"
        + "SZ001,again,,,1,1,,\n"
        + ",nameless,,,1,1,,\n"
        + "SZ003,龙岗店,深圳,,22.7,114.2,,\n"
    )
    status, told = api("POST", "/api/stores/import", ("\ufeff" + table).encode(), "text/csv")
    assert status == 200
    assert told["imported"] == 2
    assert [(e["line"], e["field"]) for e in told["errors"]] == [
        (3, "latitude"),
        (4, "store_id"),
        (5, "store_id"),
    ]
    _, listed = api("GET", "/api/stores")
    assert [s["name"] for s in listed["items"]] == ["龙岗店", "南山店"]  # by pinyin
    assert listed["items"][1]["staff_ids"] == ["lihua", "wangwu"]


def test_the_same_table_twice_is_the_same_stores(api: Api) -> None:
    table = HEAD + "SZ001,南山店,深圳,,22.5,113.9,,\n"
    _, first = api("POST", "/api/stores/import", {"csv": table})
    _, before = api("GET", "/api/stores/SZ001")
    _, again = api("POST", "/api/stores/import", {"csv": table.replace("南山店", "南山旗舰店")})
    _, after = api("GET", "/api/stores/SZ001")
    assert first == again == {"imported": 1, "errors": []}
    assert (after["name"], after["created_at"]) == ("南山旗舰店", before["created_at"])


def test_columns_that_a_table_lacks_stay_as_they_are(api: Api) -> None:
    head = HEAD.strip() + ",hours,status,datum\n"
    full = head + "S1,一店,深圳,路,22.5,113.9,lihua,wrA,12345 10:00-22:00,closed,wgs84\n"
    assert api("POST", "/api/stores/import", {"csv": full})[1]["errors"] == []
    _, before = api("GET", "/api/stores/S1")
    assert before["hours"] == {"weekdays": [1, 2, 3, 4, 5], "from": "10:00", "to": "22:00"}
    short = "store_id,name,latitude,longitude,city\nS1,二店,22.6,113.9,\n"
    assert api("POST", "/api/stores/import", {"csv": short})[1] == {"imported": 1, "errors": []}
    _, after = api("GET", "/api/stores/S1")
    # The datum is the position's, which was given anew.
    new = {"name": "二店", "latitude": 22.6, "city": "", "datum": "gcj02"}
    times = {name: after[name] for name in ("version", "created_at", "updated_at")}
    assert after == before | new | times


def test_hours_that_are_none_and_rows_that_are_too_long(api: Api) -> None:
    table = HEAD.strip() + ",hours\n"
    table += "S1,一店,,,1,2,,,whenever\nS2,二店,,,1,2,,,25:00-26:00\nS3,三店,,,1,2,,,,x\n"
    _, told = api("POST", "/api/stores/import", {"csv": table})
    assert told["imported"] == 0
    assert [(e["line"], e["field"]) for e in told["errors"]] == [
        (2, "hours"),
        (3, "hours.from"),
        (3, "hours.to"),
        (4, "store_id"),
    ]
    assert ["12345 10:00-22:00" in e["message"] for e in told["errors"]] == [True, True, True, False]


def test_an_import_of_what_is_there_writes_nothing(api: Api) -> None:
    table = HEAD + "SZ001,南山店,深圳,,22.5,113.9,lihua,\n"
    api("POST", "/api/stores/import", {"csv": table})
    _, before = api("GET", "/api/stores/SZ001")
    asked = requests()
    assert api("POST", "/api/stores/import", {"csv": table})[1]["imported"] == 1
    assert {"BatchGetItem"} <= set(asked) and not [name for name in asked if "Write" in name or "Put" in name]
    assert api("GET", "/api/stores/SZ001")[1] == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a,b\n1,2\n", "text/csv", 422),
        (b"\xff\xff\xff", "text/csv", 400),
        ({"table": "x"}, "application/json", 422),
        (b"[", "application/json", 400),
    ],
)
def test_what_is_no_table(api: Api, body: Any, kind: str, status: int) -> None:
    assert api("POST", "/api/stores/import", body, kind)[0] == status


TABLE = [
    ["门店编号", "门店名称", "纬度", "经度", "员工账号", "营业时间"],
    ["ＳＺ００１", "南山店", "２２．５", "113.9", "lihua", "１０：００－２２：００"],
    ["2.02611E+16", "福田店", "22.5", "113.9", "", ""],
    ["SZ003", "龙岗店", "114.2", "22.7", "", ""],
]


def files() -> Iterator[bytes]:
    yield tables_corpus.workbook(tables_corpus.sheet(TABLE))
    yield from (raw for _, raw in tables_corpus.csvs(TABLE))


def test_a_table_of_stores_comes_as_any_file(api: Api) -> None:
    for raw in list(files())[::5]:
        status, done = api("POST", "/api/stores/import", raw, "application/octet-stream")
        assert (status, done["imported"]) == (200, 1)
        line = 3 if b"s\0e\0p\0" in raw or b"sep=" in raw or b"\0s\0e\0p" in raw else 2
        assert [(one["line"], one["field"], one["code"]) for one in done["errors"]] == [
            (line + 1, "store_id", "cell_rounded"),
            (line + 2, "latitude", "coordinates_swapped"),
        ]
        assert [one["message"][:8] for one in done["errors"]] == ["Excel 已把", "经纬度填反了？对"]
        store = api("GET", "/api/stores/SZ001")[1]
        assert (store["name"], store["hours"]["from"], store["staff_ids"]) == ("南山店", "10:00", ["lihua"])


def test_a_number_that_excel_has_rounded_is_no_store_id(api: Api) -> None:
    cells = '<c><v>{}</v></c><c t="inlineStr"><is><t>a</t></is></c><c><v>22.5</v></c><c><v>113.9</v></c>'
    head = "".join(
        f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("编号", "名称", "纬度", "经度")
    )
    raw = tables_corpus.workbook(
        tables_corpus.cells(head, cells.format("2026112200017001"), cells.format(1001))
    )
    _, done = api("POST", "/api/stores/import", raw, "application/octet-stream")
    assert (done["imported"], [(one["line"], one["code"]) for one in done["errors"]]) == (
        1,
        [(2, "cell_rounded")],
    )
    assert api("GET", "/api/stores/1001")[0] == 200


@pytest.mark.parametrize("place", [(113.9347, 22.5171), (87.6, 43.8)])
def test_a_position_the_wrong_way_round_is_told(api: Api, place: tuple[float, float]) -> None:
    swapped = STORE | {"latitude": place[0], "longitude": place[1]}
    status, problem = api("POST", "/api/stores", swapped)
    assert (status, [one["code"] for one in problem["errors"]]) == (422, ["coordinates_swapped"])
    assert problem["errors"][0]["message"].startswith("经纬度填反了？")
    assert api("POST", "/api/stores", STORE)[0] == 201
    status, problem = api("PATCH", "/api/stores/SZ001", {"latitude": place[0], "longitude": place[1]})
    assert (status, problem["errors"][0]["code"]) == (422, "coordinates_swapped")


def test_a_table_without_rows_is_refused_and_one_too_large_too(api: Api) -> None:
    status, problem = api("POST", "/api/stores/import", HEAD.encode(), "text/csv")
    assert (status, [(one["field"], one["code"]) for one in problem["errors"]]) == (
        422,
        [("file", "table_no_rows")],
    )
    assert api("POST", "/api/stores/import", b"x" * (4 * 1024 * 1024 + 1), "text/csv")[0] == 413
    rows = "".join(f"S{n},n,1,2\n" for n in range(5001))
    status, problem = api(
        "POST", "/api/stores/import", ("store_id,name,latitude,longitude\n" + rows).encode(), "text/csv"
    )
    assert problem["errors"][0]["code"] == "too_many_rows"


def test_a_quote_that_is_never_closed_costs_its_line(api: Api) -> None:
    table = HEAD + 'S1,"a,,,1,2,,\nS2,b,,,1,2,,\n'
    _, done = api("POST", "/api/stores/import", {"csv": table})
    assert (done["imported"], [(one["line"], one["code"]) for one in done["errors"]]) == (
        1,
        [(2, "row_quote_open")],
    )


def test_coordinates_that_no_store_holds_are_rounded(api: Api) -> None:
    tiny = STORE | {"store_id": "TINY", "latitude": 5e-324, "longitude": 121.44551234567}
    status, made = api("POST", "/api/stores", tiny)
    assert (status, made["latitude"], made["longitude"]) == (201, 0.0, 121.4455123)


def test_an_id_that_no_store_can_have_costs_its_row_and_not_the_table(api: Api) -> None:
    asked: list[str] = []
    events = storage.connection().client.meta.events
    events.register(
        "provide-client-params.dynamodb.BatchGetItem", lambda params, **_: asked.append(json.dumps(params))
    )
    table = HEAD + "x" * 3000 + ",远店,深圳,,22.5,113.9,,\n" + "SZ009,好店,深圳,,22.5,113.9,,\n"
    status, done = api("POST", "/api/stores/import", {"csv": table})
    assert (status, done["imported"]) == (200, 1)
    assert [(one["line"], one["field"]) for one in done["errors"]] == [(2, "store_id")]
    assert "SZ009" in "".join(asked) and "xxx" not in "".join(asked)  # AWS would refuse it all; moto does not
