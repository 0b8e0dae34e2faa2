"""A batch's work in the poster function: the plan, chunks of posters, the ZIP."""

import csv
import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from chalicelib.platform import files, queues, userids
from chalicelib.platform.errors import DomainError, Invalid, issue
from chalicelib.platform.ziparchive import Archive
from chalicelib.posters import batch_state, printable, rendering, rules, template_store
from chalicelib.posters.batch_state import Row
from chalicelib.posters.built_in_templates import DEFAULT, TEMPLATES

_AT_ONCE = 16  # files fetched side by side: all that a ZIP holds in memory
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plan_batch(batch_id: str) -> None:
    """Look names up, keep the list of posters, and send its chunks. The list once kept stays."""
    rows = batch_state.read_rows(batch_id)
    if rows is None:
        rows = _plan_rows(batch_state.read_request(batch_id))
        batch_state.keep_rows(batch_id, rows)
    batch_state.send_chunks(batch_id, len(rows))


def make_chunk(batch_id: str, number: int) -> None:
    """Make what is missing of a chunk's posters, and count them."""
    if not batch_state.is_done(batch_id, number):
        rows = batch_state.read_rows(batch_id) or []
        first = number * batch_state.CHUNK
        mine = rows[first : first + batch_state.CHUNK]
        failed, incomplete = [], []
        for at, row in enumerate(mine, first):
            reason, left_out = _make(batch_id, at, row)
            if reason:
                failed.append([at, reason])
            elif left_out:
                incomplete.append([at, left_out])
        batch_state.count_chunk(batch_id, number, len(mine), failed, incomplete)
    if batch_state.is_complete(batch_id):
        queues.send("poster", {"kind": "zip", "job_id": batch_id, "what": "the ZIP of all posters"})


def pack_zip(batch_id: str) -> None:
    """All posters of a complete batch into one ZIP, and the job is finished."""
    if not batch_state.is_complete(batch_id):
        return
    rows = batch_state.read_rows(batch_id) or []
    failed, incomplete = batch_state.read_errors(batch_id), batch_state.read_left_out(batch_id)
    lost = {number for number, _ in failed}
    wanted = [(n, row) for n, row in enumerate(rows) if n not in lost]
    key = batch_state.zip_key(batch_id)
    with files.Upload(key, "application/zip") as out, Archive(out) as archive:
        for row, data in _fetch(batch_id, wanted):
            archive.add(row["file"], data)
        if failed:
            archive.add("errors.csv", _write_table(rows, failed, "error"))
        if incomplete:
            archive.add("left_out.csv", _write_table(rows, incomplete, "left_out"))
    batch_state.finish(batch_id, len(rows), len(failed), len(incomplete), key)


def _make(batch_id: str, number: int, row: Row) -> tuple[str | None, str]:
    """Make a poster unless it is there already: the reason, when it can't be made, and what was left out."""
    key = batch_state.poster_key(batch_id, number, row["format"])
    try:
        if row.get("staff_id") and not row.get("staff_name"):
            raise Invalid(issue("staff_id", "no_name_to_print", staff_id=row["staff_id"]))
        request, left_out = printable.clean_request(rules.parse_request(row, TEMPLATES, DEFAULT))
        if files.size(key) is None:
            data = rendering.render(request, template_store.get_design(request.template))
            files.put(key, data, rendering.TYPES[request.format])
    except DomainError as error:
        if error.retryable:
            raise
        return " / ".join(dict.fromkeys((error.detail("zh"), error.detail("en")))), ""
    return None, " ".join(f"{field}: {emoji}" for field, emoji in left_out.items())


def _plan_rows(wanted: dict[str, Any]) -> list[Row]:
    same = {name: wanted[name] for name in ("template", "format", "width", "title", "subtitle")}
    posters = [(words, {**same, **row}) for words, row in _iterate(wanted)]
    names = rules.file_names((words for words, _ in posters), wanted["format"])
    return [{**row, "file": name} for name, (_, row) in zip(names, posters, strict=True)]


def _iterate(wanted: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Row]]:
    """The words of each poster's file name, and what is its own."""
    from chalicelib.livecodes import service as livecodes  # for plans alone: they bring WeCom's client
    from chalicelib.staff import service as staff
    from chalicelib.stores import service as stores

    if wanted["live_code_ids"] is not None:
        codes = livecodes.get_many(wanted["ids"])
        for live_code_id in wanted["ids"]:
            code = codes[live_code_id]
            yield (code.name,), {"url": code.url, "code_name": code.name}
        return
    code = livecodes.get(wanted["live_code_id"])
    links = wanted.get("links", {})  # none: it was asked for before posters had links of their own
    own = {"url": code.url, "code_name": code.name}
    if wanted["staff_ids"] is not None:
        names, avatars = staff.names(wanted["ids"]), userids.folded(wanted["avatars"])
        for staff_id in wanted["ids"]:
            name = names.get(staff_id, "")
            words = {"staff_id": staff_id, "staff_name": name, "avatar_url": avatars.get(staff_id, "")}
            yield (code.name, name or staff_id), {**own, "url": links.get(staff_id, code.url), **words}
        return
    known = stores.find_many(wanted["ids"])
    for store_id in wanted["ids"]:
        name = known[store_id].name if store_id in known else store_id
        link = links.get(store_id, f"{code.url}?store_id={store_id}")
        yield (name,), {**own, "url": link, "store_name": name}


def _fetch(batch_id: str, wanted: Iterable[tuple[int, Row]]) -> Iterator[tuple[Row, bytes]]:
    left = iter(wanted)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while batch := list(islice(left, _AT_ONCE)):
            keys = [batch_state.poster_key(batch_id, number, row["format"]) for number, row in batch]
            yield from zip((row for _, row in batch), pool.map(files.get, keys), strict=True)


def _write_table(rows: list[Row], told: list[list[Any]], column: str) -> bytes:
    """What is told of posters by their number, as a table that Excel opens."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["number", "file", "url", column])
    for number, reason in told:
        row = rows[number]
        writer.writerow([number + 1, _escape_formula(row["file"]), row["url"], _escape_formula(reason)])
    return table.getvalue().encode("utf-8-sig")


def _escape_formula(text: str) -> str:
    """No spreadsheet takes it for a formula, whatever a store is called."""
    return f"'{text}" if text.startswith(_FORMULA) else text
