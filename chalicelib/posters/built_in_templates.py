"""The built-in templates, as data: nothing here draws.

Every length is in the template's design units. Each has a serif headline, sans text in a few sizes,
one accent colour, and ink on ground of at least 4.5 : 1 (WCAG AA; a test holds it). The QR code's
square keeps clear of all ink by four modules of a version 2 code, the smallest that a link needs.
Once the brand has colours of its own, these stand for the templates' own accents, and its logo in the code.
"""

from functools import partial

import msgspec

from chalicelib.brand.rules import DEFAULT_COLOURS, Look, mix
from chalicelib.posters.types import Background, Disc, Qr, Rect, Template, Text

_headline = partial(Text, "{title}", face="serif", tracking=0.02)
_name = partial(Text, "{staff_name}", align="left", weight=0.014, shown="staff")
_initial = partial(Text, "{initial}", face="serif", leading=1, shown="staff")
_staff = partial(Text, align="left", shown="staff")
_no_staff = partial(Text, shown="no_staff")
_store = partial(Text, "{store_name}", shown="store")

CLASSIC = Template(
    name="classic",
    width=1080,
    height=1920,
    background=Background("#0F6A51", "#084234"),
    title="扫码添加专属顾问",
    subtitle="一对一服务，会员专享好礼，新品抢先知",
    layers=(
        Disc(1000, 60, 430, "#167A5E"),
        Disc(1000, 60, 300, "#1D8A6B"),
        Rect(508, 172, 64, 8, "#E9C77B", radius=4),
        Rect(110, 664, 860, 1050, "#FFFFFF", radius=56),
        Rect(190, 1468, 700, 2, "#E3ECE8"),
        Disc(286, 1591, 66, "#0F6A51", shown="staff"),
        _headline(90, 214, 900, 290, 112, "#FFFFFF", 72, 3, leading=1.24, weight=0.012),
        Text("{subtitle}", 120, 516, 840, 112, 40, "#D3EDE2", 34, 2, leading=1.4, tracking=0.02),
        Text("微信扫一扫，添加专属顾问", 160, 1392, 760, 56, 36, "#4A5C55", tracking=0.02),
        _initial(220, 1525, 132, 132, 64, "#FFFFFF"),
        _name(386, 1527, 500, 72, 48, "#16241F", 32),
        _staff("您的专属顾问", 386, 1599, 500, 52, 32, "#5B6B65"),
        _no_staff("专属优惠 · 新品抢先知 · 售后无忧", 160, 1541, 760, 100, 40, "#16241F", tracking=0.02),
        _store(120, 1726, 840, 50, 34, "#FFFFFF", 24),
        Text("扫码即同意商家通过企业微信与您联系", 120, 1778, 840, 48, 26, "#A9D3C3", tracking=0.04),
        Qr(270, 764, 540, "#0A2E25", "#FFFFFF", quiet=0),
    ),
)

PARCEL = Template(
    name="parcel",  # an A6 parcel card, 300 dpi
    width=1240,
    height=1748,
    background=Background("#FFF3E2"),
    title="开箱有礼",
    subtitle="扫码领取会员礼券，专属售后随时在线",
    layers=(
        Rect(0, 0, 1240, 800, "#C9381F"),
        *(Disc(62 + 124 * n, 800, 62, "#C9381F") for n in range(10)),
        Rect(150, 516, 940, 1084, "#FFFFFF", radius=44),
        *(Rect(226 + 32 * n, 1384, 18, 4, "#EBCDB4", radius=2) for n in range(25)),
        Disc(150, 1386, 34, "#FFF3E2"),
        Disc(1090, 1386, 34, "#FFF3E2"),
        Disc(320, 1494, 66, "#C9381F", shown="staff"),
        _headline(120, 92, 1000, 248, 148, "#FFFFFF", 66, 3, leading=1.2, weight=0.014, tracking=0.06),
        Text("{subtitle}", 140, 352, 960, 120, 44, "#FFF3EA", 36, 2, leading=1.36, tracking=0.02),
        Text("微信扫一扫，礼券即刻到账", 200, 1288, 840, 64, 38, "#6B4A3A", tracking=0.02),
        _initial(254, 1428, 132, 132, 64, "#FFFFFF"),
        _name(420, 1430, 600, 72, 48, "#2B1A12", 32),
        _staff("您的专属客服", 420, 1502, 600, 52, 32, "#7A5A49"),
        _no_staff("会员礼券 · 专属客服 · 优先售后", 200, 1444, 840, 100, 42, "#2B1A12", tracking=0.02),
        _store(150, 1604, 940, 42, 28, "#2B1A12", 22),
        Text("请保留此卡，凭码享受售后服务", 150, 1646, 940, 56, 30, "#8A5A3C", tracking=0.08),
        Qr(330, 616, 580, "#2B1A12", "#FFFFFF", quiet=0),
    ),
)

MINIMAL = Template(
    name="minimal",
    width=1080,
    height=1440,
    background=Background("#F7F6F2"),
    title="加个微信，慢慢聊",
    subtitle="新品、活动与售后，都在这里",
    layers=(
        Rect(96, 108, 88, 10, "#C9381F"),
        Rect(96, 804, 888, 2, "#D9D6CC"),
        Disc(704, 1046, 44, "#C9381F", shown="staff"),
        _headline(
            96, 164, 888, 420, 128, "#141414", 76, 3, align="left", valign="top", leading=1.24, weight=0.006
        ),
        Text(
            "{subtitle}",
            96,
            636,
            888,
            120,
            40,
            "#55534C",
            34,
            2,
            align="left",
            valign="bottom",
            tracking=0.02,
        ),
        _store(660, 890, 324, 104, 40, "#141414", 28, 2, align="left", valign="top", leading=1.3),
        _initial(660, 1002, 88, 88, 44, "#FFFFFF"),
        _name(660, 1118, 324, 76, 48, "#141414", 30),
        _staff("您的专属顾问", 660, 1194, 324, 52, 32, "#55534C"),
        _no_staff("专属顾问", 660, 1118, 324, 76, 48, "#141414", align="left", weight=0.012),
        _no_staff("一对一服务", 660, 1194, 324, 52, 32, "#55534C", align="left"),
        Text("微信扫一扫", 660, 1322, 324, 44, 28, "#6F6C63", align="left", tracking=0.02),
        Qr(96, 890, 472, "#141414", "#F7F6F2", align="left", quiet=0),
    ),
)

DEFAULT = CLASSIC.name
TEMPLATES = {template.name: template for template in (CLASSIC, PARCEL, MINIMAL)}


def branded(template: Template, look: Look, logo: str | None) -> Template:
    """A built-in template in the brand's colours, with its logo (a picture's id) in the code."""
    colours = {} if look.colours == DEFAULT_COLOURS else _accents(template.name, *look.colours)
    if not colours and logo is None:
        return template
    design = msgspec.to_builtins(template)
    for layer in (*design["layers"], design["background"]):
        for name, value in layer.items():
            if isinstance(value, str):
                layer[name] = colours.get(value, value)
        if logo and layer.get("type") == "qr":
            layer["logo"] = logo
    return msgspec.convert(design, Template)


def _accents(name: str, first: str, second: str) -> dict[str, str]:
    """What stands for a template's own colours.

    Each keeps its contrast: the first colour bears white text and is read on white, and all else is it,
    darkened, or white, tinged with it.
    """
    if name == MINIMAL.name:
        return {"#C9381F": first}
    deep, pale, ink = mix(first, "#000000", 0.55), mix(first, "#FFFFFF", 0.08), mix(first, "#101010", 0.25)
    if name == PARCEL.name:
        inks = dict.fromkeys(("#2B1A12", "#6B4A3A", "#7A5A49", "#8A5A3C"), ink)
        return {"#C9381F": first, "#FFF3E2": second, "#FFF3EA": "#FFFFFF", "#EBCDB4": second, **inks}
    discs = {"#167A5E": mix(first, "#000000", 0.92), "#1D8A6B": mix(first, "#000000", 0.85)}
    pales = dict.fromkeys(("#D3EDE2", "#A9D3C3"), pale)
    inks = {"#0A2E25": ink, "#16241F": ink, "#E3ECE8": second}
    return {"#0F6A51": first, "#084234": deep, **discs, **pales, **inks}
