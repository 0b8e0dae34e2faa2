"""A table of stores, the way operators keep it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.prospects.table_columns import COLUMNS
from chalicelib.stores import rules
from chalicelib.tables import previews, reading
from chalicelib.tables.types import BadTable

HEAD = "store_id,name,city,address,latitude,longitude,staff_ids,chat_ids\n"


def rows(text: str, encoding: str = "utf-8") -> Iterator[tuple[int, dict[str, Any]]]:
    table = reading.read(text.encode(encoding), rules.COLUMNS)
    for row in table.rows:
        assert not row.fault
        yield row.line, rules.typed(rules.fields_of(row.values, table.where))


def test_rows_carry_their_line_numbers_through_blank_lines_and_quotes() -> None:
    text = (
        HEAD + 'SZ001,南山店,深圳,"海岸城\n一楼, 101",22.5171,113.9347,lihua; wangwu,\n'
        "\n,,,,,,,\nSZ002,b,c,d,1,2,,wr1；wr2\n"
    )
    found = list(rows(text))
    assert [line for line, _ in found] == [2, 6]  # where each begins
    first, second = found[0][1], found[1][1]
    assert first["address"] == "海岸城\n一楼, 101"
    assert (first["latitude"], first["longitude"]) == (22.5171, 113.9347)
    assert first["staff_ids"] == ["lihua", "wangwu"]
    assert second["chat_ids"] == ["wr1", "wr2"]


def test_columns_in_any_order_and_unknown_ones_left_out() -> None:
    found = list(rows("Latitude, NAME ,x,longitude,store_id\n1,n,y,2,s\n"))
    assert found[0][1] == {"store_id": "s", "name": "n", "latitude": 1.0, "longitude": 2.0}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_table_as_a_chinese_operator_keeps_it(encoding: str) -> None:
    head = "门店编号*;门店名称;纬度（GCJ-02）;经度;员工账号;营业时间;营业状态;坐标系"
    row = "ＳＺ００１;\u3000南山店 ;２２．５１７１;113.9347 ;ｌｉｈｕａ、wangwu;１０：００～２２：００;停业;高德"
    ((line, fields),) = rows(f"{head}\r{row}\r", encoding)
    assert (line, fields) == (
        2,
        {
            "store_id": "SZ001", "name": "南山店", "latitude": 22.5171, "longitude": 113.9347,
            "staff_ids": ["lihua", "wangwu"], "hours": {"from": "10:00", "to": "22:00"}, "status": "closed",
            "datum": "gcj02",
        },
    )  # fmt: skip


def test_what_is_no_number_stays_text_for_the_types_to_refuse() -> None:
    found = list(rows("store_id,name,latitude,longitude\ns,n,north,nan\n"))
    assert found[0][1]["latitude"] == "north"
    assert found[0][1]["longitude"] == "nan"


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "store_id,name,latitude\n", HEAD.strip() + ",name\n", "\x00"]
)
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(BadTable):
        list(rows(text))


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("10:00-22:00", {"from": "10:00", "to": "22:00"}),
        ("9:30 - 24:00", {"from": "09:30", "to": "24:00"}),
        ("67 22:00-02:00", {"weekdays": [6, 7], "from": "22:00", "to": "02:00"}),
        ("10：00－22：00", {"from": "10:00", "to": "22:00"}),
        ("10:00至22:00", {"from": "10:00", "to": "22:00"}),
        ("", None),
        ("whenever", "whenever"),
    ],
)
def test_hours(text: str, hours: object) -> None:
    (row,) = rows(f"store_id,name,latitude,longitude,hours\ns,n,1,2,{text}\n")
    assert row[1]["hours"] == hours


def damage(**fields: str) -> list[tuple[str, str]]:
    return list(rules.damage(fields, rules.rounded_ids([fields])))


def test_what_a_spreadsheet_has_lost_is_told_by_its_field() -> None:
    assert damage(store_id="1.23E+15") == [("store_id", "cell_rounded")]
    assert damage(store_id="2026112200017000000") == [("store_id", "cell_rounded")]
    assert damage(staff_ids="lihua;2.02611E+16") == [("staff_ids", "cell_rounded")]
    assert damage(name="=VLOOKUP(A1,B:C,2)", address="#N/A") == [
        ("name", "cell_formula"),
        ("address", "cell_error"),
    ]
    assert damage(latitude="=A1") == [("latitude", "cell_formula")]
    assert damage(store_id="SZ001", name="=好评", latitude="22.5") == []


@given(st.floats(4, 53.5), st.floats(74, 135))
def test_a_chinese_position_the_wrong_way_round_is_known(latitude: float, longitude: float) -> None:
    assert rules.are_swapped(longitude, latitude)
    assert not rules.are_swapped(latitude, longitude)


@pytest.mark.parametrize(
    "place", [(25.2, 55.3), (51.5, -0.1), (-33.9, 151.2), (1.3, 103.8), (69.6, 18.9), (1, 2), ("x", 2)]
)
def test_a_position_elsewhere_is_not_taken_for_one(place: tuple[Any, Any]) -> None:
    assert not rules.are_swapped(*place)


def test_a_preview_says_what_each_column_holds() -> None:
    raw = f"{HEAD.strip()},店长\nSZ001,南山店\n".encode("gb18030")
    seen = previews.preview(raw, rules.COLUMNS)
    assert seen.format == "csv" and [one.field for one in seen.columns][-2:] == ["chat_ids", None]
    assert seen.columns[-1].name == "店长" and seen.rows[0].line == 2
    assert seen.rows[0].values == ["SZ001", "南山店", *[""] * 7]
    with pytest.raises(BadTable, match="table_no_header"):
        previews.preview(b"", rules.COLUMNS)


def test_a_column_that_is_called_otherwise_is_named() -> None:
    raw = "编号,招牌,lat,lng\ns,n,1,2\n".encode()
    with pytest.raises(BadTable, match="columns_missing"):
        reading.read(raw, rules.COLUMNS)
    assert reading.read(raw, rules.COLUMNS, {"name": "招牌"}).where["name"] == 1
    for name in ("导购账号", "企业微信账号", "员工账号", "导购"):  # as screens and files of ours call it
        assert rules.COLUMNS.field_of(name) == "staff_ids" and COLUMNS.field_of(name) == "staff_id"
    assert reading.read(b"phone,id\n", COLUMNS).where == {"phone": 0, "external_id": 1}
    assert "external_id" not in reading.read(b"phone,id\n", COLUMNS, {"external_id": "-"}).where
