"""A distributor's page: the code that their friends give with an order."""

from html import escape

from chalicelib.web.frame import Page, both
from chalicelib.web.frame import page as framed

_STYLE = (
    ".notice .code{margin-top:18px;padding:12px;border-radius:14px;background:var(--tint);color:var(--brand);"
    "font:600 28px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em;"
    "-webkit-user-select:all;user-select:all}"
)


def distributor(name: str, share_code: str) -> Page:
    """name: the distributor's, as they gave it."""
    title, how = f"{name}的推荐", both("下单时填写推荐码", "Enter this code with your order")
    body = (
        f'<main class="card notice"><h1>{both(title, "A friend recommends")}</h1>'
        f'<p>{how}</p><p class="code">{escape(share_code)}</p></main>'
    )
    return framed(title, body, style=_STYLE)
