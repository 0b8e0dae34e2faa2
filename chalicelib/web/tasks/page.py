"""The guide's day: whom to add, each with a copy button. It works without script: numbers can be selected."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from chalicelib.web.frame import Page, both, notice
from chalicelib.web.frame import page as framed

_HERE = Path(__file__).parent
_STYLE = (_HERE / "tasks.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "tasks.js").read_text(encoding="utf-8")
_STATES = {
    "to_add": ("待添加", "To add"),
    "asked": ("已申请", "Asked"),
    "added": ("已添加", "Added"),
    "refused": ("已拒绝", "Refused"),
    "unreachable": ("空号", "Unreachable"),
    "expired": ("已过期", "Expired"),
}
_ACTIONS = {
    "asked": ("已申请", "Asked", "main"),
    "refused": ("拒绝", "Refused", "bad"),
    "unreachable": ("空号", "Unreachable", "bad"),
    "to_add": ("撤回", "Undo", ""),
}
_OFFERED = {
    "to_add": ("asked", "refused", "unreachable"),
    "asked": ("refused", "unreachable", "to_add"),
    "refused": ("to_add",),
    "unreachable": ("to_add",),
    "expired": ("to_add", "asked"),
}
_HOW = (
    "企业微信没有按手机号自动添加客户的接口。请复制号码，在企业微信「通讯录 → 添加客户」中搜索并发送申请；"
    "对方通过后，把下面的备注填到该客户的备注里，系统会自动识别。"
)
_HOW_EN = (
    "WeCom has no API to add people by phone. Copy the number, search for it in WeCom and send your request; "
    "paste the remark when they accept, and we know who came."
)
_TITLE = "今日拓客"


def tasks(name: str, day: str, rows: Sequence[Mapping[str, Any]], csrf: str, folder: str) -> Page:
    """The list. rows: prospect_id, code, name, number, note, remark, status. folder: before our paths."""
    if not rows:
        nothing = (f"{name}，今天没有任务", f"Nothing to do today · {day}")
        return framed(_TITLE, notice("done", nothing, ("新任务每天早上送达", "New tasks come each morning")))
    counts = {status: sum(row["status"] == status for row in rows) for status in _STATES}
    figures = "".join(
        f"<li><b>{counts[status]}</b>{both(*_STATES[status])}</li>" for status in ("to_add", "asked", "added")
    )
    head = (
        f'<header class="top"><h1>{both(f"{name}，{_TITLE}", f"People to add today · {day}")}</h1>'
        f'<ul class="counts">{figures}</ul></header>'
    )
    cards = "".join(_card(row, csrf, folder) for row in rows)
    body = f'{head}<main class="list"><p class="how">{both(_HOW, _HOW_EN)}</p>{cards}</main>'
    return framed(_TITLE, body, style=_STYLE, script=_SCRIPT, forms=True)


def again(link: str) -> Page:
    """The sign-in did not work out; it can be begun anew."""
    why = ("登录已失效，或不是在这里发起的", "It has lapsed, or was begun elsewhere")
    title = ("请重新登录", "Please sign in again")
    return framed(title[0], notice("retry", title, why, (link, "登录", "Sign in")))


def outsider() -> Page:
    """Somebody who is no member of staff."""
    title = ("仅限员工使用", "For staff only")
    how = ("请在企业微信中用员工账号打开", "Open it in WeCom with your staff account")
    return framed(title[0], notice("question", title, how))


def refused(title: str, title_en: str, link: str) -> Page:
    """What was asked for can't be done; back to the list."""
    return framed(title, notice("question", (title, title_en), link=(link, "返回列表", "Back to the list")))


def _card(row: Mapping[str, Any], csrf: str, folder: str) -> str:
    mark = escape(row["code"], quote=True)
    over = " over" if row["status"] not in ("to_add", "asked") else ""
    note = f'<p class="note">{escape(row["note"])}</p>' if row["note"] else ""
    buttons = "".join(
        f'<button class="{kind}" name="status" value="{action}">{both(*words)}</button>'
        for action in _OFFERED.get(row["status"], ())
        for *words, kind in (_ACTIONS[action],)
    )
    address = f"{folder}/h5/tasks/{escape(row['prospect_id'], quote=True)}"
    form = (
        f'<form method="post" action="{address}">'
        f'<input type="hidden" name="csrf" value="{escape(csrf, quote=True)}">{buttons}</form>'
        if buttons
        else ""
    )
    return (
        f'<article class="task{over}" id="t-{mark}"><header>'
        f"<h2>{escape(row['name'] or '未留姓名')}</h2>"
        f'<span class="state">{both(*_STATES[row["status"]])}</span></header>'
        + _copied(f"n-{mark}", ("手机号", "Number"), row["number"], "number")
        + _copied(f"r-{mark}", ("通过后填入客户备注", "Remark"), row["remark"], "")
        + f"{note}{form}</article>"
    )


def _copied(mark: str, label: tuple[str, str], text: str, kind: str) -> str:
    return (
        f'<div class="line"><span><i>{both(*label)}</i>'
        f'<output id="{mark}" class="{kind}">{escape(text)}</output></span>'
        f'<button type="button" class="copy" data-of="{mark}" hidden>{both("复制", "Copy")}</button></div>'
    )
