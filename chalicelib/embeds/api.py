"""Doors for live codes outside of paper: a website's button, an official account's menu, a mini program."""

import struct
import zlib
from pathlib import Path
from urllib.parse import urlencode

from chalicelib.embeds.types import (
    EmbedOut,
    EmbedQuery,
    MenuButton,
    MiniProgram,
    OfficialAccount,
    PictureQuery,
    Website,
)
from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import http, settings
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Answer, Call
from chalicelib.printruns import cards

door = http.Door(__name__, tag="Live codes")

_SCRIPT = (Path(__file__).parents[1] / "web" / "embed" / "embed.js").read_text(encoding="utf-8")
_DAY = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
_PIXELS = 12  # of a module in a PNG
_QUIET = 4  # light modules around the code, ISO/IEC 18004


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/embed",
    permission="live_codes.read",
    summary="What to paste into a website, an official account's menu, a mini program",
    query=EmbedQuery,
    answer=EmbedOut,
)
def embed(call: Call, live_code_id: str) -> EmbedOut:
    code = livecodes.get(live_code_id, call.principal)
    from chalicelib.posters import service as posters  # not at a scan

    base = settings.env("PUBLIC_BASE_URL").rstrip("/")
    url = posters.find_link(code, call.query.staff_id, call.query.store_id, call.principal)
    owner = url.removeprefix(code.url)  # ?g=…
    attribute = f' data-g="{owner.partition("=")[2]}"' if owner else ""
    via = f"{url}&via=" if owner else f"{url}?via="
    return EmbedOut(
        url=url,
        website=Website(
            html=f'<script src="{base}/embed.js" data-code="{code.code}"{attribute} async></script>',
            link=f"{via}website",
            qr_svg_url=f"{code.url}/qr.svg{owner}",
        ),
        official_account=OfficialAccount(
            menu_button=MenuButton(name="添加顾问", url=f"{via}official_account")
        ),
        mini_program=MiniProgram(wxml=f'<web-view src="{via}mini_program"></web-view>'),
    )


@door.route(
    "GET", "/embed.js", summary="The website's button: `<script src=… data-code=…>`", gives="text/javascript"
)
def script(call: Call) -> Answer:
    return Answer(_SCRIPT, headers={"Content-Type": "text/javascript; charset=utf-8", **_DAY})


@door.route(
    "GET",
    "/s/{code}/qr.svg",
    summary="A live code as a picture to scan, sharp at any size",
    query=PictureQuery,
    gives="image/svg+xml",
)
def picture(call: Call, code: str) -> Answer:
    svg = _svg(_modules(call, code, "website"))
    return Answer(svg, headers={"Content-Type": "image/svg+xml", **_DAY, "Access-Control-Allow-Origin": "*"})


@door.route(
    "GET",
    "/s/{code}/qr.png",
    summary="The same in pixels, for what takes no vectors: the preview of a link in a chat",
    query=PictureQuery,
    gives="image/png",
)
def pixels(call: Call, code: str) -> Answer:
    png = _png(_modules(call, code, "preview"))
    return Answer(png, headers={"Content-Type": "image/png", **_DAY, "Access-Control-Allow-Origin": "*"})


def _modules(call: Call, code: str, via: str) -> list[bytes]:
    """Of the very link that was asked for; a printed card's is its own. NotFound."""
    from chalicelib.posters import qr  # its library is only for the pictures

    live_code = livecodes.get(f"lc_{cards.find(code).code if cards.is_token(code) else code}")
    if not live_code.active:
        raise NotFound(code="no_such_live_code")
    owner = {"g": call.query.g} if 0 < len(call.query.g) <= poster_links.MAX else {}
    base = live_code.url.removesuffix(live_code.code)
    return qr.matrix(f"{base}{code}?{urlencode({**owner, 'via': via})}", "M")


def _png(rows: list[bytes]) -> bytes:
    """Black on white, a bit a pixel (ISO/IEC 15948)."""
    light = [bytes(len(rows))] * _QUIET
    lines = []
    for row in [*light, *rows, *light]:
        bits = "".join(("0" if dark else "1") * _PIXELS for dark in bytes(_QUIET) + row + bytes(_QUIET))
        bits = bits.ljust(-(-len(bits) // 8) * 8, "1")
        lines += [b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")] * _PIXELS
    header = struct.pack(">IIBBBBB", len(lines), len(lines), 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _svg(rows: list[bytes]) -> str:
    side = len(rows) + 2 * _QUIET
    path = "".join(
        f"M{x + _QUIET} {y + _QUIET}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, dark in enumerate(row)
        if dark
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{path}"/></svg>'
    )
