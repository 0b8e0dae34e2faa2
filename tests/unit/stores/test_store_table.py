"""A table of stores, the way operators keep it."""

import pytest

from chalicelib.stores import rules

HEAD = "store_id,name,city,address,latitude,longitude,staff_ids,chat_ids\n"


def test_rows_carry_their_line_numbers_through_blank_lines_and_quotes() -> None:
    text = (
        HEAD + 'SZ001,南山店,深圳,"海岸城\n一楼, 101",22.5171,113.9347,lihua; wangwu,\n'
        "\n,,,,,,,\nSZ002,b,c,d,1,2,,wr1；wr2\n"
    )
    found = list(rules.rows(text))
    assert [line for line, _ in found] == [3, 6]
    first, second = found[0][1], found[1][1]
    assert first["address"] == "海岸城\n一楼, 101"
    assert (first["latitude"], first["longitude"]) == (22.5171, 113.9347)
    assert first["staff_ids"] == ["lihua", "wangwu"]
    assert second["chat_ids"] == ["wr1", "wr2"]


def test_columns_in_any_order_and_unknown_ones_left_out() -> None:
    found = list(rules.rows("Latitude, NAME ,x,longitude,store_id\n1,n,y,2,s\n"))
    assert found[0][1] == {
        "store_id": "s",
        "name": "n",
        "latitude": 1.0,
        "longitude": 2.0,
        "staff_ids": [],
        "chat_ids": [],
    }


def test_what_is_no_number_stays_text_for_the_types_to_refuse() -> None:
    found = list(rules.rows("store_id,name,latitude,longitude\ns,n,north,nan\n"))
    assert found[0][1]["latitude"] == "north"
    assert found[0][1]["longitude"] == "nan"


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", "store_id,name,latitude\n", HEAD.strip() + ",name\n", "\x00", '"' + "x" * 200_000],
)
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(rules.BadTable):
        list(rules.rows(text))


def test_too_many_rows() -> None:
    with pytest.raises(rules.BadTable, match="5000"):
        list(rules.rows("store_id,name,latitude,longitude\n" + "s,n,1,2\n" * 5001))


def test_excels_encodings() -> None:
    assert rules.decoded("南山".encode("utf-8-sig")) == "南山"
    assert rules.decoded("南山".encode("gb18030")) == "南山"
    with pytest.raises(rules.BadTable):
        rules.decoded(b"\xff\xff\xff")
