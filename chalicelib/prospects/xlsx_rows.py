"""An XLSX read row by row in bounded memory: its zip lies in a file, its XML passes by once.

Nothing is held but one row. The shared strings, in a table of a million people as large as the table
itself, go to a second file; what stays in memory is where each begins (8 bytes). A document type,
which could carry entities, is refused, and so is a zip that unpacks to more than it may.
(ECMA-376 part 1, 18.3 sheets, 18.4 shared strings.)
"""

import re
import zipfile
from array import array
from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.parsers import expat  # document types are refused below  # nosec B406

from chalicelib.prospects.sheets import BadTable, Record

MAX_UNPACKED = 2 * 1024**3
MAX_ROWS = 1_048_576  # Excel's own
MAX_CELL = 1000
MAX_COLUMNS = 200
_PART = 256 * 1024
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension ref="[A-Z]+[0-9]+:[A-Z]+([0-9]{1,8})"')
_COLUMN = re.compile(r"([A-Z]{1,3})[0-9]")


class Strings:
    """The shared strings, on disk."""

    def __init__(self, spool: IO[bytes]):
        self._spool = spool
        self._starts = array("Q", [0])

    def add(self, text: str) -> None:
        raw = text[:MAX_CELL].encode("utf-8", "replace")
        self._spool.write(raw)
        self._starts.append(self._starts[-1] + len(raw))

    def __getitem__(self, number: int) -> str:
        if not 0 <= number < len(self._starts) - 1:
            return ""
        self._spool.seek(self._starts[number])
        return self._spool.read(self._starts[number + 1] - self._starts[number]).decode()


class Book:
    """The first sheet of a workbook. `spool`: a file to write the shared strings to. BadTable."""

    def __init__(self, packed: IO[bytes], spool: IO[bytes]):
        try:
            self._zip = zipfile.ZipFile(packed)
            names = set(self._zip.namelist())
            if sum(entry.file_size for entry in self._zip.infolist()) > MAX_UNPACKED:
                raise BadTable("unpacks to more than 2 GB")
            self._sheet = self._first_sheet(names)
            self._strings = Strings(spool)
            self.rows = self._rows()
            if "xl/sharedStrings.xml" in names:
                self._read_strings()
                spool.flush()
        except (zipfile.BadZipFile, expat.ExpatError, EOFError, NotImplementedError, RuntimeError) as error:
            raise BadTable("is not an XLSX workbook") from error

    def records(self, after: int = 0) -> Iterator[Record]:
        """The rows behind row number `after`, blank ones left out."""
        reader = _SheetReader(self._strings, after)
        try:
            with self._zip.open(self._sheet) as sheet:
                parser = _parser(reader.start, reader.end, reader.text)
                for _ in _fed(parser, sheet):
                    yield from reader.rows
                    reader.rows.clear()
                yield from reader.rows
        except (zipfile.BadZipFile, expat.ExpatError, EOFError) as error:
            raise BadTable("is a damaged XLSX workbook") from error

    def _first_sheet(self, names: set[str]) -> str:
        if "xl/workbook.xml" not in names:
            raise BadTable("is not an XLSX workbook")
        ids: list[str] = []
        targets: dict[str, str] = {}
        self._elements("xl/workbook.xml", lambda tag, at: ids.extend([_rid(at)] if tag == "sheet" else []))
        relations = "xl/_rels/workbook.xml.rels"
        if relations in names:
            self._elements(relations, lambda _, at: "Id" in at and targets.update({at["Id"]: at["Target"]}))
        target = targets.get(ids[0], "worksheets/sheet1.xml") if ids else "worksheets/sheet1.xml"
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        if path not in names:
            raise BadTable("has no sheet")
        return path

    def _rows(self) -> int:
        """The number of the last row as the sheet itself says; 0 when it does not."""
        with self._zip.open(self._sheet) as sheet:
            told = _DIMENSION.search(sheet.read(4096))
        return min(int(told[1]), MAX_ROWS) if told else 0

    def _elements(self, name: str, seen: Callable[[str, dict[str, str]], Any]) -> None:
        with self._zip.open(name) as part:
            for _ in _fed(_parser(seen, lambda _: None, lambda _: None), part):
                pass

    def _read_strings(self) -> None:
        reader = _StringsReader(self._strings)
        with self._zip.open("xl/sharedStrings.xml") as part:
            for _ in _fed(_parser(reader.start, reader.end, reader.text), part):
                pass


class _StringsReader:
    """`<si>` with its texts; phonetic guides (`rPh`) are not part of it."""

    def __init__(self, strings: Strings):
        self._strings, self._texts = strings, []  # type: ignore[var-annotated]
        self._inside = self._aside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            self._texts = []
        elif tag == "rPh":
            self._aside = True
        elif tag == "t":
            self._inside = not self._aside

    def end(self, tag: str) -> None:
        if tag == "si":
            self._strings.add("".join(self._texts))
        elif tag == "rPh":
            self._aside = False
        elif tag == "t":
            self._inside = False

    def text(self, data: str) -> None:
        if self._inside and sum(map(len, self._texts)) < MAX_CELL:
            self._texts.append(data)


class _SheetReader:
    """Rows of `<row r><c r t><v>` or `<is><t>`; numbers and cells that lack `r` follow on."""

    def __init__(self, strings: Strings, after: int):
        self.rows: list[Record] = []
        self._strings, self._after = strings, after
        self._number = self._column = 0
        self._kind, self._inside = "", False
        self._values: list[str] = []
        self._texts: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            place = _COLUMN.match(attributes.get("r", ""))
            self._column = _index(place[1]) if place else self._column + 1
            self._kind, self._texts = attributes.get("t", "n"), []
        elif tag in ("v", "t"):
            self._inside = self._number > self._after
        elif tag == "row":
            self._number = int(attributes["r"]) if attributes.get("r", "").isdigit() else self._number + 1
            if self._number > MAX_ROWS:
                raise BadTable("has more rows than a sheet can")
            self._column, self._values = -1, []

    def end(self, tag: str) -> None:
        if tag == "c" and self._texts and self._column < MAX_COLUMNS:
            self._values += [""] * (self._column + 1 - len(self._values))
            self._values[self._column] = self._value("".join(self._texts))
        elif tag in ("v", "t"):
            self._inside = False
        elif tag == "row" and any(value.strip() for value in self._values):
            number = self._number
            self.rows.append(Record(number, tuple(self._values), number, number + 1))

    def text(self, data: str) -> None:
        if self._inside and sum(map(len, self._texts)) < MAX_CELL:
            self._texts.append(data)

    def _value(self, raw: str) -> str:
        if self._kind == "s":
            return self._strings[int(raw)] if raw.isdigit() else ""
        if self._kind == "n" and "E" in raw.upper():
            try:  # the file holds the whole number however it is written
                number = float(raw)
            except ValueError:
                return raw
            return str(int(number)) if number.is_integer() and abs(number) < 1e15 else raw
        return raw


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _rid(attributes: dict[str, str]) -> str:
    return next((value for name, value in attributes.items() if name.endswith(":id")), "")


def _parser(start: Any, end: Any, text: Any) -> Any:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    # Some writers put a prefix before each element's name.
    parser.StartElementHandler = lambda tag, attributes: start(tag.rsplit(":", 1)[-1], attributes)
    parser.EndElementHandler = lambda tag: end(tag.rsplit(":", 1)[-1])
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_: object) -> None:
    raise BadTable("has a document type, which no workbook has")


def _fed(parser: Any, part: IO[bytes]) -> Iterator[None]:
    """Feed a part of the zip to the parser, bit by bit. BadTable when it is larger than it said."""
    read = 0
    while data := part.read(_PART):
        read += len(data)
        if read > MAX_UNPACKED:
            raise BadTable("unpacks to more than 2 GB")
        parser.Parse(data, False)
        yield
    parser.Parse(b"", True)
    yield
