"""Tables as people's programs write them: every encoding, line end and delimiter, every kind of workbook."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[str]]

ENCODINGS = {
    "utf-8": ("utf-8", b""),
    "utf-8 with a mark": ("utf-8", b"\xef\xbb\xbf"),
    "gb18030": ("gb18030", b""),
    "big5": ("big5", b""),
    "utf-16 le with a mark": ("utf-16-le", b"\xff\xfe"),
    "utf-16 be with a mark": ("utf-16-be", b"\xfe\xff"),
    "utf-16 le": ("utf-16-le", b""),
    "utf-16 be": ("utf-16-be", b""),
}
LINE_ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "sep=;": ";"}

STRICT = "http://purl.oclc.org/ooxml"
USUAL = "http://schemas.openxmlformats.org"
_MAIN = f"{USUAL}/spreadsheetml/2006/main"
_RELATIONS = f"{USUAL}/officeDocument/2006/relationships"
_PACKAGE = f"{USUAL}/package/2006"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def csvs(rows: Rows) -> Iterator[tuple[str, bytes]]:
    """(what it is, the file) of the same table in every way of writing a CSV."""
    for encoding, (codec, mark) in ENCODINGS.items():
        if codec == "big5" and not _can_be(rows, codec):
            continue
        for line_end, end in LINE_ENDS.items():
            for name, delimiter in DELIMITERS.items():
                text = end.join([*(["sep=;"] if name == "sep=;" else []), *_lines(rows, delimiter), ""])
                yield f"{encoding}, {line_end}, {name}", mark + text.encode(codec)


def _can_be(rows: Rows, codec: str) -> bool:
    try:
        "".join(cell for row in rows for cell in row).encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _lines(rows: Rows, delimiter: str) -> Iterator[str]:
    for row in rows:
        yield delimiter.join(_quoted(cell, delimiter) for cell in row)


def _quoted(cell: str, delimiter: str) -> str:
    if any(mark in cell for mark in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def workbooks(rows: Rows) -> Iterator[tuple[str, bytes]]:
    """(what it is, the file) of the same table in every kind of XLSX."""
    yield "shared texts", workbook(sheet(rows, shared=True), texts=shared_texts(rows))
    yield "inline texts", workbook(sheet(rows))
    yield "texts of formulas", workbook(sheet(rows, kind="str"))
    yield "strict", strict(workbook(sheet(rows, shared=True), texts=shared_texts(rows)))
    yield "no places named", workbook(sheet(rows, places=False))
    yield (
        "hidden first sheet",
        workbook(sheet([["never", "read"]]), sheet(rows), states=("hidden", "visible")),
    )
    yield "very hidden first sheet", workbook(sheet([["x"]]), sheet(rows), states=("veryHidden", "visible"))
    yield "empty first sheet", workbook(sheet([]), sheet(rows))
    yield "a wrong dimension", workbook(sheet(rows, before='<dimension ref="A1"/>'))
    yield "a cell at the end of the sheet", workbook(sheet(rows, far="XFD2"))
    yield (
        "styles that openpyxl refuses",
        workbook(sheet(rows), styles="<fills><fill><x/></fill></fills><cellXfs/>"),
    )
    yield "signs escaped", workbook(sheet([[cell.replace("店", "_x5E97_") for cell in row] for row in rows]))


def sheet(
    rows: Rows,
    *,
    shared: bool = False,
    kind: str = "inlineStr",
    places: bool = True,
    before: str = "",
    far: str = "",
) -> str:
    """A sheet's XML, every cell a text."""
    lines, number = [], 0
    for y, row in enumerate(rows, 1):
        cells = []
        for x, cell in enumerate(row):
            place = f' r="{chr(65 + x)}{y}"' if places else ""
            if shared:
                cells.append(f'<c{place} t="s"><v>{number}</v></c>')
                number += 1
            elif kind == "str":
                cells.append(f'<c{place} t="str"><f>A1</f><v>{escape(cell)}</v></c>')
            else:
                cells.append(
                    f'<c{place} t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
                )
        if far and y == 2:
            cells.append(f'<c r="{far}" t="inlineStr"><is><t></t></is></c>')
        lines.append(f'<row r="{y}">{"".join(cells)}</row>')
    return f'<worksheet xmlns="{_MAIN}">{before}<sheetData>{"".join(lines)}</sheetData></worksheet>'


def cells(*xml: str) -> str:
    """A sheet of one row for each text of `c` elements."""
    rows = "".join(f"<row>{row}</row>" for row in xml)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def shared_texts(rows: Rows) -> str:
    items = "".join(f"<si><t>{escape(cell)}</t></si>" for row in rows for cell in row)
    return f'<sst xmlns="{_MAIN}">{items}</sst>'


def workbook(*sheets: str, states: Sequence[str] = (), texts: str = "", styles: str = "") -> bytes:
    """The least that Excel opens."""
    numbers = range(1, len(sheets) + 1)
    kinds = {f"xl/worksheets/sheet{n}.xml": "worksheet" for n in numbers}
    kinds |= {"xl/workbook.xml": "sheet.main", **({"xl/sharedStrings.xml": "sharedStrings"} if texts else {})}
    kinds |= {"xl/styles.xml": "styles"} if styles else {}
    types = "".join(
        f'<Override PartName="/{name}" ContentType="{_KIND}.{k}+xml"/>' for name, k in kinds.items()
    )
    listed = "".join(
        f'<sheet name="S{n}" sheetId="{n}" state="{(states or ["visible"] * n)[n - 1]}" r:id="rId{n}"/>'
        for n in numbers
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        **{f"xl/worksheets/sheet{n}.xml": sheet for n, sheet in zip(numbers, sheets, strict=True)},
        **({"xl/sharedStrings.xml": texts} if texts else {}),
        **({"xl/styles.xml": f'<styleSheet xmlns="{_MAIN}">{styles}</styleSheet>'} if styles else {}),
    }
    return _zipped({name: text.encode() for name, text in parts.items()})


def strict(packed: bytes) -> bytes:
    """The same workbook as Strict Open XML."""
    with zipfile.ZipFile(io.BytesIO(packed)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    names = {
        f"{USUAL}/spreadsheetml/2006/main": f"{STRICT}/spreadsheetml/main",
        f"{USUAL}/officeDocument/2006/relationships": f"{STRICT}/officeDocument/relationships",
    }
    for usual, other in names.items():
        parts = {name: part.replace(usual.encode(), other.encode()) for name, part in parts.items()}
    return _zipped(parts)


def _zipped(parts: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name, part in parts.items():
            out.writestr(name, part)
    return packed.getvalue()
