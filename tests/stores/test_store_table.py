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
    assert [line for line, _, _ in found] == [2, 6]  # where each begins
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
    }


def test_what_is_no_number_stays_text_for_the_types_to_refuse() -> None:
    found = list(rules.rows("store_id,name,latitude,longitude\ns,n,north,nan\n"))
    assert found[0][1]["latitude"] == "north"
    assert found[0][1]["longitude"] == "nan"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "a,b\n1,2\n",
            "store_id,name,latitude\n",
            HEAD.strip() + ",name\n",
            "\x00",
            '"' + "x" * 200_000,
        ),
        HEAD + 's,"never closed,,,1,2,,\nt,n,,,1,2,,\n',
    ],
)
def test_what_is_no_table(text: str) -> None:
    with pytest.raises(rules.BadTable):
        list(rules.rows(text))


def test_a_quote_that_is_never_closed_is_told_by_its_line() -> None:
    with pytest.raises(rules.BadTable, match="csv_quotes") as raised:
        list(rules.rows(HEAD + 's,n,,,1,2,,\nt,"n,,,1,2,,\nu,n,,,1,2,,\n'))
    assert raised.value.params == {"line": 3}


def test_a_row_longer_than_the_first_line() -> None:
    found = rules.rows("store_id,name,latitude,longitude,address\ns,n,1,2,a,b\nt,n,1,2,a,,\n")
    assert [more for _, _, more in found] == [True, False]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("10:00-22:00", {"from": "10:00", "to": "22:00"}),
        ("9:30 - 24:00", {"from": "09:30", "to": "24:00"}),
        ("67 22:00-02:00", {"weekdays": [6, 7], "from": "22:00", "to": "02:00"}),
        ("10：00-22：00", {"from": "10:00", "to": "22:00"}),
        ("", None),
        ("whenever", "whenever"),
    ],
)
def test_hours(text: str, hours: object) -> None:
    (row,) = rules.rows(f"store_id,name,latitude,longitude,hours\ns,n,1,2,{text}\n")
    assert row[1]["hours"] == hours


def test_too_many_rows() -> None:
    with pytest.raises(rules.BadTable, match="too_many_rows"):
        list(rules.rows("store_id,name,latitude,longitude\n" + "s,n,1,2\n" * 5001))


def test_excels_encodings() -> None:
    assert rules.decoded("南山".encode("utf-8-sig")) == "南山"
    assert rules.decoded("南山".encode("gb18030")) == "南山"
    with pytest.raises(rules.BadTable):
        rules.decoded(b"\xff\xff\xff")
