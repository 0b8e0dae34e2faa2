"""The sidebar's page: 360 px beside a chat, made by its script from one answer of the API.

WeCom's client loads it anew with each chat, so that nothing lives in it alone: what is typed is kept by the
browser until it is saved. WeCom's own scripts are let in here, by setting, and nowhere else.
"""

from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from chalicelib.platform import settings
from chalicelib.web.frame import Page, notice, speak, words
from chalicelib.web.frame import page as framed

_HERE = Path(__file__).parent
_STYLE = (_HERE / "sidebar.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "sidebar.js").read_text(encoding="utf-8")
_JSSDK = "https://res.wx.qq.com/open/js/jweixin-1.2.0.js https://open.work.weixin.qq.com/wwopen/js/jwxwork-1.0.0.js"
_FACES = "https://*.qlogo.cn https://*.qpic.cn"
_TITLE = ("客户画像", "Customer")


def sidebar(folder: str) -> Page:
    """folder: before our paths."""
    scripts = settings.env("WECOM_JSSDK", _JSSDK).split()
    tags = "".join(f'<script src="{escape(address, quote=True)}"></script>' for address in scripts)
    waiting = f'<p class="wait">{words("正在打开…", "Opening…")}</p>'
    body = f'<main id="sidebar" data-folder="{escape(folder, quote=True)}">{waiting}</main>{tags}'
    made = framed(speak(*_TITLE), body, style=_STYLE, script=_SCRIPT)
    policy = made.headers["Content-Security-Policy"]
    policy = policy.replace("script-src ", f"script-src {' '.join(scripts)} ")
    pictures = " ".join([_FACES, *dict.fromkeys(map(_origin, scripts))])
    policy = policy.replace("img-src data:", f"img-src data: {pictures}")
    return _frameable(replace(made, headers={**made.headers, "Content-Security-Policy": policy}))


def outside() -> Page:
    """Somebody opened it where there is no chat."""
    title = ("请在企业微信聊天侧边栏打开", "Open this beside a chat in WeCom")
    text = (
        "在企业微信与客户的聊天里打开侧边栏，就能看到这位客户的画像、标签和订单",
        "In a chat with a customer it shows who they are, their tags and orders",
    )
    return _frameable(framed(speak(*_TITLE), notice("question", title, text)))


def _origin(address: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(address))


def _frameable(page: Page) -> Page:
    """WeCom's clients that show it in a frame are let in by setting."""
    allowed = settings.env("SIDEBAR_FRAME_ANCESTORS", "'none'")
    policy = page.headers["Content-Security-Policy"]
    policy = policy.replace("frame-ancestors 'none'", f"frame-ancestors {allowed}")
    return replace(page, headers={**page.headers, "Content-Security-Policy": policy})
