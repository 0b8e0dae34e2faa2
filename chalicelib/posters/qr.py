"""QR codes as matrices: what posters and the cards of a print run are drawn from.

The text is written as bytes, so a code's size follows from the length of its text alone.
"""

from typing import Literal

from qrcode import constants  # type: ignore[import-untyped]
from qrcode.main import QRCode  # type: ignore[import-untyped]
from qrcode.util import BIT_LIMIT_TABLE, MODE_8BIT_BYTE, QRData, length_in_bits  # type: ignore[import-untyped]

Level = Literal["L", "M", "Q", "H"]
QUICK_MASK = 3  # for many at once; any mask can be read, the best one takes five times as long to find
_LEVELS = {
    "L": constants.ERROR_CORRECT_L,
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}
_VERSIONS = 40


class TooLong(ValueError):
    """No QR code holds so long a text at this level."""


def matrix(url: str, level: Level = "M", mask: int | None = None) -> list[bytes]:
    """The modules of the text's code, row by row, without its quiet zone: 1 dark, 0 light. TooLong.

    level: how much may be damaged or covered: L 7 %, M 15 %, Q 25 %, H 30 % of the codewords.
    mask: 0 to 7 of ISO/IEC 18004 §7.8.2; by default the one that is easiest to read (§7.8.3).
    """
    text = url.encode()
    code = QRCode(version(len(text), level), _LEVELS[level], border=0, mask_pattern=mask)
    code.add_data(QRData(text, MODE_8BIT_BYTE), optimize=0)
    code.make(fit=False)
    return [bytes(row) for row in code.modules]


def version(length: int, level: Level = "M") -> int:
    """The least version, 1 to 40, that holds `length` bytes. TooLong."""
    for number in range(1, _VERSIONS + 1):
        bits = 4 + length_in_bits(MODE_8BIT_BYTE, number) + 8 * length
        if bits <= BIT_LIMIT_TABLE[_LEVELS[level]][number]:
            return number
    raise TooLong(f"{length} bytes do not fit a QR code of level {level}")


def modules(length: int, level: Level = "M") -> int:
    """The modules on a side of a code of `length` bytes, without its quiet zone. TooLong."""
    return 17 + 4 * version(length, level)
