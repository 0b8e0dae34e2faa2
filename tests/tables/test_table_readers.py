"""CSV and XLSX, read from anywhere on, in bounded memory; nothing swallowed, nothing unpacked without end."""

import csv
import io
import warnings
import zipfile
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from chalicelib.platform import messages
from chalicelib.prospects import table_columns
from chalicelib.tables import encodings, xlsx_parts, xlsx_rows
from chalicelib.tables.csv_rows import MAX_RECORD, records
from chalicelib.tables.encodings import examine
from chalicelib.tables.types import BadTable, Record


def reader(raw: bytes) -> encodings.Read:
    return lambda start, length: raw[start : start + length]


def all_of(raw: bytes, encoding: str = "utf-8", start: int = 0, line: int = 1) -> list[Record]:
    return list(records(reader(raw), start, line, encoding, ","))


CELL = st.text(st.characters(codec="gb18030", exclude_characters="\x00\ufffd"), max_size=8)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=1, max_size=12)


@given(ROWS, st.sampled_from(["utf-8", "gb18030"]), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 40))
@settings(max_examples=60)
def test_what_was_written_is_read_whole_and_from_each_record_on(
    rows: list[list[str]], encoding: str, end: str, part: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows(rows)
    raw = text.getvalue().encode(encoding)
    before = encodings.PART
    encodings.PART = part  # every boundary between two reads
    try:
        found = all_of(raw, encoding)
        assert [list(r.values) for r in found] == [r for r in rows if any(c.strip() for c in r)]
        for i, record in enumerate(found):
            again = all_of(raw, encoding, record.end, record.following)
            assert again == found[i + 1 :]
    finally:
        encodings.PART = before


def test_lines_are_counted_as_an_editor_does() -> None:
    found = all_of(b'phone,name\n138,"a\nb"\n\n139,c\n')
    assert [(r.line, r.values[0]) for r in found] == [(1, "phone"), (2, "138"), (5, "139")]


def test_a_quote_inside_a_field_swallows_nothing() -> None:
    found = all_of(b'139,x"y\n137,z\n136,p"q\n')
    assert [r.values for r in found] == [("139", 'x"y'), ("137", "z"), ("136", 'p"q')]


def test_a_quote_that_never_ends_costs_its_own_line_only() -> None:
    filler = b"138,a\n" * 20_000
    found = all_of(b'137,"open\n' + filler)
    assert found[0].fault and found[0].line == 1
    assert len(found) == 20_001 and not any(r.fault for r in found[1:])


def test_a_line_without_end_is_told_and_not_held() -> None:
    found = all_of(b"138," + b"x" * (3 * MAX_RECORD) + b"\n139,b\n")
    assert found[0].fault and found[1].values == ("139", "b")


def test_encodings_are_told_apart_by_the_whole_file() -> None:
    late = b"phone,name\n" * 300_000 + "138,张三\n".encode("gb18030")  # plain for the first 3 MB
    assert examine(reader(late)) == ("gb18030", 300_001)
    assert examine(reader("\ufeff手机号\n138".encode())) == ("utf-8", 2)
    with pytest.raises(BadTable):
        examine(reader(b"PK\x03\x04\x00\x00\x00"))


def test_columns_by_their_usual_names_or_as_they_are_named() -> None:
    assert table_columns.positions(["\ufeff姓名", "手机号"], {}) == {"phone": 1, "name": 0}
    assert table_columns.positions(["A", "B"], {"phone": "b"}) == {"phone": 1}
    for header, columns in ((["姓名"], {}), (["手机", "电话"], {}), (["a"], {"phone": "b"})):
        with pytest.raises(BadTable):
            table_columns.positions(header, columns)


# XLSX


def workbook(rows: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("another").append(["never read"])
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def altered(sheet: str, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook with one part as it is given."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook([["phone"]]))) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in source.namelist():
            out.writestr(name, sheet if name == part else source.read(name))
    return packed.getvalue()


MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def sheet(rows: str, before: str = "") -> bytes:
    return altered(f"{before}<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>")


def with_texts(texts: str, rows: str) -> bytes:
    """A workbook with shared texts, as Excel writes it (openpyxl writes them into the cells)."""
    packed = io.BytesIO(sheet(rows))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    with zipfile.ZipFile(packed) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    types = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", types.encode())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
        for name, content in {**parts, "xl/sharedStrings.xml": texts}.items():
            changed.writestr(name, content)
    return out.getvalue()


def rows_of(packed: bytes) -> list[tuple[int, tuple[str, ...]]]:
    return [(r.line, r.values) for r in xlsx_rows.Book(io.BytesIO(packed)).records()]


PLAIN = st.one_of(st.none(), st.integers(0, 10**12), st.text("ab 李四<&", max_size=6))


@given(st.lists(st.lists(PLAIN, min_size=3, max_size=3), max_size=6))
@settings(max_examples=25)
def test_a_workbook_is_read_whole(rows: list[list[Any]]) -> None:
    packed = workbook([["手机号", "姓名", "备注"], *rows])
    texts = [["手机号", "姓名", "备注"], *([str("" if c is None else c) for c in row] for row in rows)]
    wanted = [(n, row) for n, row in enumerate(texts, 1) if any(c.strip() for c in row)]
    assert [(n, [*v, "", "", ""][:3]) for n, v in rows_of(packed)] == wanted


def test_a_shared_text_of_several_pieces_is_read_without_how_it_is_pronounced() -> None:
    texts = (
        "<si><t>手机</t></si><si><r><t>张</t></r><r><rPr/><t xml:space='preserve'> 三</t></r>"
        "<rPh sb='0' eb='1'><t>zhang</t></rPh></si><si/>"
    )
    cells = "".join(f"<c t='s'><v>{n}</v></c>" for n in range(3))
    packed = with_texts(f"<sst {MAIN}>{texts}</sst>", f"<row>{cells}</row>")
    assert rows_of(packed) == [(1, ("手机", "张 三", ""))]


def test_numbers_texts_and_gaps_are_read_as_a_person_sees_them() -> None:
    packed = sheet(
        """<row r="1"><c r="A1" t="inlineStr"><is><r><t>手</t></r><r><t>机</t></r></is></c></row>
        <row r="2"><c r="A2"><v>1.3800138000E10</v></c><c r="C2" t="str"><f>B1</f><v>备注</v></c></row>
        <row r="3"/><row r="5"><c><v>13900139000.0</v></c><c><v>0.5</v></c></row>"""
    )
    assert rows_of(packed) == [
        (1, ("手机",)),
        (2, ("13800138000", "", "备注")),
        (5, ("13900139000", "0.5")),
    ]


def test_a_wrong_dimension_hides_no_row() -> None:
    told = f'<worksheet {MAIN}><dimension ref="A1:A1"/><sheetData>'
    packed = altered(
        told + "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row></sheetData></worksheet>"
    )
    assert rows_of(packed) == [(1, ("1", "2")), (2, ("3",))]


def test_a_cell_and_a_row_end_somewhere() -> None:
    cells = "".join(f"<c><v>{n}</v></c>" for n in range(300))
    long = f'<row><c t="inlineStr"><is><t>{"x" * 5000}</t></is></c></row>'
    (_, first), (_, second) = rows_of(sheet(f"<row>{cells}</row>{long}"))
    assert (len(first), len(second[0])) == (xlsx_rows.MAX_COLUMNS, xlsx_rows.MAX_CELL)


def test_a_number_under_a_dates_format_is_quoted_nowhere() -> None:
    """openpyxl warns of it with the number, which may be a phone's."""
    packed = workbook([[date(2026, 11, 23)]])
    source = zipfile.ZipFile(io.BytesIO(packed)).read("xl/worksheets/sheet1.xml").decode()
    assert rows_of(packed) == [(1, ("2026-11-23",))]
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        styled = {name: parts.read(name) for name in parts.namelist()}
    styled["xl/worksheets/sheet1.xml"] = source.replace("<v>46349</v>", "<v>13800138000</v>").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name, content in styled.items():
            changed.writestr(name, content)
    with warnings.catch_warnings(record=True) as heard:
        assert rows_of(out.getvalue()) == [(1, ("#VALUE!",))]
    assert not heard


ENTITIES = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
LAUGHS = f"<!DOCTYPE x [<!ENTITY a0 'ha'>{ENTITIES}]>"
ROW = '<row r="%s"><c t="inlineStr"><is><t>%s</t></is></c></row>'
BROKEN = {
    "laughs": lambda: sheet(ROW % (1, "&a9;"), LAUGHS),
    "laughs_in_the_workbook": lambda: altered(f"{LAUGHS}<workbook {MAIN}>&a9;</workbook>", "xl/workbook.xml"),
    "external": lambda: sheet(ROW % (1, "&a;"), "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"),
    "bomb": lambda: sheet(" " * (2 << 20)),
    "held": lambda: altered(" " * (1 << 19), "xl/theme/theme1.xml"),
    "texts": lambda: with_texts(" " * (1 << 19), ""),
    "laughs_in_the_texts": lambda: with_texts(f"{LAUGHS}<sst {MAIN}><si><t>&a9;</t></si></sst>", ""),
    "negative_text": lambda: with_texts(
        f"<sst {MAIN}><si><t>a</t></si></sst>", '<row><c t="s"><v>-1</v></c></row>'
    ),
    "no_zip": lambda: b"phone,name\n138,a\n",
    "old_xls": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    "empty": lambda: b"",
    "cut_zip": lambda: workbook([["phone"]])[:-300],
    "flipped": lambda: flipped(workbook([["phone"]] * 50)),
    "another_zip": lambda: zipped("a.txt"),
    "no_sheet": lambda: altered(f"<workbook {MAIN}><sheets/></workbook>", "xl/workbook.xml"),
    "cut_xml": lambda: altered(f"<worksheet {MAIN}><sheetData>{ROW % (1, 'a')}"),
    "no_such_string": lambda: sheet('<row r="1"><c t="s"><v>7</v></c></row>'),
    "no_such_text": lambda: with_texts(
        f"<sst {MAIN}><si><t>a</t></si></sst>", '<row><c t="s"><v>1</v></c></row>'
    ),
    "no_number": lambda: sheet('<row r="1"><c><v>abc</v></c></row>'),
    "no_row_number": lambda: sheet(ROW % ("x", "a")),
    "no_column": lambda: sheet('<row r="1"><c r="ZZZZ1"><v>1</v></c></row>'),
    "row_beyond_a_sheet": lambda: sheet(ROW % (10**12, "a")),
}


def flipped(packed: bytes) -> bytes:
    """One byte of the sheet's packed data is another."""
    with zipfile.ZipFile(io.BytesIO(packed)) as parts:
        at = parts.getinfo("xl/worksheets/sheet1.xml").header_offset + 100
    return packed[:at] + bytes([packed[at] ^ 255]) + packed[at + 1 :]


def zipped(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr(name, "x")
    return packed.getvalue()


SMALL = xlsx_parts.Limits(1 << 20, 1 << 18, 1 << 18)


@pytest.mark.parametrize("kind", BROKEN)
def test_hostile_and_broken_books_are_refused(kind: str) -> None:
    with pytest.raises(BadTable) as told:
        list(xlsx_rows.Book(io.BytesIO(BROKEN[kind]()), SMALL).records())
    expected = {
        "bomb": "table_too_large", "texts": "table_too_many_texts", "held": "table_too_many_styles",
        "no_sheet": "table_no_sheet",
    }  # fmt: skip
    assert expected.get(kind, told.value.code) == told.value.code and messages.known(told.value.code)
    assert ("EntitiesForbidden" in reasons(told.value)) == (
        kind in ("laughs", "laughs_in_the_workbook", "laughs_in_the_texts", "external")
    )


def reasons(error: BaseException | None) -> list[str]:
    return [type(error).__name__, *reasons(error.__cause__)] if error else []
