"""A ZIP of PNG pictures, one a card, written in pieces by many and put together without being read again.

A PNG is 1 bit a pixel: 12 pixels a module give 500 pixels, 42 mm at 300 dpi. It is stored in the ZIP as it
is, being compressed already. A piece is its entries as they stand in the file; beside it, their lines of
the ZIP's directory, whose offsets are set when it is known where the piece begins. PNG is ISO 15948, ZIP
is PKWARE's APPNOTE 6.3 (over 65,535 entries it needs the ZIP64 records).
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

from chalicelib.printruns.sheets import QUIET

PIXELS = 12  # of a module
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_MIDNIGHT = (0, 0x21)  # 1980-01-01: the same cards give the same file
_UTF8, _NEEDS, _NEEDS_64 = 0x800, 20, 45
_MANY = 0xFFFF


def png(modules: Sequence[bytes]) -> bytes:
    """The code with its quiet zone, black on white."""
    side = (len(modules) + 2 * QUIET) * PIXELS
    white = b"\0" + b"\xff" * ((side + 7) // 8)
    edge, length = "1" * (QUIET * PIXELS), (side + 7) // 8
    rows = [white * (QUIET * PIXELS)]
    for row in modules:
        bits = edge + "".join(("0" if dark else "1") * PIXELS for dark in row) + edge
        line = b"\0" + int(bits.ljust(length * 8, "1"), 2).to_bytes(length, "big")
        rows.append(line * PIXELS)
    rows.append(rows[0])
    header = struct.pack(">2L5B", side, side, 1, 0, 0, 0, 0)
    density = struct.pack(">2LB", 11811, 11811, 1)  # 300 dpi in pixels a metre
    chunks = ((b"IHDR", header), (b"pHYs", density), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def piece(pictures: Iterable[tuple[str, bytes]]) -> tuple[bytes, bytes]:
    """(entries, their directory) of (name, file) pairs; offsets count from the piece's beginning."""
    body, directory = bytearray(), bytearray()
    for name, data in pictures:
        encoded, at = name.encode(), len(body)
        common = (_UTF8, 0, *_MIDNIGHT, zlib.crc32(data), len(data), len(data), len(encoded), 0)
        body += _LOCAL.pack(b"PK\x03\x04", _NEEDS, *common) + encoded + data
        directory += _CENTRAL.pack(b"PK\x01\x02", _NEEDS, _NEEDS, *common, 0, 0, 0, 0, at) + encoded
    return bytes(body), bytes(directory)


def tail(directories: Iterable[tuple[int, bytes]], start: int) -> Iterator[bytes]:
    """The file's end. directories: (where the piece begins, its directory); start: where the end begins."""
    entries = size = 0
    for base, directory in directories:
        moved = bytearray(directory)
        at = 0
        while at < len(moved):
            fields = list(_CENTRAL.unpack_from(moved, at))
            fields[-1] += base
            _CENTRAL.pack_into(moved, at, *fields)
            at += _CENTRAL.size + fields[10]
            entries += 1
        size += len(moved)
        yield bytes(moved)
    if entries > _MANY:
        yield struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, _NEEDS_64, 0, 0, entries, entries, size, start)
        yield struct.pack("<4sLQL", b"PK\x06\x07", 0, start + size, 1)
    shown = min(entries, _MANY)
    yield struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, shown, shown, size, start, 0)
