"""The store picker: by the position if the person lets us have it, else by city, without any script.

Each page stays under 30 KB: names are cut, lists are paged.
"""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any

from chalicelib.web.frame import Page, Preview, query, speak, words
from chalicelib.web.frame import page as framed

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
    told: Mapping[str, str] = MappingProxyType({}),
    picture: str = "",
) -> Page:
    """The picker. stores: `{"store_id","name","address","is_open"}` each; none: the cities are shown.

    asked: the query that this page answers, without `page`. told: what each further link tells on.
    picture: of the link, for its preview.
    """
    text, city = asked.get("q", ""), asked.get("city")
    narrowed = bool(text) or city is not None
    count = sum(number for _, number in cities)
    if not count or (narrowed and not stores):
        content = _none()
    elif stores:
        title = escape(_cut(text or city or "", _NAME)) if narrowed else words("门店", "Stores")
        content = f"<h2>{title}</h2>" + _list([_store(row, told) for row in stores])
    else:
        parts = _parts([_city(*pair, told) for pair in cities])
        pages, page = len(parts), min(max(1, page), len(parts))
        content = f"<h2>{words('城市', 'Cities')}</h2>" + _list(parts[page - 1], "cities")
    search = _search(text, told) if count >= _SEARCH_FROM else ""
    body = _BODY.substitute(
        title=words("选择门店", "Choose a store"),
        near=_near() if count else "",
        search=search,
        list=content + _turn(asked, page, pages, narrowed, told),
    )
    preview = Preview(
        speak("添加附近门店的专属顾问", "Add an advisor of a store near you"),
        speak("打开后选择门店，一对一为您服务", "Open it and choose your store"),
        picture,
    )
    return framed(
        speak("选择门店", "Choose a store"),
        body,
        style=_STYLE,
        script=_SCRIPT if count else "",
        forms=True,
        preview=preview,
    )


def _near() -> str:
    """What the script shows: without it, it would be a button that does nothing."""
    return (
        '<div id="near" hidden><button id="locate" class="go" type="button">'
        f'{words("定位附近门店", "Find stores near me")}</button><p id="told" role="status"></p></div>\n'
    )


def _store(row: Mapping[str, Any], told: Mapping[str, str]) -> str:
    shut = "" if row["is_open"] else f"<i>{words('休息中', 'Closed now')}</i>"
    name, address = escape(_cut(row["name"], _NAME)), escape(_cut(row["address"], _ADDRESS))
    link = query(told, store_id=row["store_id"])
    return f'<li><a href="{link}"><span>{name}<small>{address}</small></span>{shut}</a></li>'


def _city(name: str, count: int, told: Mapping[str, str]) -> str:
    shown = escape(_cut(name, _NAME)) or words("其他", "Other")
    return f'<li><a href="{query(told, city=name)}"><span>{shown}</span><i>{count}</i></a></li>'


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


def _search(text: str, told: Mapping[str, str]) -> str:
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in told.items()
    )
    value = escape(_cut(text, _NAME), quote=True)
    return (
        f'<form role="search">{kept}<input name="q" type="search" value="{value}" maxlength="{_NAME}" '
        f'aria-label="{words("门店名称", "Store name")}" '
        f'placeholder="{words("门店或城市", "Store or city")}">'
        f'<button class="go">{words("搜索", "Search")}</button></form>'
    )


def _turn(asked: Mapping[str, str], page: int, pages: int, narrowed: bool, told: Mapping[str, str]) -> str:
    links = []
    if narrowed:
        links.append(f'<a href="{query(told, choose="1")}">{words("‹ 全部城市", "‹ All cities")}</a>')
    for step, label in ((page - 1, words("上一页", "Previous")), (page + 1, words("下一页", "Next"))):
        if 1 <= step <= pages:
            link = query(told, **(asked or {"choose": "1"}), page=str(step))
            links.append(f'<a href="{link}">{label}</a>')
    return f"<nav>{''.join(links)}</nav>" if links else ""


def _none() -> str:
    return f'<p class="none">{words("没有找到相关门店", "No stores found")}</p>'


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
