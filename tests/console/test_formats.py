"""Money in a tile stands whole where there is room, else in large units: never broken inside of the number."""

import re
from typing import Any

import pytest
import quickjs

from infra.console.sources import SOURCE

# QuickJS has no Intl: what it would say of these.
_STANDS_IN = """
const language = { value: "zh" };
const t = (key) => key;
const Intl = { NumberFormat: function (locale, { minimumFractionDigits: digits }) {
  this.format = (value) => { const [whole, rest] = value.toFixed(digits).split(".");
    return whole.replace(/\\B(?=(\\d{3})+$)/g, ",") + (rest ? `.${rest}` : ""); };
} };
"""


@pytest.fixture(scope="module")
def engine() -> Any:
    source = (SOURCE / "frame/formats.js").read_text()
    context = quickjs.Context()
    context.eval(_STANDS_IN + re.sub(r"(?m)^import .*$|\bexport ", "", source))
    return context


@pytest.mark.parametrize(
    ("fen", "most", "language", "shown"),
    [
        (452_850, 13, "zh", "¥4,528.50"),
        (123_456_789, 13, "zh", "¥1,234,567.89"),
        (123_456_789, 12, "zh", "¥123.46 万"),
        (99_900_128_501, 14, "zh", "¥9.99 亿"),
        (-99_900_128_501, 14, "zh", "-¥9.99 亿"),
        (99_900_128_501, 14, "en", "¥999.00m"),
    ],
)
def test_money_in_little_room(engine: Any, fen: int, most: int, language: str, shown: str) -> None:
    engine.eval(f"language.value = '{language}'")
    assert engine.eval(f"moneyIn({fen}, {most})") == shown
