"""What a distributor has earned, and the button that opens WeChat's own page to take it.

Each sum that waits has its own button, since each is its own transfer. The button needs WeChat: elsewhere the
page says so, and in a trial it leads to the sandbox's page in WeChat's place.
"""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from msgspec import Struct

from chalicelib.collect.types import Earnings
from chalicelib.payouts.collecting import Collected
from chalicelib.platform import clock
from chalicelib.web.frame import Page, both, notice
from chalicelib.web.frame import page as framed
from chalicelib.wechatoa import jssdk
from chalicelib.wechatoa.jssdk import PageConfig

_HERE = Path(__file__).parent
_STYLE = (_HERE / "collect.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "collect.js").read_text(encoding="utf-8")
_TITLE = "我的推广收益"
_PAST = {
    "paid": ("已到账", "Paid"),
    "on_the_way": ("发放中", "On its way"),
    "returned": ("已退回可结算", "Back in your account"),
}
_A_DAY = (
    "请在 24 小时内领取。没领也不会丢：钱会退回「可结算」，可以在这里重新发放，或随下次结算再发给您。",
    "Collect within 24 hours. Nothing is lost if you don't: it goes back to you and is offered again.",
)


class Till(Struct, frozen=True):
    """What the button hands to WeChat. elsewhere: the address of the page in WeChat's place, in a trial.

    config: what the JS-SDK wants before it; without it the button calls WeChat all the same.
    """

    mch_id: str
    app_id: str
    is_wechat: bool
    elsewhere: str | None
    config: PageConfig | None = None


def earnings(
    name: str,
    share_code: str,
    address: str,
    shown: Earnings,
    till: Till,
    csrf: str,
    asked: bool = False,
    is_frozen: bool = False,
) -> Page:
    """The page of a distributor who has signed in. address: the path that it has, a stage's included. asked:
    they have just asked for what lapsed.
    """
    by_stage = {
        stage: [row for row in shown.payouts if row.stage == stage] for stage in ("to_collect", "lapsed")
    }
    waiting, lapsed = by_stage["to_collect"], by_stage["lapsed"]
    past = [row for row in shown.payouts if row.stage in _PAST]
    said = (
        f'<p class="how">{both("已提交，稍后会出现在「待领取」里", "Asked for: it will be here shortly")}</p>'
    )
    if is_frozen:  # what is on its way can be collected all the same
        lapsed = []
        words = both("您的账户暂停发放，收益为您保留", "Payouts are suspended; what you have earned is kept")
        said, asked = f'<p class="how">{words}</p>', True
    body = (
        f'<header class="top"><h1>{both(f"{name}，您好", "What you have earned")}</h1></header>'
        f'<main class="list">{said if asked else ""}{_waiting(waiting, till)}'
        f"{''.join(_lapsed(row, address, csrf) for row in lapsed)}{_figures(shown)}{_past(past)}"
        f'<section class="sheet share">{both("下单推荐码", "The code that friends order with")}'
        f'<b class="code">{escape(share_code)}</b></section></main>'
    )
    library = jssdk.SCRIPT if waiting and till.config else ""
    return framed(_TITLE, body, style=_STYLE, script=_SCRIPT if waiting else "", library=library, forms=True)


def again(link: str) -> Page:
    """The sign-in did not work out; it can be begun anew."""
    why = ("登录已失效，或不是在这里发起的", "It has lapsed, or was begun elsewhere")
    title = ("请重新登录", "Please sign in again")
    return framed(title[0], notice("retry", title, why, (link, "返回", "Back")))


def another_person(openid: str) -> Page:
    """Who signed in is not who is paid. They are told their own openid, to send it to the brand."""
    title = both("这不是登记的收款微信", "This is not the WeChat that is paid")
    how = both(
        "请用登记收款的微信打开。要改成这个微信收款，请把下面的编号发给品牌方核实更新：",
        "Open it with the WeChat that you gave. To be paid by this one, send the brand this number of it:",
    )
    body = (
        f'<main class="card notice"><div class="icon question" aria-hidden="true"></div><h1>{title}</h1>'
        f'<p>{how}</p><p class="code openid" lang="en">{escape(openid)}</p></main>'
    )
    return framed("这不是登记的收款微信", body, style=_STYLE)


def _waiting(rows: Sequence[Collected], till: Till) -> str:
    if not rows:
        return ""
    outside = ""
    if not till.is_wechat and till.elsewhere is None:
        words = both(
            "请在微信中打开本页领取（企业微信里不能收款）",
            "Open this page in WeChat to collect (WeCom can't)",
        )
        outside = f'<p class="how">{words}</p>'
    cards = "".join(_offer(row, till) for row in rows)
    return f'{outside}{cards}<p class="fine">{both(*_A_DAY)}</p>'


def _offer(row: Collected, till: Till) -> str:
    asked = ""
    if row.expires_at:
        asked = both(f"请在 {_time(row.expires_at)} 前领取", f"until {_day(row.expires_at):%d %b, %H:%M}")
    elsewhere = f"{till.elsewhere}{row.package_info}" if till.elsewhere else ""
    data = {
        "mch": till.mch_id,
        "app": till.app_id,
        "package": row.package_info or "",
        "elsewhere": "" if till.is_wechat else elsewhere,
    }
    if till.config:
        signed = {"nonce": till.config.nonce, "signature": till.config.signature}
        data |= {"config": till.config.app_id, "timestamp": str(till.config.timestamp)} | signed
    attributes = " ".join(f'data-{key}="{escape(value, quote=True)}"' for key, value in data.items())
    return (
        f'<article class="sheet offer"><header>{both("待领取", "To collect")}</header>'
        f'<p class="sum">{_yuan(row.amount_fen)}</p><p class="until">{asked}</p>'
        f'<button type="button" class="go" {attributes}>{both("领取到微信零钱", "Collect in WeChat")}'
        '</button><p class="said" role="status"></p></article>'
    )


def _lapsed(row: Collected, address: str, csrf: str) -> str:
    title = both("逾期未领取", "Not collected in time")
    what = both("钱已退回您的可结算余额", "It is back in your account")
    return (
        f'<article class="sheet lapsed"><header>{title}</header><p class="sum">{_yuan(row.amount_fen)}</p>'
        f'<p class="until">{what}</p>'
        f'<form method="post" action="{escape(address, quote=True)}/offer">'
        f'<input type="hidden" name="csrf" value="{escape(csrf, quote=True)}">'
        f'<input type="hidden" name="payout_id" value="{escape(row.payout_id, quote=True)}">'
        f'<button class="again">{both("重新发放给我", "Offer it to me again")}</button></form></article>'
    )


def _figures(shown: Earnings) -> str:
    rows = [
        (shown.earned_fen, ("累计收益", "Earned"), ("含已扣个税", "tax included") if shown.tax_fen else None),
        (
            shown.pending_fen,
            ("待结算", "Pending"),
            ("订单完成满保障期后可结算", "matures after completion"),
        ),
        (shown.available_fen, ("可结算", "Available"), ("随下次结算发放", "paid with the next settlement")),
        (shown.paid_fen, ("已到账", "Paid"), None),
    ]
    if shown.tax_fen:
        rows.append((shown.tax_fen, ("已代扣个税", "Tax withheld"), None))
    if shown.debt_fen:
        rows.append((shown.debt_fen, ("待抵扣", "Owed"), ("退款冲抵，从收益中扣除", "taken back by refunds")))
    cells = "".join(
        f"<li><b>{_yuan(fen)}</b>{both(*words)}{f'<i>{both(*why)}</i>' if why else ''}</li>"
        for fen, words, why in rows
    )
    return f'<ul class="sheet figures">{cells}</ul>'


def _past(rows: Sequence[Collected]) -> str:
    if not rows:
        return ""
    lines = "".join(
        f"<li><span>{both(*_PAST[row.stage])}</span><time>{_time(row.changed_at)}</time>"
        f"<b>{_yuan(row.amount_fen)}</b></li>"
        for row in rows
    )
    return f'<section class="sheet past"><h2>{both("发放记录", "Payouts")}</h2><ul>{lines}</ul></section>'


def _time(stored: str) -> str:
    """A moment as people in China read it."""
    at = _day(stored)
    return f"{at.month}月{at.day}日 {at:%H:%M}"


def _day(stored: str) -> datetime:
    return clock.parse(stored).astimezone(clock.SHANGHAI)


def _yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02}"
