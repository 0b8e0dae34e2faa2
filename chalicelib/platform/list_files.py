"""A list as a file: every row that its route would show the caller, page by page, by the route's own view.

So its filters, order, scope, masking and permission are the list's. Each file is an entry in the audit.
"""

import io
import time
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain
from types import SimpleNamespace
from typing import IO, Any
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from chalicelib.platform import audit, clock, declared, http, storage, table_files, tabular
from chalicelib.platform.column_texts import LISTS
from chalicelib.platform.errors import TooLarge
from chalicelib.platform.http import Answer, Call, Door, Route
from chalicelib.platform.messages import Language, language
from chalicelib.platform.paging import Page
from chalicelib.platform.table_files import Format
from chalicelib.platform.tabular import Column
from chalicelib.platform.validation import convert_strings

_AT_ONCE_BYTES = 4 * 1024 * 1024
_AT_ONCE_TIME = timedelta(seconds=15)
_AT_ONCE_ROWS = 20_000  # an XLSX is as large as it is once it is whole
_PAGE = 1000
_TYPES: dict[Format, str] = {"csv": f"{http.CSV}; charset=utf-8", "xlsx": http.XLSX}
_MASKED = frozenset({"q"})  # what a person typed to search for is a name or a number


def answer(route: Route, call: Call, kind: Format, parameters: Mapping[str, Any]) -> Answer:
    """The whole list as a file. TooLarge, with the way that is left."""
    words = language(call.headers.get("accept-language"))
    started, out, rows = time.monotonic(), io.BytesIO(), 0
    for rows in write(route, call, kind, parameters, out, words):
        late = time.monotonic() - started > _AT_ONCE_TIME.total_seconds()
        if late or rows > _AT_ONCE_ROWS:
            break
    else:
        late = False
    if late or rows > _AT_ONCE_ROWS or out.tell() > _AT_ONCE_BYTES:
        raise TooLarge(code="list_too_large", limit=_AT_ONCE_BYTES, format=kind)
    tx = storage.Transaction()
    note(tx, route, call.path, kind, call.strings, rows)
    tx.commit()
    name = file_name(route, kind, words)
    headers = {
        "Content-Type": _TYPES[kind],
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
    }
    body = out.getvalue()
    return Answer(body.decode() if kind == "csv" else body, headers=headers)


def write(
    route: Route, call: Call, kind: Format, parameters: Mapping[str, Any], out: IO[bytes], words: Language
) -> Iterator[int]:
    """Write all rows into `out`; after each page how many there are by then."""
    columns = tabular.columns(route.row, route.path.removeprefix("/api/"))
    pages = _pages(route, call, parameters)
    first = next(pages)  # what the list refuses, it refuses before there is a file
    rows, file = 0, table_files.new(kind, [column.heading(words) for column in columns], out)
    try:
        for page in chain([first], pages):
            names = _names(columns, page.items)
            for row in page.items:
                file.write([column.cell(row, words, names) for column in columns])
            rows += len(page.items)
            yield rows
        file.close()
    except BaseException:  # also of a reader that has enough
        file.abandon()
        raise


def _names(columns: Sequence[Column], rows: Sequence[Any]) -> dict[str, Mapping[str, str]]:
    """Of all whose ids are shown by name, by kind and id: a capability's `names.py` says who knows them."""
    wanted: dict[str, dict[str, None]] = {}
    for row in rows:
        for column in columns:
            for kind, one in column.ids(row):
                wanted.setdefault(kind, {})[one] = None
    resolvers = {kind: how for table in declared.find("names", "NAMES") for kind, how in table.items()}
    return {kind: declared.resolve(resolvers[kind])(list(ids)) for kind, ids in wanted.items()}


def note(
    tx: storage.Transaction, route: Route, path: str, kind: Format, query: Mapping[str, str], rows: int | None
) -> None:
    """The entry: which list, with which filters, and how many rows if they are known."""
    filters = {k: v for k, v in query.items() if k not in ("limit", "cursor", "format")}
    what = {"list": path, "format": kind, "filters": filters, **({} if rows is None else {"rows": rows})}
    action = f"{(route.permission or '').partition('.')[0]}.export"
    audit.add(tx, action, path, None, what, masked=_MASKED)


def file_name(route: Route, kind: Format, words: Language) -> str:
    """客户 2026-11-22 1530.csv"""
    name = route.path.removeprefix("/api/")
    title = LISTS.get(name, name) if words == "zh" else name
    plain = "-".join(part for part in title.split("/") if not part.startswith("{"))
    return f"{plain} {clock.now().astimezone(clock.SHANGHAI):%Y-%m-%d %H%M}.{kind}"


def find(path: str) -> tuple[Route, dict[str, str]] | None:
    """The list at `/api/<path>` and its path's parameters; None when there is no list."""
    found: Callable[[str], tuple[str, dict[str, str]]] | None = Door.find
    if found is None:
        raise RuntimeError("the app is not loaded")
    pattern, parameters = found(path)
    for route in Door.routes:
        if (route.method, route.path) == ("GET", pattern) and route.is_list:
            return route, parameters
    return None


def new_call(route: Route, path: str, query: Mapping[str, str], words: Language, principal: Any) -> Call:
    """A call of a list's view that came by no request. Invalid for a query that the list would refuse."""
    headers = {"accept-language": words}
    request = SimpleNamespace(
        headers=headers, query_params=dict(query), method="GET", context={}, path=path, raw_body=b""
    )
    call = Call(request, http.MAX_BODY)
    call.query = convert_strings(query, typing.cast(Any, route.query), open=False)
    call.principal = principal
    return call


def _pages(route: Route, call: Call, parameters: Mapping[str, Any]) -> Iterator[Page[Any]]:
    """The list's pages, with rows as they are answered."""
    pages = hasattr(call.query, "limit")
    call.query = replace(call.query, format="csv", **({"limit": _PAGE, "cursor": None} if pages else {}))
    while True:
        page = msgspec.to_builtins(route.view(call, **parameters))
        if Door.spellings:
            page = declared.resolve(f"{Door.spellings}:show")(page)
        yield Page(page["items"], page["total"], page["next_cursor"], page["total_is"])
        if not page["next_cursor"]:
            return
        call.query = replace(call.query, cursor=page["next_cursor"])
