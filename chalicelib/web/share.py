"""A distributor's page as their friends see it: the code that they give with an order.

No money is on it, and no name: the one that we have is the real one, and the link goes to anybody.
"""

from html import escape

from chalicelib.web.frame import Page, Preview, notice, speak, words
from chalicelib.web.frame import page as framed

_STYLE = (
    ".notice .code{margin-top:18px;padding:12px;border-radius:14px;background:var(--tint);color:var(--brand);"
    "font:600 28px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em;"
    "-webkit-user-select:all;user-select:all}"
    ".mine{text-align:center;font-size:14px;color:var(--soft)}"
    ".mine a{display:block;padding:12px 20px;color:var(--brand);text-decoration:none}"
)


def distributor(share_code: str, sign_in: str | None = None) -> Page:
    """sign_in: where they sign in themselves; "": in WeChat, which this is not."""
    title = ("好友推荐", "A friend's recommendation")
    how = ("下单时填写推荐码", "Enter this code when you order")
    body = (
        f'<main class="card notice"><h1>{words(*title)}</h1>'
        f'<p>{words(*how)}</p><p class="code">{escape(share_code)}</p></main>'
    )
    preview = Preview(
        speak(*title), speak(f"推荐码 {share_code}，下单时填写", f"Order with the code {share_code}")
    )
    return framed(speak(*title), body + _mine(sign_in), style=_STYLE, preview=preview)


def ended(sign_in: str | None) -> Page:
    """The page of who is a distributor no more: nothing is recommended."""
    title = ("该推荐已失效", "This recommendation has expired")
    how = ("更多优惠请咨询品牌客服", "Please ask the brand about current offers")
    return framed(speak(*title), notice("clock", title, how) + _mine(sign_in), style=_STYLE)


def _mine(sign_in: str | None) -> str:
    if sign_in:
        link = words("我是推荐人，查看我的收益", "This is my page: see my earnings")
        return f'<p class="mine"><a href="{escape(sign_in, quote=True)}">{link}</a></p>'
    if sign_in is not None:
        how = words(
            "您是推荐人？请在微信中打开本页，查看并领取收益",
            "Is this your page? Open it in WeChat to see and collect your earnings",
        )
        return f'<p class="mine">{how}</p>'
    return ""
