"""The store picker: by the position if the person lets us have it, else by city, without any script.

Chinese first, English below. Each page stays under 30 KB: names are cut, lists are paged.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

from chalicelib.web.scan.page import Page, frame

_HERE = Path(__file__).parent
_BODY = Template((_HERE / "choose.html").read_text(encoding="utf-8"))
_STYLE = (_HERE / "choose.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "choose.js").read_text(encoding="utf-8")
_NAME, _ADDRESS = 30, 50  # characters that are shown
_LIST_BYTES = 14_000
_SEARCH_FROM = 12  # stores, from which looking for one by name is worth a field


def choose(
    cities: Sequence[tuple[str, int]],
    stores: Sequence[Mapping[str, Any]],
    asked: Mapping[str, str],
    page: int,
    pages: int,
) -> Page:
    """The picker. stores: `{"store_id","name","address","is_open"}` each; none: the cities are shown.

    asked: the query that this page answers, without `page`.
    """
    text, city = asked.get("q", ""), asked.get("city")
    narrowed = bool(text) or city is not None
    count = sum(number for _, number in cities)
    if not count or (narrowed and not stores):
        content = _none()
    elif stores:
        title = escape(_cut(text or city or "", _NAME)) if narrowed else "门店"
        heading = f"<h2>{title}<small lang=en>{'' if narrowed else 'Stores'}</small></h2>"
        content = heading + _list([_store(row) for row in stores])
    else:
        parts = _parts([_city(*pair) for pair in cities])
        pages, page = len(parts), min(max(1, page), len(parts))
        content = "<h2>城市<small lang=en>Cities</small></h2>" + _list(parts[page - 1], "cities")
    search = _search(text) if count >= _SEARCH_FROM else ""
    body = _BODY.substitute(search=search, list=content + _turn(asked, page, pages, narrowed))
    return frame("选择门店", body, style=_STYLE, script=_SCRIPT)


def _store(row: Mapping[str, Any]) -> str:
    link = escape(urlencode({"store_id": row["store_id"]}), quote=True)
    shut = "" if row["is_open"] else "<i>休息中<small lang=en>Closed now</small></i>"
    name, address = escape(_cut(row["name"], _NAME)), escape(_cut(row["address"], _ADDRESS))
    return f'<li><a href="?{link}"><span>{name}<small>{address}</small></span>{shut}</a></li>'


def _city(name: str, count: int) -> str:
    link = escape(urlencode({"city": name}), quote=True)
    told = escape(_cut(name, _NAME)) or "其他<small lang=en>Other</small>"
    return f'<li><a href="?{link}"><span>{told}</span><i>{count}</i></a></li>'


def _parts(rows: list[str]) -> list[list[str]]:
    """Pages of about as many bytes."""
    parts: list[list[str]] = [[]]
    size = 0
    for row in rows:
        length = len(row.encode())
        if parts[-1] and size + length > _LIST_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += length
    return parts


def _list(rows: Sequence[str], kind: str = "stores") -> str:
    return f'<ul class="{kind}">{"".join(rows)}</ul>'


def _search(text: str) -> str:
    value = escape(_cut(text, _NAME), quote=True)
    return (
        f'<form role="search"><input name="q" type="search" value="{value}" maxlength="{_NAME}" '
        'aria-label="门店名称 Store name" placeholder="门店或城市 Store or city">'
        "<button>搜索</button></form>"
    )


def _turn(asked: Mapping[str, str], page: int, pages: int, narrowed: bool) -> str:
    links = []
    if narrowed:
        links.append('<a href="?choose=1">‹ 全部城市<small lang="en">All cities</small></a>')
    for step, label, label_en in ((page - 1, "上一页", "Previous"), (page + 1, "下一页", "Next")):
        if 1 <= step <= pages:
            link = escape(urlencode({**(asked or {"choose": "1"}), "page": step}), quote=True)
            links.append(f'<a href="?{link}">{label}<small lang="en">{label_en}</small></a>')
    return f"<nav>{''.join(links)}</nav>" if links else ""


def _none() -> str:
    return '<p class="none">没有找到门店<small lang="en">No store found</small></p>'


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
