"""A CSV read in parts, in constant memory, from any byte on. UTF-8 or GB 18030, quoted line breaks.

Records are split as bytes: neither encoding has a quote or a line feed inside a character (GB 18030's
later bytes are 0x30-0x39 and 0x40-0xFE). A quote that never ends can't swallow the file: after 64 KB
its first line is a bad row by itself, and the next line begins anew.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from typing import NamedTuple

from chalicelib.prospects.table_columns import BadTable, Record

MAX_RECORD = 65_536
PART = 2 * 1024 * 1024
Read = Callable[[int, int], bytes]  # (first byte, how many) → bytes; fewer at the end of the file


class _Line(NamedTuple):
    """A line with its end, the byte after it, and whether it was too long and is left out."""

    raw: bytes
    end: int
    long: bool


class _NeverClosed(Exception):
    """The lines that a quoted field may have are used up."""


def examine(read: Read) -> tuple[str, int]:
    """(encoding, number of lines) of the whole file, read once. BadTable for what is no such text."""
    utf8 = codecs.getincrementaldecoder("utf-8")()
    encoding, lines, at, last = "utf-8", 0, 0, b"\n"
    while part := read(at, PART):
        if at == 0 and part[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise BadTable("table_utf16")
        if b"\x00" in part:
            raise BadTable("table_not_text")
        lines, at, last = lines + part.count(b"\n"), at + len(part), part[-1:]
        if encoding == "utf-8":
            try:
                utf8.decode(part)
            except UnicodeDecodeError:
                encoding = "gb18030"
    if encoding == "utf-8":
        try:
            utf8.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = "gb18030"
    return encoding, lines + (last != b"\n")


def delimiter_of(header: bytes) -> str:
    """What divides the first line: a comma, a semicolon or a tab."""
    counts = {mark: header.count(mark.encode()) for mark in (",", ";", "\t")}
    return max(counts, key=lambda mark: counts[mark])


def records(read: Read, start: int, line: int, encoding: str, delimiter: str) -> Iterator[Record]:
    """The records from byte `start` on, which is the beginning of `line`. Blank lines are left out."""
    for raw, number, following, end, fault in _split(read, start, line, delimiter):
        if fault:
            yield Record(number, (), end, following, fault)
            continue
        try:
            text = raw.decode(encoding).lstrip("\ufeff") if start == 0 else raw.decode(encoding)
        except UnicodeDecodeError:
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
    while part := read(at, PART):
        at += len(part)
        pieces = (buffer + part).split(b"\n")
        buffer = pieces.pop()
        for piece in pieces:
            position += len(piece) + 1
            too_long = long or len(piece) > MAX_RECORD
            yield _Line(b"" if too_long else piece + b"\n", position, too_long)
            long = False
        if len(buffer) > MAX_RECORD:
            position, buffer, long = position + len(buffer), b"", True
    if buffer or long:
        yield _Line(b"" if long else buffer, position + len(buffer), long)
