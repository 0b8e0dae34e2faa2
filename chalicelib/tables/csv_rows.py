"""A CSV read in parts, in constant memory, from any byte on. UTF-8, GB 18030 or Big5; quoted line breaks.

Lines end with CR, LF or both. Records are split as bytes: none of these encodings has a quote, a delimiter
or a line end inside a character (GB 18030's later bytes are 0x30-0x39 and 0x40-0xFE, Big5's are of them).
UTF-16 is made UTF-8 before (encodings.py). A quote that never ends can't swallow the file: after 64 KB its
first line is a bad row by itself, and the next line begins anew.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from chalicelib.tables import encodings
from chalicelib.tables.encodings import Read
from chalicelib.tables.types import BadTable, Record, Unreadable

MAX_RECORD = 65_536
_DELIMITERS = ",;\t"
# What Excel takes for the delimiter, and no row; none may be told.
_SEP = re.compile(r'\ufeff?"?sep=([^\r\n"]?)"?\s*', re.IGNORECASE)


class Layout(Struct, frozen=True):
    """How a CSV is written, and its header. total: rows behind that at most."""

    encoding: str
    delimiter: str
    header: Record
    total: int


class _Line(NamedTuple):
    """A line with its end, the byte after it, and whether it was too long and is left out."""

    raw: bytes
    end: int
    long: bool


class _NeverClosed(Exception):
    """The lines that a quoted field may have are used up."""


def layout(read: Read, encoding: str, lines: int) -> Layout:
    """How a text is written that was examined (encodings.py), and is not UTF-16. BadTable."""
    start, number, delimiter = 0, 1, ""
    for line in _lines(read, 0):
        text = line.raw.decode(encoding, "replace")
        if text.strip("\ufeff \t\r\n"):
            if delimiter or not (told := _SEP.fullmatch(text)):
                delimiter = delimiter or _delimiter_of(text)
                break
            delimiter = told[1]
        start, number = line.end, number + 1
    header = next(records(read, start, number, encoding, delimiter or ","), None)
    if header is None:
        raise BadTable("table_no_header")
    if header.fault:
        raise Unreadable("table_header_damaged")
    return Layout(encoding, delimiter or ",", header, max(0, lines - header.following + 1))


def _delimiter_of(line: str) -> str:
    """What divides the line most often outside of quotes."""
    bare = re.sub(r'"[^"]*"?', "", line)
    return max(_DELIMITERS, key=bare.count)


def records(read: Read, start: int, line: int, encoding: str, delimiter: str) -> Iterator[Record]:
    """The records from byte `start` on, which is the beginning of `line`. Blank lines are left out."""
    for raw, number, following, end, fault in _split(read, start, line, delimiter):
        if fault:
            yield Record(number, (), end, following, fault)
            continue
        try:
            text = raw.decode(encoding).lstrip("\ufeff") if start == 0 else raw.decode(encoding)
        except UnicodeDecodeError:
            text = "\ufffd"
        if "\ufffd" in text or "\x00" in text:
            yield Record(number, (), end, following, "row_not_text")
            continue
        values = _values(text, delimiter)
        if values is None:
            yield Record(number, (), end, following, "row_not_csv")
        elif any(value.strip() for value in values):
            yield Record(number, tuple(values), end, following)


def _values(text: str, delimiter: str) -> list[str] | None:
    if '"' not in text:
        return text.rstrip("\r\n").split(delimiter)
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return None


def _split(read: Read, start: int, line: int, delimiter: str) -> Iterator[tuple[bytes, int, int, int, str]]:
    """(record, its first line's number, the next one's, the byte after it, fault)."""
    lines = _lines(read, start)
    ahead: list[_Line] = []  # read for a quote's end that did not come
    while first := ahead.pop(0) if ahead else next(lines, None):
        if first.long:
            yield b"", line, line + 1, first.end, "row_too_long"
            line += 1
            continue
        taken = [first]
        closed = True
        if b'"' in first.raw:
            closed = _closes(taken, ahead, lines, delimiter)
        if closed:
            following = line + len(taken)
            yield b"".join(part.raw for part in taken), line, following, taken[-1].end, ""
            line = following
        else:
            yield b"", line, line + 1, first.end, "row_quote_open"
            ahead = taken[1:] + ahead
            line += 1


def _closes(taken: list[_Line], ahead: list[_Line], lines: Iterator[_Line], delimiter: str) -> bool:
    """Take as many lines as the record that begins in taken[0] has; False when it has no end near."""

    def needed() -> Iterator[str]:
        yield taken[0].raw.decode("latin-1")
        size = 0
        while size <= MAX_RECORD and (more := ahead.pop(0) if ahead else next(lines, None)):
            taken.append(more)
            if more.long:
                break
            size += len(more.raw)
            yield more.raw.decode("latin-1")
        raise _NeverClosed

    try:
        next(csv.reader(needed(), delimiter=delimiter), None)
    except _NeverClosed:
        return False
    except csv.Error:
        return len(taken) == 1
    return True


def _lines(read: Read, start: int) -> Iterator[_Line]:
    buffer, at, long, position = b"", start, False, start
    while part := read(at, encodings.PART):
        at += len(part)
        pieces = (buffer + part).splitlines(keepends=True)
        buffer = b"" if pieces[-1].endswith(b"\n") else pieces.pop()  # after CR an LF may come
        for piece in pieces:
            position += len(piece)
            too_long = long or len(piece) > MAX_RECORD
            yield _Line(b"" if too_long else piece, position, too_long)
            long = False
        if len(buffer) > MAX_RECORD:
            kept = b"\r" if buffer.endswith(b"\r") else b""
            position, buffer, long = position + len(buffer) - len(kept), kept, True
    if buffer or long:
        yield _Line(b"" if long else buffer, position + len(buffer), long)
