"""QR matrices: read by a library that did not write them, as large as was said."""

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chalicelib.posters import qr

LEVELS = st.sampled_from(["L", "M", "Q", "H"])
URL = st.text("abcXYZ019/?=&-_.~%", max_size=260).map(lambda rest: "https://a.cn/" + rest)


def read(rows: list[bytes]) -> str | None:
    side = len(rows)
    dots = Image.frombytes("L", (side, side), bytes(255 * (1 - bit) for row in rows for bit in row))
    page = Image.new("L", (4 * (side + 8), 4 * (side + 8)), 255)
    page.paste(dots.resize((4 * side, 4 * side), Image.Resampling.NEAREST), (16, 16))
    found = zxingcpp.read_barcode(page)
    return found.text if found else None


@given(URL, LEVELS)
@settings(max_examples=40)
def test_a_reader_reads_it_and_its_size_follows_from_its_length(url: str, level: qr.Level) -> None:
    rows = qr.matrix(url, level)
    assert read(rows) == url
    assert len(rows) == qr.modules(len(url), level) == len(rows[0])
    assert set(b"".join(rows)) == {0, 1}


@given(URL, st.integers(0, 7))
@settings(max_examples=16)
def test_any_mask_is_read(url: str, mask: int) -> None:
    assert read(qr.matrix(url, "M", mask)) == url


@pytest.mark.parametrize("number", [1, 5, 7, 10, 27, 40])
def test_every_version_is_filled_to_its_last_byte(number: int) -> None:
    length = next(n for n in range(2954, 0, -1) if n <= 2953 and qr.version(n, "L") == number)
    url = ("https://a.cn/" + "k" * 3000)[:length]
    assert read(qr.matrix(url, "L")) == url
    assert number == 40 or qr.version(length + 1, "L") == number + 1


def test_what_no_code_holds_is_said() -> None:
    with pytest.raises(qr.TooLong):
        qr.matrix("x" * 1274, "H")
