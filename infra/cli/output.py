"""Answers as a person reads them: lists as tables, a thing as its fields, changes as a diff, a job as a bar.

Money (`*_fen`) is shown in yuan, rates (`*_bps`) as percent, times in the terminal's zone; `-o json` and
`-o yaml` give what the API gave.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import yaml
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from infra.cli.texts import say

FORMATS = ("table", "json", "yaml")
_LONGEST = 60  # columns of a cell of a list
_FIRST = ("name", "title", "status", "kind", "type", "code", "channel", "amount_fen", "created_at", "at")
_PLAIN_WIDTH = 200  # of what is no terminal: a table in a file is not cut to one


def show(value: Any, how: str) -> None:
    """Print an answer."""
    if how == "json":
        print(json.dumps(value, ensure_ascii=False, indent=2))
    elif how == "yaml":
        print(yaml.safe_dump(value, allow_unicode=True, sort_keys=False), end="")
    elif value is not None:
        _show_as_table(value, console())


def console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH, highlight=False, soft_wrap=False)


def _show_as_table(value: Any, out: Console) -> None:
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        _show_list(value, out)
    elif isinstance(value, dict) and _is_changes(value.get("changes")):
        _show_changes(value, out)
    elif isinstance(value, dict):
        out.print(_fields(value))
    elif isinstance(value, list):
        _show_list({"items": value}, out)
    else:
        print(value)


def _show_list(page: Mapping[str, Any], out: Console) -> None:
    rows = page["items"]
    if not rows:
        out.print(say("nothing"))
        return
    if not isinstance(rows[0], dict):
        for row in rows:
            print(row)
        return
    names = _columns(rows)
    cells = {name: [_plain(name, row.get(name)) for row in rows] for name in names}
    fitting = _fitting(cells, out.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in fitting:
        numbers = all(isinstance(row.get(name), (int, float)) for row in rows)
        side: Literal["left", "right"] = "right" if numbers or name.endswith(("_fen", "_bps")) else "left"
        table.add_column(_header(name), justify=side, overflow="ellipsis", max_width=_LONGEST, no_wrap=True)
    for line in zip(*(cells[name] for name in fitting), strict=True):
        table.add_row(*map(Text, line))
    out.print(table)
    held = dict.fromkeys(name for row in rows for name in row if row[name])
    if hidden := [name for name in held if name not in fitting]:
        out.print(say("hidden", names=", ".join(hidden)), style="dim")
    total = page.get("total", len(rows))
    if total > len(rows) or page.get("next_cursor"):
        count = say("at_least", count=total) if page.get("total_is") == "at_least" else total
        out.print(say("page", shown=len(rows), total=count))


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    """Ids, names, status first; empty columns not at all, what has fields of its own only if that is all."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    names = [name for name in names if any(row.get(name) not in (None, "", [], {}) for row in rows)]
    flat = [name for name in names if all(_is_flat(row.get(name)) for row in rows)]
    plain = [name for name in flat if not any(isinstance(row.get(name), list) for row in rows)]
    ids = [name for name in plain if name.endswith(("_id", "_userid"))][:1]
    first = [name for name in _FIRST if name in plain]
    return list(dict.fromkeys([*ids, *first, *plain, *flat])) or names


def _fitting(cells: Mapping[str, list[str]], width: int) -> list[str]:
    """The first of the columns that fit whole beside each other; one at least."""
    found, left = list[str](), width
    for name, texts in cells.items():
        left -= 3 + min(_LONGEST, max(map(cell_len, [_header(name), *texts])))
        if left < 0 and found:
            break
        found.append(name)
    return found


def _is_flat(value: Any) -> bool:
    return not isinstance(value, dict) and (not isinstance(value, list) or _is_short(value))


def _fields(thing: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in thing.items():
        nested = isinstance(value, (dict, list)) and value
        shown = Text(_as_yaml(value)) if nested and not _is_short(value) else _cell(name, value)
        table.add_row(_header(name), shown)
    return table


def _header(name: str) -> str:
    return name.removesuffix("_fen").removesuffix("_bps")


def _cell(name: str, value: Any) -> Text:
    return Text(_plain(name, value))


def _plain(name: str, value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, int) and name.endswith("_fen"):
        return f"¥{Decimal(value) / 100:,.2f}"
    if isinstance(value, int) and name.endswith("_bps"):
        return f"{Decimal(value) / 100:.2f} %"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _local_time(value) if name.endswith("at") or name in ("from", "until", "expires") else value
    if isinstance(value, list) and all(isinstance(part, (str, int)) for part in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def _local_time(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at.tzinfo else text


def _is_short(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, (str, int)) for part in value)


def _as_yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False)).rstrip()


def _is_changes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, dict) and "action" in part for part in value)


def _show_changes(value: Mapping[str, Any], out: Console) -> None:
    """What applying a file changes, as `diff -u` shows it."""
    changes = value["changes"]
    for line in _diff(changes):
        out.print(Text(line, _style(line)))
    counts = dict.fromkeys(dict.fromkeys(change["action"] for change in changes), 0)
    for change in changes:
        counts[change["action"]] += 1
    out.print(" · ".join(f"{action} {count}" for action, count in counts.items()) or say("nothing"))
    if value.get("applied") is False and set(counts) - {"same"}:
        out.print(say("would_change"))


def _diff(changes: list[dict[str, Any]]) -> Iterator[str]:
    for change in changes:
        if change.get("text"):
            yield from str(change["text"]).rstrip("\n").split("\n")
        elif change["action"] != "same":
            yield f"{change['action']} {next(iter(change.values()))}"


def _style(line: str) -> str:
    if line.startswith(("+++", "---")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


class JobBar:
    """How far a job is, on standard error: a bar on a terminal, else a line for each step."""

    def __init__(self) -> None:
        self._shown = ""
        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=False,
        )
        self._task = self._bar.add_task("", total=None, text="")

    def __enter__(self) -> "JobBar":
        if sys.stderr.isatty():
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, done: int, total: int) -> None:
        text = say("progress", done=f"{done:,}", total=f"{total:,}")
        if sys.stderr.isatty():
            self._bar.update(self._task, completed=done, total=total or None, text=text)
        elif text != self._shown:
            print(text, file=sys.stderr, flush=True)
        self._shown = text
