"""The console's colours can be read: each text on each ground that it stands on, in light and dark."""

import json
import re

import pytest
import quickjs

from infra.build import ROOT

CSS = (ROOT / "layers" / "console" / "kit" / "tokens.css").read_text(encoding="utf-8")
TEXTS = ("ink", "muted", "faint", "brand-ink", "good", "warn", "bad", "info", "plain")
GROUNDS = ("canvas", "surface", "sunken", "raised", "hover")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS if text != "faint" or ground == "surface"),
    *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "info", "plain")),
    *(("ink", f"{tone}-soft") for tone in ("good", "warn", "bad", "info", "plain", "brand")),
    *(("brand-ink", "brand-soft"), ("brand-on", "brand"), ("brand-on", "brand-strong")),
]
MARKS = [*((f"series-{n}", "surface") for n in range(1, 7)), ("line-strong", "surface")]


def tokens(dark: bool) -> dict[str, str]:
    light, _, rest = CSS.partition(':root[data-theme="dark"] {')
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rest.partition("}")[0])) if dark else {})


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_on_its_ground_and_every_mark_be_seen(dark: bool) -> None:
    colours = tokens(dark)
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    unreadable = {
        pair: round(ratio, 2)
        for pairs, least in ((PAIRS, 4.5), (MARKS, 3))
        for pair in pairs
        if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < least
    }
    assert unreadable == {}


BRANDS = ["#0b6bcb", "#ffd400", "#111111", "#ffffff", "#e60012", "#7fffd4", "#5c2d91"]


@pytest.mark.parametrize("brand", BRANDS)
def test_whatever_the_brands_colours_are_what_is_worn_can_be_read(brand: str) -> None:
    source = (ROOT / "layers" / "console" / "kit" / "brand.js").read_text(encoding="utf-8")
    pure = source[source.index("const LIGHT") : source.index("function styleOf")].replace("export ", "")
    context = quickjs.Context()
    context.eval(pure)
    for dark in (False, True):
        told = context.eval(
            f"JSON.stringify(propertiesOf([{json.dumps(brand)}, '#e8f1fb'], {json.dumps(dark)}))"
        )
        worn = {name.removeprefix("--"): colour for name, colour in json.loads(str(told)).items()}
        plain = tokens(dark)
        for ground in (plain["surface"], plain["canvas"], worn["brand-soft"]):
            assert contrast(worn["brand-ink"], ground) >= 4.5
        assert contrast(worn["brand-on"], worn["brand"]) >= 4.5
        assert contrast(worn["brand-on"], worn["brand-strong"]) >= 4.5
        assert contrast(worn["brand"], plain["surface"]) >= 3
        assert contrast(plain["ink"], worn["brand-soft"]) >= 4.5
