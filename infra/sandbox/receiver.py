"""WeChat's own page where a receiver takes a transfer: for a trial's person, who has no WeChat here."""

import html
import urllib.parse
from typing import TYPE_CHECKING, Any

from chalicelib.web import frame

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

_HTML = "text/html; charset=utf-8"
_STYLE = """
.sum{margin-top:18px;font-size:40px;font-weight:650;letter-spacing:-.01em;text-align:center;font-variant-numeric:tabular-nums}
.card h1{text-align:center}
.what{margin-top:6px;text-align:center;color:var(--soft)}
form{display:grid;gap:10px;margin-top:26px}
.no{min-height:48px;border:1px solid var(--edge);border-radius:24px;background:none;color:var(--ink);font:inherit;font-size:15px}
.list{width:100%;max-width:384px;list-style:none}
.list a{display:flex;justify-content:space-between;gap:12px;margin-top:10px;padding:14px 16px;border-radius:16px;background:var(--card);color:var(--ink);text-decoration:none}
"""  # noqa: E501
_ENDS = {
    "SUCCESS": ("done", ("已收款", "Received")),
    "FAIL": ("clock", ("转账已关闭", "This transfer is closed")),
    "CANCELLED": ("clock", ("转账已撤销", "This transfer was taken back")),
}

Page = tuple[int, bytes, str]


def answer(sandbox: "Sandbox", method: str, package_info: str, raw: bytes) -> Page:
    """`/collect`: all that waits for its receiver; `/collect/PACKAGE_INFO`: one, to take or to refuse."""
    if not package_info:
        waiting = [bill for bill in sandbox.pay.bills() if bill["state"] == "WAIT_USER_CONFIRM"]
        return _page(200, "待收款", _list(waiting))
    bill = sandbox.pay.of_package(package_info)
    if bill is None:
        return _page(404, "没有这笔转账", frame.notice("question", ("没有这笔转账", "No such transfer")))
    if method == "POST" and bill["state"] == "WAIT_USER_CONFIRM":
        action = urllib.parse.parse_qs(raw.decode(errors="replace")).get("action", [""])[0]
        act = sandbox.confirm_transfer if action == "confirm" else sandbox.refuse_transfer
        act(bill["out_bill_no"])
        bill = sandbox.pay.of_package(package_info) or bill
    if bill["state"] in _ENDS:
        icon, title = _ENDS[bill["state"]]
        said = (f"{_yuan(bill)}，可以返回了", f"{_yuan(bill)}: you can go back")
        return _page(200, title[0], frame.notice(icon, title, said))
    return _page(200, "确认收款", _tap(bill))


def _tap(bill: dict[str, Any]) -> str:
    return (
        f'<main class="card"><h1>{frame.words("确认收款", "Take this money")}</h1>'
        f'<p class="sum">{_yuan(bill)}</p><p class="what">{html.escape(bill["transfer_remark"])}</p>'
        f'<form method="post"><button class="go" name="action" value="confirm">'
        f"{frame.words('确认收款', 'Take it')}</button>"
        f'<button class="no" name="action" value="refuse">{frame.words("不要了", "Refuse")}</button>'
        "</form></main>"
    )


def _list(waiting: list[dict[str, Any]]) -> str:
    if not waiting:
        return frame.notice("done", ("没有待收款的转账", "Nothing waits to be collected"))
    rows = "".join(
        f'<li><a href="/collect/{html.escape(bill["package_info"])}">'
        f"<span>{html.escape(bill['openid'])}</span><b>{_yuan(bill)}</b></a></li>"
        for bill in waiting
    )
    return f'<main><h1>{frame.words("待收款", "To be collected")}</h1><ul class="list">{rows}</ul></main>'


def _yuan(bill: dict[str, Any]) -> str:
    return f"¥{bill['transfer_amount'] / 100:,.2f}"


def _page(status: int, title: str, body: str) -> Page:
    return status, frame.page(title, body, style=_STYLE, forms=True).html.encode(), _HTML
