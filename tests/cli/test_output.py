"""What the command line prints: tables, fields, diffs; its texts in both languages; the Tab key."""

import json
import string
from typing import Any

import pytest

import app
from chalicelib.platform import openapi
from chalicelib.platform.http import Door
from infra.cli import __main__ as cli
from infra.cli import completion, output, texts
from infra.cli.spec import commands
from infra.cli.summaries import SUMMARIES

assert app.DOORS
KNOWN = commands(openapi.document(Door.routes))


def shown(capsys: pytest.CaptureFixture[str], value: Any, how: str = "table") -> str:
    output.show(value, how)
    return capsys.readouterr().out


def test_a_list_is_a_table_with_money_in_yuan_and_what_names_a_row_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    rows = [
        {
            "tags": ["渠道/包裹卡"],
            "amount_fen": 123456,
            "rate_bps": 1050,
            "name": "包裹卡",
            "payout_id": "po_1",
        },
        {"tags": [], "amount_fen": -5, "rate_bps": 0, "name": "x", "payout_id": "po_2", "empty": None},
    ]
    text = shown(capsys, {"items": rows, "next_cursor": "c", "total": 7, "total_is": "at_least"})
    head, _, first, second, *rest = [line.rstrip() for line in text.strip().split("\n")]
    assert head.split() == ["payout_id", "name", "amount", "rate", "tags"]
    assert first.split() == ["po_1", "包裹卡", "¥1,234.56", "10.50", "%", "渠道/包裹卡"]
    assert second.split() == ["po_2", "x", "¥-0.05", "0.00", "%", "–"]
    assert rest[-1] == "2 of at least 7 (--all for all)"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_row_is_a_line_and_what_does_not_fit_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setattr(output, "_PLAIN_WIDTH", width)
    row = {
        "name": "包裹卡",
        "assignment": {"members": [{"staff_id": "lihua", "daily_cap": 100}] * 3},
        "live_code_id": "lc_MAZuyt4w",
        "url": "http://127.0.0.1:8000/s/MAZuyt4w",
        "created_at": "2026-11-30T21:28:36+00:00",
        "tags": ["渠道/包裹卡"],
    }
    _, _, *lines = shown(capsys, {"items": [row] * 2, "total": 2}).strip().split("\n")
    assert [line.split()[:2] for line in lines[:2]] == [["lc_MAZuyt4w", "包裹卡"]] * 2
    assert "…" not in "".join(lines) and all(output.cell_len(line) <= width for line in lines[:2])
    hidden = "".join(lines[2:]).replace(",", "")
    assert "assignment" in hidden and ("url" in hidden) == (width < 200)


def test_a_thing_is_its_fields_and_nothing_of_it_is_taken_for_markup(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = shown(capsys, {"name": "[red]x[/red]", "skip": False, "members": [{"staff_id": "lihua"}]})
    assert "[red]x[/red]" in text and "✗" in text and "- staff_id: lihua" in text


def test_what_a_file_would_change_is_a_diff(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    text = "--- now/lc_1\n+++ file/lc_1\n@@ -1 +1 @@\n-name: 旧\n+name: 新\n"
    changes = [
        {"live_code_id": "lc_1", "ref": None, "action": "change", "diff": [], "text": text},
        {"live_code_id": "lc_2", "ref": None, "action": "same", "diff": [], "text": ""},
    ]
    printed = shown(capsys, {"changes": changes, "applied": False})
    assert text in printed and "change 1 · same 1" in printed and "尚未执行" in printed


@pytest.mark.parametrize("how", ["json", "yaml"])
def test_for_a_program_it_is_what_the_api_gave(capsys: pytest.CaptureFixture[str], how: str) -> None:
    value = {"amount_fen": 5, "at": "2026-11-22T02:00:00+00:00", "items": []}
    assert cli._yaml(shown(capsys, value, how).encode(), "x") == value


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"MILLRACE_LANG": "zh", "LC_ALL": "C"}, "zh"),
        ({"LC_MESSAGES": "", "LANG": "de_DE"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_terminals(environment: dict[str, str], language: str) -> None:
    assert texts.language(environment) == language


def test_both_languages_say_the_same_values() -> None:
    for name, both in texts.TEXTS.items():
        fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in both]
        assert fields[0] == fields[1], name


def test_every_command_says_what_it_does_in_chinese() -> None:
    missing = {(c.method, c.path) for c in KNOWN} - set(SUMMARIES)
    assert not missing, sorted(missing)
    assert not set(SUMMARIES) - {(c.method, c.path) for c in KNOWN}


def test_the_most_used_commands_come_first() -> None:
    lines = cli.listing(KNOWN, []).split("\n")
    used = [
        " ".join(word for word in line.split("  ")[1].split() if not word.isupper()) for line in lines[1:14]
    ]
    assert used == list(cli.MOST_USED)


@pytest.mark.parametrize(
    ("typed", "some"),
    [
        ([], {"live-codes", "stores", "jobs"}),
        (["live-codes"], {"list", "create", "poster.png"}),
        (["live-codes", "create"], {"--name", "--assignment", "-o"}),
        (["live-codes", "create", "--kind"], {"staff", "group", "nearest_store"}),
        (["nothing"], set()),
    ],
)
def test_the_tab_key_knows_commands_options_and_values(typed: list[str], some: set[str]) -> None:
    found = completion.candidates(KNOWN, typed)
    assert some <= found if some else not found


def test_bash_is_answered_from_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    class Stack:
        url = "http://x"

        def document(self) -> dict[str, Any]:
            asked.append("document")
            document = openapi.document(Door.routes)
            return json.loads(json.dumps({name: document[name] for name in ("paths", "components")}))

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for line, wanted in (("millrace live-codes poster.pn", ["poster.png"]), ("millrace 'live", [])):
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        assert completion.complete(Stack()) == wanted  # type: ignore[arg-type]
    completion.complete(Stack())  # type: ignore[arg-type]
    assert asked == ["document"]
