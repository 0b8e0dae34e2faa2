"""A distributor's page as their friends see it: the code that they give with an order.

No money is on it, and no name: the one that we have is the real one, and the link goes to anybody.
"""

from html import escape

from chalicelib.web.frame import Page, both, notice
from chalicelib.web.frame import page as framed

_STYLE = (
    ".notice .code{margin-top:18px;padding:12px;border-radius:14px;background:var(--tint);color:var(--brand);"
    "font:600 28px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em;"
    "-webkit-user-select:all;user-select:all}"
    ".mine{text-align:center;font-size:14px;color:var(--soft)}"
    ".mine a{display:block;padding:11px 20px;color:var(--brand);text-decoration:none}"
    ".mine a small{color:inherit}"
)


def distributor(share_code: str, sign_in: str | None = None) -> Page:
    """sign_in: where they sign in themselves; "": in WeChat, which this is not."""
    title, how = "朋友的推荐", both("下单时填写推荐码", "Enter this code with your order")
    body = (
        f'<main class="card notice"><h1>{both(title, "A friend recommends")}</h1>'
        f'<p>{how}</p><p class="code">{escape(share_code)}</p></main>'
    )
    return framed(title, body + _mine(sign_in), style=_STYLE)


def ended(sign_in: str | None) -> Page:
    """The page of who is a distributor no more: nothing is recommended."""
    title = ("这份推荐已停用", "This recommendation has ended")
    how = ("请向品牌方咨询其他优惠", "Please ask the brand for other offers")
    return framed(title[0], notice("clock", title, how) + _mine(sign_in), style=_STYLE)


def _mine(sign_in: str | None) -> str:
    if sign_in:
        link = both("这是我的页面：查看收益与领取", "This is my page: what I have earned")
        return f'<p class="mine"><a href="{escape(sign_in, quote=True)}">{link}</a></p>'
    if sign_in is not None:
        words = (
            "这是您的页面？请在微信中打开，查看收益与领取",
            "Is this your page? Open it in WeChat to see what you have earned",
        )
        return f'<p class="mine">{both(*words)}</p>'
    return ""
