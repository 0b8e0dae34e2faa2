"""What encoding a text is in: its byte order mark says so, else most of what is in it. No I/O but `read`.

A damaged byte changes nothing for the other lines, so that no name becomes another in silence: the line is
reported. Hence none of the libraries that guess: charset-normalizer 3.5 rules an encoding out by one byte
that it has not (a UTF-8 table with a stray 0xFF is "nothing"), and wants the file whole.
"""

import re
from collections.abc import Callable, Iterator

from chalicelib.tables.types import Unreadable

PART = 2 * 1024 * 1024
Read = Callable[[int, int], bytes]  # (first byte, how many) → bytes; fewer at the end of the file

_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_ASCII = bytes(range(128))
_RUN = re.compile(rb"[\x80-\xff]+")
# Not those of two bytes, as which a fifth of GB 18030's characters may be read as well.
_UTF8 = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CHARACTER = re.compile(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]|[\x81-\xfe][\x40-\x7e\x80-\xfe]")
# The characters of daily use, which both have in one block: GB 2312's level 1, Big5's frequent ones.
_USUAL_GB = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
_USUAL_BIG5 = re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]")
_CLEAR = 100_000  # bytes of evidence that the rest need not be asked for
_SAMPLE = 50_000  # characters that tell the Chinese encodings apart
_NULS = 16  # one byte of so many is 0: UTF-16, or no text at all


def examine(read: Read) -> tuple[str, int]:
    """(encoding, number of lines) of the whole file, read once. Unreadable: what is no text."""
    start = read(0, 3)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    evidence, lines, at, last = _Evidence(), 0, 0, b"\n"
    while part := read(at, PART):
        lines += part.count(b"\n") + part.count(b"\r") - part.count(b"\r\n")
        lines -= last == b"\r" and part.startswith(b"\n")
        if marked is None:
            evidence.hear(part, at)
        at, last = at + len(part), part[-1:]
    return marked or evidence.verdict(at), lines + (last not in b"\r\n")


def transcoded(read: Read, encoding: str) -> Iterator[bytes]:
    """A UTF-16 text as UTF-8, in parts. What is no character stays none, for its line to be reported."""
    at = 0
    held = b""
    while part := read(at, PART):
        at += len(part)
        data = held + part
        whole = len(data) & ~1
        if whole and _is_high_surrogate(data[whole - 2 : whole], encoding):
            whole -= 2
        held = data[whole:]
        yield data[:whole].decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
    if held:
        yield held[:2].decode(encoding, "replace").encode()


def _is_high_surrogate(unit: bytes, encoding: str) -> bool:
    return 0xD8 <= unit[encoding == "utf-16-le"] <= 0xDB


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Evidence:
    """Bytes that are UTF-8's characters (`utf8`) and those that are none of it (`other`); zeros by place."""

    def __init__(self) -> None:
        self.utf8 = self.other = 0
        self.nuls = [0, 0]  # at even and odd bytes
        self.gb = self.big5 = self.characters = 0

    def hear(self, part: bytes, at: int) -> None:
        if b"\x00" in part:
            for parity in (0, 1):
                self.nuls[(at + parity) % 2] += part[parity::2].count(0)
        if part.isascii() or abs(self.utf8 - self.other) > _CLEAR:
            return
        if _is_utf8(part):
            self.utf8 += len(part.translate(None, _ASCII))
            return
        for run in _RUN.findall(part):
            loose = 0 if _is_utf8(run) else len(_UTF8.sub(b"", run))
            self.utf8, self.other = self.utf8 + len(run) - loose, self.other + loose
            if abs(self.utf8 - self.other) > _CLEAR:
                break
        if self.other and self.characters < _SAMPLE:
            characters = _CHARACTER.findall(part[: 4 * _SAMPLE])
            self.characters += len(characters)
            self.gb += sum(map(bool, map(_USUAL_GB.fullmatch, characters)))
            self.big5 += sum(map(bool, map(_USUAL_BIG5.fullmatch, characters)))

    def verdict(self, size: int) -> str:
        even, odd = self.nuls
        if (even + odd) * _NULS > size:
            if max(even, odd) < 10 * min(even, odd):
                raise Unreadable("table_not_text")
            return "utf-16-le" if odd > even else "utf-16-be"
        if self.utf8 >= self.other:
            return "utf-8"
        return "big5hkscs" if self.big5 > self.gb else "gb18030"
