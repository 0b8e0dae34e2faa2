"""CSV and XLSX, read from anywhere on, in bounded memory; nothing swallowed, nothing unpacked without end."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.prospects import csv_rows, sheets, xlsx_rows
from chalicelib.prospects.csv_rows import MAX_RECORD, delimiter_of, examined, records
from chalicelib.prospects.sheets import BadTable, Record


def reader(raw: bytes) -> csv_rows.Read:
    return lambda start, length: raw[start : start + length]


def all_of(raw: bytes, encoding: str = "utf-8", start: int = 0, line: int = 1) -> list[Record]:
    return list(records(reader(raw), start, line, encoding, ","))


CELL = st.text(st.characters(codec="gb18030", exclude_characters="\r\x00"), max_size=8)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=3), min_size=1, max_size=12)


@given(ROWS, st.sampled_from(["utf-8", "gb18030"]), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_whole_and_from_each_record_on(
    rows: list[list[str]], encoding: str, part: int
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    raw = text.getvalue().encode(encoding)
    before = csv_rows.PART
    csv_rows.PART = part  # every boundary between two reads
    try:
        found = all_of(raw, encoding)
        assert [list(r.values) for r in found] == [r for r in rows if any(c.strip() for c in r)]
        for i, record in enumerate(found):
            again = all_of(raw, encoding, record.end, record.following)
            assert again == found[i + 1 :]
    finally:
        csv_rows.PART = before


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
    assert examined(reader(late)) == ("gb18030", 300_001)
    assert examined(reader("\ufeff手机号\n138".encode())) == ("utf-8", 2)
    for bad in ("手机".encode("utf-16"), b"PK\x03\x04\x00\x00"):
        with pytest.raises(BadTable):
            examined(reader(bad))


def test_columns_by_their_usual_names_or_as_they_are_named() -> None:
    assert sheets.positions(["\ufeff姓名", "手机号"], {}) == {"phone": 1, "name": 0}
    assert sheets.positions(["A", "B"], {"phone": "b"}) == {"phone": 1}
    assert delimiter_of("手机;姓名;备注".encode()) == ";"
    for header, columns in ((["姓名"], {}), (["手机", "电话"], {}), (["a"], {"phone": "b"})):
        with pytest.raises(BadTable):
            sheets.positions(header, columns)


# XLSX


def book(path: Path, sheet: str, strings: list[str] | None = None, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            "xl/workbook.xml",
            '<workbook xmlns="m" xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId7"/></sheets></workbook>',
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="rId7" Target="worksheets/people.xml"/></Relationships>',
        )
        packed.writestr("xl/worksheets/people.xml", sheet)
        if strings is not None:
            items = "".join(f"<si><t>{s}</t></si>" for s in strings)
            packed.writestr("xl/sharedStrings.xml", f"<sst>{items}</sst>")
        for name, content in more.items():
            packed.writestr(name, content)
    return path


def rows_of(path: Path, after: int = 0) -> list[tuple[int, tuple[str, ...]]]:
    with path.open("rb") as packed, io.BytesIO() as spool:
        return [(r.line, r.values) for r in xlsx_rows.Book(packed, spool).records(after)]


SHEET = """<worksheet><dimension ref="A1:C5"/><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
<row r="2"><c r="A2"><v>1.3800138000E10</v></c><c r="C2" t="inlineStr"><is><t>备注</t></is></c></row>
<row r="3"/>
<row r="5"><c r="A5"><v>13900139000</v></c><c r="B5" t="s"><v>2</v></c></row>
</sheetData></worksheet>"""


def test_a_workbooks_rows_with_numbers_strings_and_gaps(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", SHEET, ["手机号", "姓名", "李&amp;四"])
    assert rows_of(path) == [
        (1, ("手机号", "姓名")),
        (2, ("13800138000", "", "备注")),
        (5, ("13900139000", "李&四")),
    ]
    assert rows_of(path, 2) == [(5, ("13900139000", "李&四"))]


@pytest.mark.parametrize("kind", ["doctype", "bomb", "not_zip", "cut", "no_sheet"])
def test_hostile_and_broken_books_are_refused(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xlsx"
    if kind == "doctype":
        book(
            path,
            '<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row r="1"/></sheetData></worksheet>',
        )
    elif kind == "bomb":
        monkeypatch.setattr(xlsx_rows, "MAX_UNPACKED", 1 << 20)
        book(path, "<worksheet>" + " " * (2 << 20) + "</worksheet>")
    elif kind == "not_zip":
        path.write_bytes(b"phone,name\n138,a\n")
    elif kind == "cut":
        book(path, SHEET[:120])
    else:
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr("a.txt", "x")
    with pytest.raises(BadTable):
        rows_of(path)
