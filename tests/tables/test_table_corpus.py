"""The same table in every way of writing it, for every importer: each reads the same rows out of each."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.coupons import rules as coupons
from chalicelib.prospects import phones, table_columns
from chalicelib.stores import rules as stores
from chalicelib.tables import cells, encodings, reading
from chalicelib.tables.columns import Columns
from chalicelib.tables.types import BadTable
from tests.support import tables_corpus as corpus

Rows = list[list[str]]
STORES = [
    ["门店编号", "门店名称", "地址", "纬度", "经度", "员工账号", "营业时间"],
    [
        "SZ001",
        "南山店",
        '海岸城 "一楼", A;B',
        "２２．５１７１",
        "113.9347",
        "lihua；wangwu",
        "１０：００-２２：００",
    ],
    ["SZ002", "福田店", "福华路\n2 号", "22.5410", "114.0591", "", ""],
]
PHONES = [
    ["姓名", "手机号", "备注", "会员号"],
    ["张三丰", "１３８ 0013 8000", "老客，会员日来过", "0017"],
    ["李四", "VIP3 13900139000", "南山店;", "M-2"],
]
CODES = [["面值", "券码"], ["10 元", "Ａ-1"], ["20 元", "0017"]]
TRADITIONAL = str.maketrans(
    "门编号称址纬经员账营业时间张丰会码员备注机岸楼华员日来过",
    "門編號稱址緯經員帳營業時間張豐會碼員備註機岸樓華員日來過",
)


def traditional(rows: Rows) -> Rows:
    return [[cell.translate(TRADITIONAL) for cell in row] for row in rows]


def read(raw: bytes, columns: Columns, *, needs_header: bool = True) -> list[dict[str, str]]:
    table = reading.read(raw, columns, needs_header=needs_header)
    rows = list(table.rows)
    assert not any(row.fault for row in rows)
    return [
        {name: row.values[at] for name, at in table.where.items() if at < len(row.values)} for row in rows
    ]


def read_stores(raw: bytes) -> list[Any]:
    rows = read(raw, stores.COLUMNS)
    made = [
        stores.typed(stores.fields_of(list(row.values()), {name: i for i, name in enumerate(row)}))
        for row in rows
    ]
    return [
        [row["store_id"], row["latitude"], row["longitude"], row["staff_ids"], row["hours"]] for row in made
    ]


def read_phones(raw: bytes) -> list[Any]:
    rows = [
        table_columns.fields(list(row.values()), {n: i for i, n in enumerate(row)})
        for row in read(raw, table_columns.COLUMNS)
    ]
    assert not any(table_columns.damage(row) for row in rows)
    return [[phones.normalised(row["phone"], "CN"), row["external_id"]] for row in rows]


def read_codes(raw: bytes) -> list[Any]:
    codes, issues = coupons.parse(reading.read(raw, coupons.COLUMNS, needs_header=False))
    assert not issues
    return list(codes)


IMPORTERS: dict[str, tuple[Rows, Callable[[bytes], list[Any]], list[Any]]] = {
    "stores": (
        STORES,
        read_stores,
        [
            ["SZ001", 22.5171, 113.9347, ["lihua", "wangwu"], {"from": "10:00", "to": "22:00"}],
            ["SZ002", 22.541, 114.0591, [], None],
        ],
    ),
    "phones": (PHONES, read_phones, [["+8613800138000", "0017"], ["+8613900139000", "M-2"]]),
    "codes": (CODES, read_codes, ["A-1", "0017"]),
}


@pytest.mark.parametrize("importer", IMPORTERS)
def test_every_importer_reads_every_csv(importer: str) -> None:
    rows, reads, expected = IMPORTERS[importer]
    seen = 0
    for table in (rows, traditional(rows)):
        for name, raw in corpus.csvs(table):
            assert reads(raw) == expected, name
            seen += 1
    assert seen == 2 * 7 * 12 + 12  # Big5 has only the traditional one


@pytest.mark.parametrize("importer", IMPORTERS)
def test_every_importer_reads_every_workbook(importer: str) -> None:
    rows, reads, expected = IMPORTERS[importer]
    for name, raw in corpus.workbooks(rows):
        assert reads(raw) == expected, name


def names_of(raw: bytes) -> list[str]:
    """Names of the rows that can be read, and what is wrong with the others."""
    table = reading.read(raw, table_columns.COLUMNS)
    return [row.fault or row.values[table.where["name"]] for row in table.rows]


NAMES = ["张三丰", "李四", "王小雅", "周大"]
TABLE = [["姓名", "手机号"], *([name, f"1380013800{n}"] for n, name in enumerate(NAMES))]


@pytest.mark.parametrize("encoding", corpus.ENCODINGS)
def test_one_bad_byte_costs_its_line_and_no_other(encoding: str) -> None:
    table = traditional(TABLE) if encoding == "big5" else TABLE
    names = [row[0] for row in table[1:]]
    codec, mark = corpus.ENCODINGS[encoding]
    lines = ["\t".join(row).encode(codec) for row in table]
    # A byte (in UTF-16 two: half of a surrogate) that no character has.
    bad = {"utf-16-le": b"\x00\xd8", "utf-16-be": b"\xd8\x00"}.get(codec, b"\xff")
    lines[2] = lines[2][:2] + bad + lines[2][2:]
    raw = mark + "\r\n".encode(codec).join(lines)
    assert names_of(raw) == [names[0], "row_not_text", *names[2:]]


def test_a_bad_byte_in_the_one_chinese_word_changes_no_encoding() -> None:
    raw = "手机号,姓名".encode() + b"\n13800138000,ab\n13900139000,\xffc\n"
    assert names_of(raw) == ["ab", "row_not_text"]
    raw = "手机号,姓名\n13800138000,张三\n13800138001,李\n".encode() + "13900139000,王五\n".encode("gb18030")
    assert names_of(raw) == ["张三", "李", "row_not_text"]  # the majority's; the other is told
    raw = "手机号,姓名\n13800138000,张三\n13800138001,李四\n".encode("gb18030") + "13900139000,王\n".encode()
    assert names_of(raw)[:2] == ["张三", "李四"]


@pytest.mark.parametrize("length", [2, 3, 5, 20])
@pytest.mark.parametrize("encoding", ["gb18030", "big5hkscs", "utf-8"])
def test_short_chinese_tables_are_told_apart(encoding: str, length: int) -> None:
    given = "手機號碼,姓名,備註\n" if encoding == "big5hkscs" else "手机号码,姓名,备注\n"
    names = "陳大文 林美玲 黃志明 張家豪" if encoding == "big5hkscs" else "陈大文 林美玲 黄志明 张家豪"
    text = given + "".join(
        f"1380013800{n},{name}\n" for n, name in enumerate((names.split() * 9)[: length - 1])
    )
    raw = text.encode(encoding)
    assert encodings.examine(lambda start, size: raw[start : start + size])[0] == encoding


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<c><v>13800138000</v></c>", "13800138000"),
        ("<c><v>1.38001380000E10</v></c>", "13800138000"),
        ("<c><v>123456789012345</v></c>", "123456789012345"),
        ("<c><v>1234567890123456</v></c>", "1.23456789012346E+15"),
        ("<c><v>2.0261122000170001E+18</v></c>", "2.02611220001700E+18".replace("00E", "E")),
        ("<c><v>1E+15</v></c>", "1E+15"),
        ("<c><v>22.517100000000003</v></c>", "22.5171"),
        ('<c t="b"><v>1</v></c>', "TRUE"),
        ('<c t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c t="d"><v>2026-11-22T00:00:00</v></c>', "2026-11-22"),
        ("<c><f>A1+1</f></c>", "=A1+1"),
        ('<c><f t="shared" si="0"/><v></v></c>', cells.FORMULA),
        ('<c t="str"><f>A1</f><v></v></c>', ""),
        ('<c t="str"><f>A1</f><v>x_x000D_y</v></c>', "x\ry"),
        ('<c t="inlineStr"><is><t>a_x000D__x005F_x0041__xD83D__xDE0A_</t></is></c>', "a\r_x0041_😊"),
        ('<c s="1"><v>17</v></c>', "00017"),
        ('<c s="2"><v>46348</v></c>', "2026-11-22"),
        ('<c s="3"><v>0.4375</v></c>', "10:30"),
    ],
)
def test_a_cell_is_read_as_a_person_sees_it(cell: str, shown: str) -> None:
    formats = (
        '<numFmts><numFmt numFmtId="170" formatCode="00000"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="14"/><xf numFmtId="20"/></cellXfs>'
    )
    head = '<c t="inlineStr"><is><t>code</t></is></c>' * 2
    end = '<c t="inlineStr"><is><t>end</t></is></c>'
    raw = corpus.workbook(corpus.cells(head.replace("code", "x", 1), cell + end), styles=formats)
    ((value, _),) = [row.values for row in reading.read(raw, coupons.COLUMNS).rows]
    assert value == shown


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.23E+15", "cell_rounded"),
        ("2.02611E+16", "cell_rounded"),
        ("１．２３Ｅ＋１５", "cell_rounded"),
        ("=A1", "cell_formula"),
        (cells.FORMULA, "cell_formula"),
        ("#REF!", "cell_error"),
        ("1E5", ""),
        ("E+15", ""),
        ("=好评", ""),
        ("#1", ""),
        ('="0017"', ""),
    ],
)
def test_what_a_spreadsheet_has_lost_is_known(text: str, code: str) -> None:
    assert cells.damage(cells.plain(text)) == code


def test_long_numbers_are_suspected_together() -> None:
    assert cells.rounded(["2026112200017000", "2026112200018000"]) == {"2026112200017000"} | {
        "2026112200018000"
    }
    assert cells.rounded(["2026112200017000", "2026112200018001", "A"]) == frozenset()
    assert cells.rounded(["123456789012345", "12345678901234X0"]) == frozenset()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "table_no_header"),
        (b"\n \n", "table_no_header"),
        (b"sep=;\r\n", "table_no_header"),
        (b"a,b\n1,2\n", "columns_missing"),
        ("编号,名称\n".encode() + "甲,乙\n".encode() * 9, "columns_missing"),
        ("编号,".encode() + b"\xff\n" + "甲,乙\n".encode() * 9, "table_header_damaged"),
        ("编号,编号,名称,纬度,经度".encode(), "table_two_columns"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "table_old_workbook"),
        (b"PK\x03\x04" + bytes(60), "table_not_xlsx"),
        (bytes(range(256)) * 4 + bytes(500), "table_not_text"),
        (corpus.workbook(corpus.sheet([])), "table_no_header"),
        (corpus.workbook(corpus.sheet([["x"]])), "columns_missing"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(raw: bytes, code: str) -> None:
    with pytest.raises(BadTable) as refused:
        list(reading.read(raw, stores.COLUMNS).rows)
    assert refused.value.code == code


@pytest.mark.parametrize("first", [b"sep=\r\n", b"sep=\r", b"sep=\n", b'"sep="\r\n', b'sep="\r\n'])
def test_a_delimiter_that_is_none_is_found_out(first: bytes) -> None:
    raw = first + '编号;名称;纬度;经度\r\n1;"a;b";31.2;121.5\r\n'.encode()
    rows = list(reading.read(raw, stores.COLUMNS).rows)
    assert [row.values for row in rows] == [("1", "a;b", "31.2", "121.5")]


def test_a_workbook_that_unpacks_without_end_is_refused_at_a_door() -> None:
    bomb = corpus.workbook(corpus.sheet([["x"]], before=" " * (65 << 20)))
    assert len(bomb) < 1 << 20
    with pytest.raises(BadTable, match="table_too_large"):
        reading.read(bomb, stores.COLUMNS)


def test_a_cell_far_out_costs_nothing() -> None:
    far = '<row r="1048576"><c r="GR1048576" t="inlineStr"><is><t>far</t></is></c><c r="XFD1048576"><v>1</v></c></row>'
    raw = corpus.workbook(corpus.sheet([["code"], ["A1"]]).replace("</sheetData>", far + "</sheetData>"))
    rows = list(reading.read(raw, coupons.COLUMNS).rows)
    assert [(row.line, row.values[0]) for row in rows] == [(2, "A1"), (1048576, "")]


def test_what_is_no_row_is_not_held() -> None:
    """200,000 elements before the rows, and a row of a million: as XML they would be some dozen MB of memory."""
    raw = corpus.workbook(corpus.sheet([["code"], ["A1"]], before="<cols>" + "<col/>" * 200_000 + "</cols>"))
    tracemalloc.start()
    try:
        assert [row.values for row in reading.read(raw, coupons.COLUMNS).rows] == [("A1",)]
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    raw = corpus.workbook(corpus.cells("<c/>" * 1_000_000))
    with pytest.raises(BadTable, match="table_damaged"):
        reading.read(raw, coupons.COLUMNS)
