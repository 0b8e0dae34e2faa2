"""Lists that a screen can stand on, without a scan on the request path.

Two kinds. What a brand has up to 10,000 of (codes, stores, plans, keys …) is a listing partition that is
read whole: filter, search, sort and the total are exact, and worked out in memory (`whole`). Histories
(assignments, orders, touches …) grow without end: they are read newest first, a page at a time, and their
total is the number of rows seen so far (`history` of one partition, `merged` of several). Searching reads
Chinese names by pinyin too.
"""

import base64
import heapq
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import QueryError
from pynamodb.expressions.condition import Condition

from chalicelib.platform import ids, storage
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.paging import Page as Page
from chalicelib.platform.paging import Paging as Paging
from chalicelib.platform.paging import Searching as Searching
from chalicelib.platform.paging import Tabular as Tabular

Row = TypeVar("Row")
Item = TypeVar("Item")
MAX_WHOLE = 10_000  # rows of a listing partition that are read for one page
SHARDS = 8  # of a month of a history
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_IN_NAMES = dict(  # said otherwise in names of people and places than elsewhere
    zip(
        "长重厦都单曾解翟查仇朴覃缪",
        "chang chong xia du shan zeng xie zhai zha qiu piao qin miao".split(),
        strict=True,
    )
)
_MAX_READS = 20  # pages of the store that one page of a filtered history may take


def whole(
    rows: Iterable[Row],
    query: Paging,
    *,
    key: Callable[[Row], str],
    sorts: Mapping[str, Callable[[Row], Any]],
    sort: str,
    texts: Callable[[Row], Iterable[str | None]] | None = None,
) -> Page[Row]:
    """A page of rows that are all at hand. Rows of one sort value are in the order of their keys.

    sorts: sort name → value of a row (None sorts last; names by how they are said); sort: the wanted one,
    `-name` descending.
    texts: what `q` is looked for in. The cursor holds the last row's sort value and key, so that a row that
    comes or goes meanwhile neither repeats nor skips another. Invalid for another list's cursor.
    """
    wanted = str(getattr(query, "q", None) or "").strip()
    if wanted and texts is not None:
        rows = (row for row in rows if any(matches(wanted, text) for text in texts(row) if text))
    value, descending = sorts[sort.removeprefix("-")], sort.startswith("-")
    by_name = sort.removeprefix("-") == "name"

    def place(row: Row) -> tuple[bool, Any, str]:
        held = value(row)
        if by_name and held is not None:
            held = _said(held)
        return (held is None) != descending, held if held is not None else "", key(row)

    ordered = sorted(rows, key=place, reverse=descending)
    start = 0
    if query.cursor:
        last = _last_place(query.cursor, _name_of(query, sort))
        try:
            start = sum(1 for row in ordered if (place(row) >= last if descending else place(row) <= last))
        except TypeError:  # a number against a text
            raise Invalid(issue("cursor", "cursor")) from None
    items = ordered[start : start + (query.limit if query.format == "json" else MAX_WHOLE)]
    more = start + len(items) < len(ordered)
    return Page(items, len(ordered), _encode([_name_of(query, sort), *place(items[-1])]) if more else None)


def partition(query: Callable[..., Iterable[Item]]) -> list[Item]:
    """A listing partition as a whole, up to MAX_WHOLE rows of it."""
    return list(query(limit=MAX_WHOLE))


def history(
    query: Callable[..., Any], paging: Paging, keep: Callable[[Any], bool] | None = None
) -> Page[Any]:
    """A page of `query(limit=…, last_evaluated_key=…)`, rows that `keep` refuses left out.

    A filter over a long history may end a page early; its cursor goes on from there. Invalid for another
    list's cursor.
    """
    name = _name_of(paging)
    before, cursor = _counted(paging.cursor, name)
    items: list[Any] = []
    for _ in range(_MAX_READS):
        limit = paging.limit - len(items)
        rows, cursor = storage.page(_limited(query, limit), cursor)
        items += [row for row in rows if keep is None or keep(row)]
        if cursor is None or len(items) >= paging.limit:
            break
    total = before + len(items)
    if cursor is None:
        return Page(items, total)
    return Page(items, total, _encode([name, total, cursor]), "at_least")


def keyed(read: Callable[[str, int], tuple[list[str], int]], paging: Paging) -> Page[str]:
    """A page of keys that are stored in their order. Invalid for another list's cursor.

    read: (the key behind which, how many) → the next keys, and how many there are in all.
    """
    name = _name_of(paging)
    after = _counted(paging.cursor, name)[1] or ""
    limit = paging.limit if paging.format == "json" else MAX_WHOLE
    keys, total = read(after, limit + 1)
    if len(keys) <= limit:
        return Page(keys, total)
    return Page(keys[:limit], total, _encode([name, 0, keys[limit - 1]]))


def merged(
    groups: Iterable[Sequence[str]],
    read: Callable[[str, str | None, int], Iterable[Row]],
    paging: Paging,
    place: Callable[[Row], str],
    keep: Callable[[Row], bool] | None = None,
    load: Callable[[list[Row]], Iterable[Any]] | None = None,
) -> Page[Any]:
    """A page of several partitions as one history, newest first: a scope's guides, a month's shards.

    groups: partitions that are merged, group after group (`months`). read: rows of a partition, newest
    first, whose place is before the given one, at most so many. place: a row's time and id, as its key has
    it. Rows that `keep` refuses are left out. load: what each row of a batch is shown as, e.g. the item that
    an index's key leads to; None leaves it out. Where much is left out a page may be short; its cursor goes
    on from there. Invalid for another list's cursor.
    """
    name = _name_of(paging)
    before, last = _counted(paging.cursor, name)
    left = [tuple(group) for group in groups]
    items: list[Any] = []
    more = False
    for _ in range(_MAX_READS):
        rows: list[Row] = []
        while left:
            wanted = paging.limit + 1 - len(rows)
            parts = [read(partition, last, wanted) for partition in left[0]]
            try:
                rows += islice(heapq.merge(*parts, key=place, reverse=True), wanted)
            except QueryError as error:
                if paging.cursor is None or not storage.is_refused(error):
                    raise
                raise Invalid(issue("cursor", "cursor")) from error
            if len(rows) > paging.limit:
                break
            del left[0]
        batch, more = rows[: paging.limit], len(rows) > paging.limit
        for row, item in zip(batch, load(batch) if load else batch, strict=True):
            if len(items) == paging.limit:
                more = True
                break
            last = place(row)
            if item is not None and (keep is None or keep(row)):
                items.append(item)
        if not more or len(items) == paging.limit:
            break
    total = before + len(items)
    if not more:
        return Page(items, total)
    return Page(items, total, _encode([name, total, last]), "at_least")


def between(place: UnicodeAttribute, since: str | None, before: str | None) -> Condition | None:
    """Places from one on and before another. A key may have one condition, and `between` takes in its upper
    end: the last text before that is it.
    """
    if before and since:
        return place.between(since, max(since, _just_before(before)))
    if since:
        return place >= since
    return place < before if before else None


def _just_before(text: str) -> str:
    """A text that is smaller, with room for none of our places between: they end in letters and digits."""
    return text[:-1] + chr(ord(text[-1]) - 1) + "~"


def month_shard(at: datetime, key: str, shards: int = SHARDS) -> str:
    """The partition of a history's index, `2026-11#3`: a shard takes 1,000 writes a second, a month eight."""
    return f"{at.astimezone(UTC):%Y-%m}#{ids.shard(key, shards)}"


def months(
    now: datetime, back: int = 36, cursor: str | None = None, shards: int = SHARDS
) -> Iterator[list[str]]:
    """The partitions of `month_shard` for `merged`, the present month first; from a cursor's month on.

    A page of a short history asks for each of them: one shard a month where 1,000 writes a second are enough.
    """
    last = _counted(cursor)[1]
    if last and not _MONTH.match(last):
        raise Invalid(issue("cursor", "cursor"))
    newest = now.astimezone(UTC).strftime("%Y-%m")
    year, month = map(int, (min(last[:7], newest) if last else newest).split("-"))
    for _ in range(back):
        yield [f"{year}-{month:02}#{shard}" for shard in range(shards)]
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def _limited(query: Callable[..., Any], limit: int) -> Callable[..., Any]:
    return lambda **options: query(limit=limit, **options)


def matches(wanted: str, text: str) -> bool:
    """Whether a text holds what a person typed: as it is, without case, or as pinyin, each syllable whole or
    begun (`luosiyuan`, `lsy`, `luosy`).
    """
    typed = wanted.casefold()
    if typed in text.casefold():
        return True
    typed = typed.replace(" ", "")
    if not (typed.isascii() and typed.isalnum()) or text.isascii():
        return False
    spoken = [_readings(character) for character in text.casefold()]
    return any(_is_spelled(typed, spoken, at) for at in range(len(spoken)))


def _is_spelled(typed: str, spoken: Sequence[tuple[str, ...]], at: int) -> bool:
    """Whether the characters from there on are what was typed, of each at least its first letter."""
    if not typed:
        return True
    if at == len(spoken):
        return False
    for reading in spoken[at]:
        for length in range(1, len(reading) + 1):
            if not typed.startswith(reading[:length]):
                break
            if _is_spelled(typed[length:], spoken, at + 1):
                return True
    return False


def _said(name: str) -> str:
    """A name's place among others: by pinyin, character by character, behind Latin letters; of two that sound
    alike, by itself.
    """
    if name.isascii():
        return f"{' '.join(name.casefold())}\0{name}"
    said = (
        letter if letter.isascii() else "{" + (_IN_NAMES.get(letter) or _readings(letter)[0])
        for letter in name.casefold()
    )
    return f"{' '.join(said)}\0{name}"


@lru_cache(maxsize=20_000)
def _readings(character: str) -> tuple[str, ...]:
    """A character's readings without tones (重 → zhong, chong); any other stands for itself."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # every reading is wanted: 50 ms instead of 160
    from pypinyin import Style, pinyin

    return tuple(dict.fromkeys(pinyin(character, style=Style.NORMAL, heteronym=True)[0]))


def _name_of(query: Paging, sort: str = "") -> str:
    """What a cursor is good for: the list, by the type of its query, in that order."""
    return f"{type(query).__name__}{sort}"


def _counted(cursor: str | None, name: str | None = None) -> tuple[int, str | None]:
    if not cursor:
        return 0, None
    match _decode(cursor):
        case [str(of), int(count), str(following)] if count >= 0 and name in (None, of):
            return count, following
    raise Invalid(issue("cursor", "cursor"))


def _last_place(cursor: str, name: str) -> tuple[bool, Any, str]:
    match _decode(cursor):
        case [str(of), bool(absent), str() | int() | float() as held, str(key)] if of == name:
            return absent, held, key
    raise Invalid(issue("cursor", "cursor"))


def _encode(value: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def _decode(cursor: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise Invalid(issue("cursor", "cursor")) from None
