"""The guide's day: whom to add, each with a copy button. It works without script: numbers can be selected."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from chalicelib.web.frame import Page, notice, speak, words
from chalicelib.web.frame import page as framed

_HERE = Path(__file__).parent
_STYLE = (_HERE / "tasks.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "tasks.js").read_text(encoding="utf-8")
_STATES = {
    "to_add": ("待添加", "To add"),
    "asked": ("已发申请", "Request sent"),
    "added": ("已添加", "Added"),
    "refused": ("对方拒绝", "Declined"),
    "unreachable": ("搜不到", "Not found"),
    "expired": ("已过期", "Expired"),
}
_ACTIONS = {
    "asked": ("已发申请", "Request sent", "main"),
    "refused": ("对方拒绝", "Declined", "bad"),
    "unreachable": ("搜不到", "Not found", "bad"),
    "to_add": ("撤销", "Undo", ""),
}
_OFFERED = {
    "to_add": ("asked", "refused", "unreachable"),
    "asked": ("refused", "unreachable", "to_add"),
    "refused": ("to_add",),
    "unreachable": ("to_add",),
    "expired": ("to_add", "asked"),
}
_HOW = (
    "请逐个添加：①复制手机号 ②企业微信「通讯录 → 添加客户」搜索并发送申请 ③通过后粘贴备注，系统自动识别",
    "Add them one by one: ① copy the number ② in WeCom, search for it under Contacts → Add Customer and send "
    "a request ③ once accepted, paste the remark so that we recognise them",
)
_TITLE = ("今日拓客", "People to add today")


def tasks(name: str, day: str, rows: Sequence[Mapping[str, Any]], csrf: str, folder: str) -> Page:
    """The list. rows: prospect_id, code, name, number, note, remark, status. folder: before our paths."""
    title = speak(*_TITLE)
    if not rows:
        nothing = (f"{name}，今天没有任务", f"Nothing to do today, {name}")
        when = ("新任务每天早上更新", "New tasks arrive every morning")
        return framed(title, notice("done", nothing, when))
    counts = {status: sum(row["status"] == status for row in rows) for status in _STATES}
    figures = "".join(
        f"<li><b>{counts[status]}</b>{words(*_STATES[status])}</li>"
        for status in ("to_add", "asked", "added")
    )
    head = (
        f'<header class="top"><h1>{words(f"{name}，{_TITLE[0]}", f"{_TITLE[1]}, {name}")}</h1>'
        f'<ul class="counts">{figures}</ul></header>'
    )
    cards = "".join(_card(row, csrf, folder) for row in rows)
    body = f'{head}<main class="list"><p class="how">{words(*_HOW)}</p>{cards}</main>'
    return framed(title, body, style=_STYLE, script=_SCRIPT, forms=True)


def again(link: str) -> Page:
    """The sign-in did not work out; it can be begun anew."""
    title = ("请重新登录", "Please sign in again")
    why = ("登录已过期或链接已失效", "Your sign-in has expired")
    return framed(speak(*title), notice("retry", title, why, (link, "登录", "Sign in")))


def outsider() -> Page:
    """Somebody who is no member of staff."""
    title = ("仅限员工使用", "Staff only")
    how = ("请在企业微信中用员工账号打开", "Please open this page in WeCom with your staff account")
    return framed(speak(*title), notice("question", title, how))


def refused(title: str, title_en: str, link: str) -> Page:
    """What was asked for can't be done; back to the list."""
    shown = (title, title_en)
    return framed(speak(*shown), notice("question", shown, link=(link, "返回列表", "Back to the list")))


def _card(row: Mapping[str, Any], csrf: str, folder: str) -> str:
    mark = escape(row["code"], quote=True)
    over = " over" if row["status"] not in ("to_add", "asked") else ""
    note = f'<p class="note">{escape(row["note"])}</p>' if row["note"] else ""
    buttons = "".join(
        f'<button class="{kind}" name="status" value="{action}">{words(zh, en)}</button>'
        for action in _OFFERED.get(row["status"], ())
        for zh, en, kind in (_ACTIONS[action],)
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
        f'<span class="state">{words(*_STATES[row["status"]])}</span></header>'
        + _copied(f"n-{mark}", ("手机号", "Phone number"), row["number"], "number")
        + _copied(f"r-{mark}", ("通过后粘贴到客户备注", "Remark to paste once accepted"), row["remark"], "")
        + f"{note}{form}</article>"
    )


def _copied(mark: str, label: tuple[str, str], text: str, kind: str) -> str:
    return (
        f'<div class="line"><span><i>{words(*label)}</i>'
        f'<output id="{mark}" class="{kind}">{escape(text)}</output></span>'
        f'<button type="button" class="copy" data-of="{mark}" hidden>{words("复制", "Copy")}</button></div>'
    )
