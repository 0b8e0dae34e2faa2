"""The command line is the API: each call has its command, and what is typed becomes the right request."""

import argparse
import inspect
import os
import re
from typing import Any

import pytest

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
    assert len(lines) >= 5 and all(line.startswith("live-codes ") for line in lines)


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


def test_the_document_names_what_a_call_reads_from_its_query() -> None:
    for route in Door.routes:
        source = inspect.getsource(route.view)
        read = set(re.findall(r'call\.query(?:\.get\(|\[)"(\w+)"', source))
        read |= {"limit", "cursor"} if "call.page()" in source else set()
        assert read <= set(route.query), route.path
        assert route.summary, route.path
