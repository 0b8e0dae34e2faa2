"""Doors for live codes outside of paper: a website's button, an official account's menu, a mini program."""

from pathlib import Path

from chalicelib.embeds.types import EmbedOut, MenuButton, MiniProgram, OfficialAccount, Website
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import http, settings
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Answer, Call

door = http.Door(__name__, tag="Live codes")

_SCRIPT = (Path(__file__).parents[1] / "web" / "embed" / "embed.js").read_text(encoding="utf-8")
_DAY = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
_QUIET = 4  # light modules around the code, ISO/IEC 18004


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/embed",
    permission="live_codes.read",
    summary="What to paste into a website, an official account's menu, a mini program",
    answer=EmbedOut,
)
def embed(call: Call, live_code_id: str) -> EmbedOut:
    code = livecodes.get(live_code_id, call.principal)
    base = settings.env("PUBLIC_BASE_URL").rstrip("/")
    return EmbedOut(
        url=code.url,
        website=Website(
            html=f'<script src="{base}/embed.js" data-code="{code.code}" async></script>',
            link=f"{code.url}?via=website",
            qr_svg_url=f"{code.url}/qr.svg",
        ),
        official_account=OfficialAccount(
            menu_button=MenuButton(name="添加顾问", url=f"{code.url}?via=official_account")
        ),
        mini_program=MiniProgram(wxml=f'<web-view src="{code.url}?via=mini_program"></web-view>'),
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
    gives="image/svg+xml",
)
def picture(call: Call, code: str) -> Answer:
    live_code = livecodes.get(f"lc_{code}")
    if not live_code.active:
        raise NotFound(code="no_such_live_code")
    svg = _svg(f"{live_code.url}?via=website")
    return Answer(svg, headers={"Content-Type": "image/svg+xml", **_DAY, "Access-Control-Allow-Origin": "*"})


def _svg(url: str) -> str:
    from chalicelib.posters import qr  # its library is only for the pictures

    rows = qr.matrix(url, "M")
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
