"""Small PNGs, QR codes and faces, with nothing but the code's own matrix and zlib."""

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


_SIDE = 96
_COLOURS = ((88, 132, 176), (150, 110, 170), (190, 120, 84), (84, 148, 136), (176, 100, 130), (128, 140, 88))


def face(name: str) -> bytes:
    """Somebody's avatar: head and shoulders in front of a colour that goes by the name."""
    ground = bytes(_COLOURS[zlib.crc32(name.encode()) % len(_COLOURS)])
    rows = []
    for y in range(_SIDE):
        in_front = (
            (x - 48) ** 2 + (y - 38) ** 2 < 17**2 or ((x - 48) / 31) ** 2 + ((y - 92) / 30) ** 2 < 1
            for x in range(_SIDE)
        )
        rows.append(b"\0" + b"".join(b"\xf4\xf4\xf4" if white else ground for white in in_front))
    return _packed(_SIDE, b"".join(rows), 2)


def _grey(side: int, rows: bytes) -> bytes:
    return _packed(side, rows, 0)


def _packed(side: int, rows: bytes, colours: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, colours, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
