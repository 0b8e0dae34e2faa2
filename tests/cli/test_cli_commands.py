"""The command line is the API: each call has its command, and what is typed becomes the right request."""

import argparse
import inspect
import json
import os
import re
from typing import Any

import pytest
import urllib3

import app
from chalicelib.platform import openapi
from chalicelib.platform.http import Door
from infra.cli import __main__ as cli
from infra.cli.spec import Command, commands

assert app.DOORS and os.environ


@pytest.fixture(scope="module")
def known() -> list[Command]:
    return commands(openapi.document(Door.routes))


def typed(known: list[Command], text: str) -> tuple[Command, argparse.Namespace]:
    command, rest = cli.find(known, text.split())
    assert command is not None, text
    return command, cli.parser(command).parse_args(rest)


def test_every_call_of_the_api_is_a_command_of_its_own(known: list[Command]) -> None:
    routes = {(r.method, r.path) for r in Door.routes if r.path.startswith("/api/")}
    assert {(c.method, c.path) for c in known} == routes
    assert len({c.words for c in known}) == len(known)


@pytest.mark.parametrize(
    ("text", "method", "target"),
    [
        ("live-codes list", "GET", "/api/live-codes"),
        ("live-codes get lc_1", "GET", "/api/live-codes/lc_1"),
        ("live-codes change lc_1 --name x", "PATCH", "/api/live-codes/lc_1"),
        ("live-codes delete a/b", "DELETE", "/api/live-codes/a%2Fb"),
        ("live-codes poster.png lc_1 --width 800", "GET", "/api/live-codes/lc_1/poster.png?width=800"),
        ("sops pause sop_1", "POST", "/api/sops/sop_1/pause"),
        ("settings welcome set --text hi", "PUT", "/api/settings/welcome"),
        ("stores create --store_id s".replace("_", "-"), "POST", "/api/stores"),
    ],
)
def test_what_is_typed_is_what_is_called(known: list[Command], text: str, method: str, target: str) -> None:
    command, given = typed(known, text)
    assert (command.method, cli.target(command, vars(given))) == (method, target)


def test_a_body_is_made_of_the_file_and_the_options(known: list[Command], tmp_path: Any) -> None:
    file = tmp_path / "code.yaml"
    file.write_text("name: 旧\ntags: [渠道/包裹卡]\n", encoding="utf-8")
    command, given = typed(known, f"live-codes create -f {file} --name 新 --skip-verify false")
    assert cli.body_of(command, vars(given)) == {"name": "新", "tags": ["渠道/包裹卡"], "skip_verify": False}
    command, given = typed(known, "live-codes create --name 123 --welcome {text:hi}")
    assert cli.body_of(command, vars(given)) == {"name": "123", "welcome": {"text:hi": None}}


def test_a_value_may_be_a_files_text(known: list[Command], tmp_path: Any) -> None:
    file = tmp_path / "name.txt"
    file.write_text("五折: [x]", encoding="utf-8")
    command, given = typed(known, f"live-codes create --name @{file} --tags @{file}")
    assert cli.body_of(command, vars(given)) == {"name": "五折: [x]", "tags": {"五折": ["x"]}}


def test_half_a_command_lists_what_begins_so(known: list[Command]) -> None:
    command, words = cli.find(known, ["live-codes"])
    assert command is None
    lines = cli.listing(known, words).splitlines()
    assert len(lines) >= 5 and all(line.startswith("  live-codes ") for line in lines)


def test_alone_it_explains_itself_in_the_terminals_language(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILLRACE_LANG", "en")
    assert cli.main([]) == 2
    english = capsys.readouterr().out
    monkeypatch.setenv("MILLRACE_LANG", "zh")
    assert cli.main([]) == 2
    chinese = capsys.readouterr().out
    assert "Exit codes" in english and "退出码" in chinese
    for word in ("MILLRACE_API_KEY", "--dry-run", "completion bash", "-o json", "130"):
        assert word in english and word in chinese


def test_without_a_key_it_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MILLRACE_API_KEY", raising=False)
    assert cli.main(["live-codes", "list"]) == 2
    assert "MILLRACE_API_KEY" in capsys.readouterr().err
    monkeypatch.setenv("MILLRACE_API_KEY", "k")
    monkeypatch.setenv("MILLRACE_URL", "http://127.0.0.1:9")
    assert cli.main(["live-codes", "list"]) == 1
    assert "does not answer" in capsys.readouterr().err


class Stack:
    """Answers what it is told to, instead of a server; `asked`: what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: urllib3.HTTPResponse) -> None:
        self.answers, self.asked = list(answers), []  # type: ignore[var-annotated]
        monkeypatch.setenv("MILLRACE_API_KEY", "k")
        monkeypatch.setenv("MILLRACE_URL", "http://stack.example")
        monkeypatch.setattr(cli.Client, "_open", self.open)
        monkeypatch.setattr(cli.Client, "document", lambda _: openapi.document(Door.routes))

    def open(self, method: str, url: str, body: Any, headers: dict[str, str]) -> urllib3.HTTPResponse:
        self.asked.append((method, url, body, headers))
        return self.answers.pop(0)


def answer(told: Any, **headers: str) -> urllib3.HTTPResponse:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    kind = {} if isinstance(told, bytes) else {"Content-Type": "application/json"}
    return urllib3.HTTPResponse(body, kind | headers, 200)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("live-codes create -f {0}/none.yaml", "none.yaml: No such file"),
        ("live-codes create -f {0}/broken.yaml", "broken.yaml: while parsing"),
        ("live-codes create -f {0}/list.yaml", "list.yaml: fields and their values"),
        ("live-codes create -f {0}/bytes.yaml", "bytes.yaml: is not UTF-8"),
        ("live-codes create --tags [x", "--tags: while parsing"),
        ("live-codes apply --yaml @{0}/none", "none: No such file"),
        ("stores import --data {0}/none", "none: No such file"),
        ("stores list --save {0}/none/x", "there is no folder"),
        ("live-codes lst", "perhaps: live-codes list"),
        ("live-coeds list", "perhaps: live-codes"),
        ("stores import", "--data"),
    ],
)
def test_what_was_mistyped_is_said_in_a_line_and_nothing_is_called(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Any,
    arguments: str,
    said: str,
) -> None:
    for name, data in (("broken", b"{a: ["), ("list", b"- a"), ("bytes", b"name: \xff")):
        (tmp_path / f"{name}.yaml").write_bytes(data)
    stack = Stack(monkeypatch)
    try:
        code = cli.main(arguments.format(tmp_path).split())
    except SystemExit as error:  # argparse's own
        code = int(str(error.code))
    told = capsys.readouterr()
    assert code in (1, 2) and said in told.err and not told.out and stack.asked == []
    assert "Traceback" not in told.err


def test_the_server_is_another_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MILLRACE_API_KEY", "k")
    for url, said in (("nonsense", "must begin with http"), ("http://x.example", "is no Millrace")):
        monkeypatch.setenv("MILLRACE_URL", url)
        monkeypatch.setattr(cli.Client, "_open", lambda *_: answer(b"<html>"))
        assert cli.main(["live-codes", "list"]) == 1
        assert said in capsys.readouterr().err


def test_values_have_jsons_types(known: list[Command], tmp_path: Any) -> None:
    file = tmp_path / "code.yaml"
    file.write_text(
        "{a: 18:00, b: 2027-03-01, c: no, d: true, e: -3, f: 1.5, g: null, h: 007}", encoding="utf-8"
    )
    command, given = typed(known, f"live-codes create -f {file}")
    values = {"a": "18:00", "b": "2027-03-01", "c": "no", "d": True, "e": -3, "f": 1.5, "g": None, "h": "007"}
    assert cli.body_of(command, vars(given)) == values


def test_a_job_is_waited_for_and_its_file_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setattr(cli, "_POLL_SECONDS", 0)
    running = {"job_id": "j1", "status": "running", "done": 0, "total": 2000}
    done = {**running, "status": "done", "done": 2000, "result_url": "http://files.example/x"}
    stack = Stack(monkeypatch, answer(running), answer(running), answer(done), answer(b"\x00zip"))
    file = tmp_path / "cards.zip"
    assert cli.main(f"live-codes print-runs lc_1 --name a --count 2000 --wait --save {file}".split()) == 0
    assert file.read_bytes() == b"\x00zip"
    assert capsys.readouterr().err.split("\n")[:2] == ["0 of 2,000", "2,000 of 2,000"]
    assert "Authorization" not in stack.asked[-1][3]  # a signed link takes no key of ours


def test_interrupted_it_says_that_the_job_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.time, "sleep", interrupt)
    Stack(monkeypatch, answer({"job_id": "j1", "status": "running", "done": 0, "total": 9}))
    assert cli.main("live-codes print-runs lc_1 --name a --count 9 --wait".split()) == 130
    told = capsys.readouterr()
    assert "millrace jobs get j1" in told.err and not told.out


def test_a_picture_behind_a_link_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    link = "http://files.example/large.png"
    stack = Stack(monkeypatch, answer(b"", Location=link), answer(b"\x89PNG"))
    assert cli.main(f"live-codes poster.png lc_1 --width 4000 --save {tmp_path / 'p.png'}".split()) == 0
    assert (tmp_path / "p.png").read_bytes() == b"\x89PNG" and stack.asked[-1][1] == link


def test_every_command_explains_itself(known: list[Command]) -> None:
    for command in known:
        text = cli.parser(command).format_help()
        assert command.summary.split("%")[0][:30] in text and "BODY." not in text and "QUERY." not in text
        assert ("--wait" in text) is command.is_job and ("--data" in text) is bool(command.takes)
    command, _ = cli.find(known, ["live-codes", "create"])
    assert command is not None
    text = " ".join(cli.parser(command).format_help().split())
    assert "--name TEXT needed" in text and "group | nearest_store | staff; default staff" in text
    assert "members: [{staff_id, weight, daily_cap" in text


def test_the_document_names_what_a_call_reads_from_its_query() -> None:
    for route in Door.routes:
        source = inspect.getsource(route.view)
        read = set(re.findall(r"call\.query\.(\w+)", source))
        read |= {"limit", "cursor"} if "call.page()" in source else set()
        assert read <= set(route.query.__struct_fields__ if route.query else ()), route.path
        assert route.summary, route.path
