"""An ad's landing page: one picture at most, one button, no script. Whatever an operator wrote is escaped."""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from chalicelib.web.frame import Page, Preview, notice, speak, words
from chalicelib.web.frame import page as framed

_HERE = Path(__file__).parent
_STYLE = (_HERE / "landing.css").read_text(encoding="utf-8")
_BODY = Template((_HERE / "landing.html").read_text(encoding="utf-8"))


def campaign(shown: Mapping[str, Any], link: str) -> Page:
    """shown: `{"title","subtitle","image_url","button","bullets","legal"}`. link: where the button leads."""
    picture = shown["image_url"] or ""
    body = _BODY.substitute(
        title=_glued(escape(shown["title"])),
        picture=f'<img src="{escape(picture)}" alt="" width="768" height="432">\n' if picture else "",
        subtitle=_block("p", shown["subtitle"], ' class="sub"'),
        bullets=_list(shown["bullets"]),
        link=escape(link),
        button=escape(shown["button"]),
        hint=words("点击后跳转微信，添加专属顾问", "Opens WeChat to add your personal advisor"),
        legal=_block("footer", shown["legal"]),
    )
    preview = Preview(shown["title"], shown["subtitle"] or shown["button"], picture)
    return framed(shown["title"], body, style=_STYLE, pictures=picture, preview=preview)


def closed() -> Page:
    """Nobody can be added by this campaign now."""
    title = ("活动暂未开放", "This offer isn't available right now")
    text = ("请稍后再来看看", "Please come back later")
    return framed(speak(*title), notice("clock", title, text))


def _glued(text: str) -> str:
    """A number and its unit stay on one line: 19.9 元."""
    return re.sub(r"(?<=[0-9]) (?=[\u4e00-\u9fff])", "\u00a0", text)


def _block(tag: str, text: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{escape(text)}</{tag}>\n" if text else ""


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>\n" if lines else ""
