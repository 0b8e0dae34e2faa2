"""Small greyscale PNGs, QR codes among them, with nothing but the code's own matrix and zlib."""

import struct
import zlib

import qrcode  # type: ignore[import-untyped]

_SCALE = 8


def png(content: str) -> bytes:
    """A greyscale PNG with the quiet zone that scanners ask for."""
    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(content)
    code.make(fit=True)
    rows = []
    for cells in code.get_matrix():
        line = b"\0" + b"".join((b"\0" if dark else b"\xff") * _SCALE for dark in cells)
        rows.append(line * _SCALE)
    return _grey(len(rows) * _SCALE, b"".join(rows))


def solid(side: int, grey: int) -> bytes:
    """A square of one grey: somebody's avatar."""
    return _grey(side, (b"\0" + bytes([grey]) * side) * side)


def _grey(side: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
