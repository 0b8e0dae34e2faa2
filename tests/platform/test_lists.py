"""Lists: pages of what is at hand and of histories, and the search by pinyin."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from chalicelib.platform import lists
from chalicelib.platform.errors import Invalid


class Thing(Struct, frozen=True):
    key: str
    name: str
    size: int | None = None


SORTS = {"name": lambda thing: thing.name, "size": lambda thing: thing.size}


def page(rows: list[Thing], sort: str = "name", **query: object) -> lists.Page[Thing]:
    wanted = lists.Searching(**query)  # type: ignore[arg-type]
    return lists.whole(
        rows, wanted, key=lambda t: t.key, sorts=SORTS, sort=sort, texts=lambda t: (t.name, t.key)
    )


things = st.lists(
    st.builds(
        Thing,
        st.text("abcdefgh", min_size=1, max_size=4),
        st.sampled_from("丙甲乙"),
        st.none() | st.integers(0, 3),
    ),
    unique_by=lambda thing: thing.key,
    max_size=30,
)


@given(things, st.sampled_from(["name", "-name", "size", "-size"]), st.integers(1, 7))
def test_pages_hold_each_row_once_in_the_sort_s_order(rows: list[Thing], sort: str, limit: int) -> None:
    seen: list[Thing] = []
    cursor = None
    while True:
        got = page(rows, sort, limit=limit, cursor=cursor)
        assert (got.total, got.total_is) == (len(rows), "exact")
        assert len(got.items) <= limit
        seen += got.items
        cursor = got.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(rows) == len({row.key for row in seen})
    order = "丙甲乙".index if sort.endswith("name") else int  # bing, jia, yi
    values = [SORTS[sort.removeprefix("-")](row) for row in seen]
    held = [value for value in values if value is not None]
    assert held == sorted(held, key=order, reverse=sort.startswith("-"))
    assert values[len(held) :] == [None] * (len(values) - len(held))  # unknown ones are last, either way


def test_names_stand_as_a_chinese_reader_looks_them_up() -> None:
    wanted = [
        "VIP 店",
        "北京国贸店",
        "长沙五一店",
        "成都太古里店",
        "重庆来福士店",
        "冯仪",
        "冯怡",
        "广州天河店",
        "何梅",
        "周婷",
    ]
    got = page([Thing(str(n), name) for n, name in enumerate(sorted(wanted))])
    assert [row.name for row in got.items] == wanted


def test_a_row_that_goes_meanwhile_skips_no_other() -> None:
    rows = [Thing(str(n), f"n{n}") for n in range(6)]
    first = page(rows, limit=3)
    rest = page([row for row in rows if row.key != "2"], limit=3, cursor=first.next_cursor)
    assert [row.key for row in first.items + rest.items] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("wanted", "text", "fits"),
    [
        ("bgk", "冬季包裹卡", True),
        ("djbgk", "冬季包裹卡", True),
        ("cq", "重庆店", True),  # 重 has two readings
        ("zq", "重庆店", True),
        ("vip3k", "VIP3卡", True),
        ("包裹", "冬季包裹卡", True),
        ("WINTER", "Winter card", True),
        ("baoguoka", "冬季包裹卡", True),
        ("baogk", "冬季包裹卡", True),
        ("bao guo", "冬季包裹卡", True),
        ("chongqing", "重庆店", True),
        ("zhongq", "重庆店", True),
        ("vip3ka", "VIP3卡", True),
        ("bk", "冬季包裹卡", False),
        ("baogoka", "冬季包裹卡", False),
        ("aoguo", "冬季包裹卡", False),
        ("wc", "Winter card", False),  # initials are for Chinese
        ("𠮷", "𠮷野家", True),
    ],
)
def test_a_search_finds(wanted: str, text: str, fits: bool) -> None:
    assert lists.matches(wanted, text) is fits


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "e30", "WzFd", "WyJhIiwiYiIsImMiXQ"])
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    if not cursor:
        assert page([], cursor=cursor).items == []
        return
    with pytest.raises(Invalid):
        page([Thing("a", "甲")], cursor=cursor)
    with pytest.raises(Invalid):
        lists.history(lambda **_: [], lists.Paging(cursor=cursor))


@given(st.sets(st.integers(0, 40)), st.integers(1, 9))
def test_several_partitions_are_one_history(numbers: set[int], limit: int) -> None:
    def partition_of(number: int) -> str:
        return "older" if number < 15 else f"newer#{number % 2}"

    def read(partition: str, before: str | None, count: int) -> list[int]:
        mine = [n for n in numbers if partition_of(n) == partition and (before is None or f"{n:02}" < before)]
        return sorted(mine, reverse=True)[:count]

    seen, cursor = [], None
    groups = [["newer#0", "newer#1"], ["older"]]
    while True:
        page = lists.merged(groups, read, lists.Paging(limit=limit, cursor=cursor), lambda n: f"{n:02}")
        seen += page.items
        cursor = page.next_cursor
        assert page.total == len(seen)
        if cursor is None:
            break
    assert seen == sorted(numbers, reverse=True)


def test_months_go_back_over_the_year_and_begin_at_the_cursor_s() -> None:
    now = datetime(2026, 1, 31, 20, tzinfo=UTC)
    names = [group[0][:7] for group in lists.months(now, 3)]
    assert names == ["2026-01", "2025-12", "2025-11"]
    assert lists.month_shard(now, "order-1") in next(lists.months(now))
    assert list(lists.months(now, 2, shards=1)) == [["2026-01#0"], ["2025-12#0"]]
    assert lists.month_shard(now, "order-1", 1) == "2026-01#0"


class Others(lists.Searching):
    pass


def test_a_cursor_is_good_for_its_list_in_its_order_alone() -> None:
    rows = [Thing(str(n), f"n{n}", n) for n in range(5)]
    by_name = page(rows, limit=2).next_cursor
    by_size = page(rows, "size", limit=2).next_cursor
    assert by_name and by_size
    for sort, cursor in (("size", by_name), ("name", by_size), ("-name", by_name)):
        with pytest.raises(Invalid):
            page(rows, sort, cursor=cursor)
    with pytest.raises(Invalid):
        lists.whole(rows, Others(cursor=by_name), key=lambda t: t.key, sorts=SORTS, sort="name")
    with pytest.raises(Invalid):
        lists.history(lambda **_: [], lists.Paging(cursor=by_name))


def test_a_cursor_that_was_changed_by_hand_is_refused() -> None:
    rows = [Thing(str(n), f"n{n}", n) for n in range(5)]
    for held in (5, True, None, ["n1"]):
        with pytest.raises(Invalid):
            page(rows, cursor=lists._encode(["Searchingname", False, held, "1"]))
