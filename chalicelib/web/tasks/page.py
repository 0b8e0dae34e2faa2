"""The guide's day: whom to add, each with a copy button. It works without script: numbers can be selected.

Chinese first, English below. Whatever comes from outside is escaped; the policy lets in nothing but our
own style and the one script, by their hashes, and forms to ourselves.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

_HERE = Path(__file__).parent
_STYLE = (_HERE / "tasks.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "tasks.js").read_text(encoding="utf-8")
_FRAME = Template((_HERE / "tasks.html").read_text(encoding="utf-8"))
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


@dataclass(frozen=True)
class Page:
    """A finished document and the headers that belong to it."""

    html: str
    headers: dict[str, str]


def tasks(name: str, day: str, rows: Sequence[Mapping[str, Any]], csrf: str, folder: str) -> Page:
    """The list. rows: prospect_id, code, name, number, note, remark, status. folder: before our paths."""
    counts = {status: sum(row["status"] == status for row in rows) for status in _STATES}
    head = (
        f"<h1>{escape(name)}，今日拓客<small>Today's people to add · {escape(day)}</small></h1>"
        '<ul class="counts">'
        + "".join(
            f"<li><b>{counts[status]}</b>{_STATES[status][0]} <small>{_STATES[status][1]}</small></li>"
            for status in ("to_add", "asked", "added")
        )
        + "</ul>"
    )
    if not rows:
        return _page("今日拓客", head + _empty())
    how = f'<p class="how">{_HOW}<small>{_HOW_EN}</small></p>'
    cards = "".join(_card(row, csrf, folder) for row in rows)
    return _page("今日拓客", head + how + cards, script=True)


def again(link: str) -> Page:
    """The sign-in did not work out; it can be begun anew."""
    body = (
        '<section class="notice"><h1>请重新登录<small>Please sign in again</small></h1>'
        "<p>登录已失效，或不是在这里发起的<small>It has lapsed, or was begun elsewhere</small></p>"
        f'<a href="{escape(link, quote=True)}">登录 Sign in</a></section>'
    )
    return _page("请重新登录", body)


def outsider() -> Page:
    """Somebody who is no member of staff."""
    body = (
        '<section class="notice"><h1>仅限员工使用<small>For staff only</small></h1>'
        "<p>请在企业微信中用员工账号打开<small>Open it in WeCom with your staff account</small></p></section>"
    )
    return _page("仅限员工使用", body)


def refused(title: str, title_en: str, link: str) -> Page:
    """What was asked for can't be done; back to the list."""
    body = (
        f'<section class="notice"><h1>{escape(title)}<small>{escape(title_en)}</small></h1>'
        f'<a href="{escape(link, quote=True)}">返回列表 Back</a></section>'
    )
    return _page(title, body)


def _empty() -> str:
    return (
        '<section class="notice"><h1>今天没有任务<small>Nothing to do today</small></h1>'
        "<p>新任务每天早上送达<small>New tasks come each morning</small></p></section>"
    )


def _card(row: Mapping[str, Any], csrf: str, folder: str) -> str:
    mark = escape(row["code"], quote=True)
    state, state_en = _STATES[row["status"]]
    closed = " done" if row["status"] not in ("to_add", "asked") else ""
    note = f'<p class="note">{escape(row["note"])}</p>' if row["note"] else ""
    buttons = "".join(
        f'<button class="{kind}" name="status" value="{action}">{text}<small>{text_en}</small></button>'
        for action in _OFFERED.get(row["status"], ())
        for text, text_en, kind in (_ACTIONS[action],)
    )
    address = f"{folder}/h5/tasks/{escape(row['prospect_id'], quote=True)}"
    form = (
        f'<form method="post" action="{address}">'
        f'<input type="hidden" name="csrf" value="{escape(csrf, quote=True)}">{buttons}</form>'
        if buttons
        else ""
    )
    return (
        f'<article class="task{closed}" id="t-{mark}"><header>'
        f"<h2>{escape(row['name'] or '未留姓名')}</h2>"
        f'<span class="state">{state} {state_en}</span></header>'
        + _copied(f"n-{mark}", "手机号 Number", row["number"], "number")
        + _copied(f"r-{mark}", "通过后填入客户备注 Remark", row["remark"], "")
        + f"{note}{form}</article>"
    )


def _copied(mark: str, label: str, text: str, kind: str) -> str:
    return (
        f'<div class="line"><span><small>{label}</small>'
        f'<output id="{mark}" class="{kind}">{escape(text)}</output></span>'
        f'<button type="button" class="copy" data-of="{mark}" hidden>复制 Copy</button></div>'
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_STYLE_HASH, _SCRIPT_HASH = _hash(_STYLE), _hash(_SCRIPT)


def _page(title: str, body: str, script: bool = False) -> Page:
    code = f"<script>{_SCRIPT}</script>" if script else ""
    html = _FRAME.substitute(title=escape(title), style=_STYLE, body=body, script=code)
    scripts = f"script-src 'sha256-{_SCRIPT_HASH}'; " if script else ""
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; {scripts}"
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Page(html, headers)
