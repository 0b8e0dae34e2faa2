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
from chalicelib.web.frame import Page, notice, speak, words
from chalicelib.web.frame import page as framed
from chalicelib.wechatoa import jssdk
from chalicelib.wechatoa.jssdk import PageConfig

_HERE = Path(__file__).parent
_STYLE = (_HERE / "collect.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "collect.js").read_text(encoding="utf-8")
_TITLE = ("我的推广收益", "My earnings")
_PAST = {
    "paid": ("已到账", "Paid"),
    "on_the_way": ("发放中", "On its way"),
    "returned": ("已退回可结算余额", "Returned to your balance"),
}
_A_DAY = (
    "请在 24 小时内领取。超时未领不会丢失：金额退回「可结算」，可在本页重新发放，或随下次结算发放。",
    "Please collect within 24 hours. If you don't, the money goes back to your balance: you can ask for it "
    "again here, or it comes with the next settlement.",
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
    note = words("已提交，稍后可在「待领取」中查看", "Requested. It will be here to collect shortly.")
    if is_frozen:  # what is on its way can be collected all the same
        lapsed = []
        note = words(
            "您的账户已暂停发放，收益会为您保留",
            "Payouts to your account are on hold. Your earnings are kept.",
        )
    how = f'<p class="how">{note}</p>' if asked or is_frozen else ""
    body = (
        f'<header class="top"><h1>{words(f"{name}，您好", f"Hello, {name}")}</h1></header>'
        f'<main class="list">{how}{_waiting(waiting, till)}'
        f"{''.join(_lapsed(row, address, csrf) for row in lapsed)}{_figures(shown)}{_past(past)}"
        f'<section class="sheet share">{words("我的推荐码", "My referral code")}'
        f'<b class="code">{escape(share_code)}</b></section></main>'
    )
    library = jssdk.SCRIPT if waiting and till.config else ""
    return framed(
        speak(*_TITLE), body, style=_STYLE, script=_SCRIPT if waiting else "", library=library, forms=True
    )


def again(link: str) -> Page:
    """The sign-in did not work out; it can be begun anew."""
    why = ("登录已过期或链接已失效", "Your sign-in has expired")
    title = ("请重新登录", "Please sign in again")
    return framed(speak(*title), notice("retry", title, why, (link, "返回", "Back")))


def another_person(openid: str) -> Page:
    """Who signed in is not who is paid. They are told their own openid, to send it to the brand."""
    title = ("当前微信不是登记的收款微信", "This isn't the WeChat account that is paid")
    how = words(
        "请用登记收款的微信打开本页。如需改用当前微信收款，请把下面的编号发给品牌方核实：",
        "Please open this page with the WeChat account you registered. To be paid to this one instead, "
        "send this ID to the brand:",
    )
    body = (
        '<main class="card notice"><div class="icon question" aria-hidden="true"></div>'
        f"<h1>{words(*title)}</h1>"
        f'<p>{how}</p><p class="code openid" lang="en">{escape(openid)}</p></main>'
    )
    return framed(speak(*title), body, style=_STYLE)


def _waiting(rows: Sequence[Collected], till: Till) -> str:
    if not rows:
        return ""
    outside = ""
    if not till.is_wechat and till.elsewhere is None:
        how = words(
            "请在微信中打开本页领取（企业微信中无法收款）",
            "Please open this page in WeChat to collect (it doesn't work in WeCom)",
        )
        outside = f'<p class="how">{how}</p>'
    cards = "".join(_offer(row, till) for row in rows)
    return f'{outside}{cards}<p class="fine">{words(*_A_DAY)}</p>'


def _offer(row: Collected, till: Till) -> str:
    asked = ""
    if row.expires_at:
        asked = words(
            f"请在 {_time(row.expires_at)} 前领取", f"Collect by {_day(row.expires_at):%-d %b, %H:%M}"
        )
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
        f'<article class="sheet offer"><header>{words("待领取", "To collect")}</header>'
        f'<p class="sum">{_yuan(row.amount_fen)}</p><p class="until">{asked}</p>'
        f'<button type="button" class="go" {attributes}>{words("领取到微信零钱", "Collect to WeChat Pay")}'
        '</button><p class="said" role="status"></p></article>'
    )


def _lapsed(row: Collected, address: str, csrf: str) -> str:
    title = words("逾期未领取", "Not collected in time")
    what = words("金额已退回您的可结算余额", "The money is back in your balance")
    return (
        f'<article class="sheet lapsed"><header>{title}</header><p class="sum">{_yuan(row.amount_fen)}</p>'
        f'<p class="until">{what}</p>'
        f'<form method="post" action="{escape(address, quote=True)}/offer">'
        f'<input type="hidden" name="csrf" value="{escape(csrf, quote=True)}">'
        f'<input type="hidden" name="payout_id" value="{escape(row.payout_id, quote=True)}">'
        f'<button class="again">{words("重新发放", "Send it again")}</button></form></article>'
    )


def _figures(shown: Earnings) -> str:
    rows = [
        (
            shown.earned_fen,
            ("累计收益", "Total earned"),
            ("含已扣个税", "before tax") if shown.tax_fen else None,
        ),
        (
            shown.pending_fen,
            ("待结算", "Pending"),
            ("订单过售后期后可结算", "available after the return period"),
        ),
        (shown.available_fen, ("可结算", "Available"), ("随下次结算发放", "paid with the next settlement")),
        (shown.paid_fen, ("已到账", "Paid"), None),
    ]
    if shown.tax_fen:
        rows.append((shown.tax_fen, ("已代扣个税", "Tax withheld"), None))
    if shown.debt_fen:
        rows.append(
            (
                shown.debt_fen,
                ("待抵扣", "To be offset"),
                ("因退款产生，从后续收益中抵扣", "from refunds, taken from later earnings"),
            )
        )
    cells = "".join(
        f"<li><b>{_yuan(fen)}</b>{words(*label)}{f'<i>{words(*why)}</i>' if why else ''}</li>"
        for fen, label, why in rows
    )
    return f'<ul class="sheet figures">{cells}</ul>'


def _past(rows: Sequence[Collected]) -> str:
    if not rows:
        return ""
    lines = "".join(
        f"<li><span>{words(*_PAST[row.stage])}</span><time>{_shown_time(row.changed_at)}</time>"
        f"<b>{_yuan(row.amount_fen)}</b></li>"
        for row in rows
    )
    return f'<section class="sheet past"><h2>{words("发放记录", "Payouts")}</h2><ul>{lines}</ul></section>'


def _shown_time(stored: str) -> str:
    return words(_time(stored), f"{_day(stored):%-d %b, %H:%M}")


def _time(stored: str) -> str:
    """A moment as people in China read it."""
    at = _day(stored)
    return f"{at.month}月{at.day}日 {at:%H:%M}"


def _day(stored: str) -> datetime:
    return clock.parse(stored).astimezone(clock.SHANGHAI)


def _yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02}"
