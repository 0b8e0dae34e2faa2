r"""Millrace's command line: every call of the API, as a command.

    export MILLRACE_URL=http://127.0.0.1:8000 MILLRACE_API_KEY=mr_…
    python -m infra.cli live-codes list
    python -m infra.cli live-codes create -f code.yaml --name "Winter card"
    python -m infra.cli live-codes print-runs lc_… --name W26 --count 10000 --format csv \
        --wait --save w26.csv
    python -m infra.cli live-codes apply --yaml @codes.yaml --dry-run true
    eval "$(python -m infra.cli completion bash)"        # or zsh: the Tab key, for `millrace`

`-h` alone lists the commands, those that are used most first; behind a word those that begin with it, behind
a command its options. Lists are tables; `-o json`, `-o yaml` give what the API gave. A value `@file` is that
file's text (`@-`: standard input). Chinese where the terminal is (LANG), or with MILLRACE_LANG=zh.
Exit codes: 0 done, 1 refused or failed, 2 misused, 130 interrupted.
"""

import argparse
import difflib
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from infra.cli import completion, output
from infra.cli.client import Client, Failed
from infra.cli.spec import Command, Option, commands
from infra.cli.summaries import SUMMARIES
from infra.cli.texts import language, say

MOST_USED = (
    "live-codes list",
    "live-codes create",
    "live-codes apply",
    "live-codes poster.png",
    "live-codes print-runs",
    "stores import",
    "customers list",
    "prospect-imports create",
    "sops create",
    "orders list",
    "settlements create",
    "metrics funnel",
    "jobs get",
)
_ABOUT_ZH = r"""水车 Millrace 命令行：API 的每个接口都是一条命令。

    export MILLRACE_URL=http://127.0.0.1:8000 MILLRACE_API_KEY=mr_…
    python -m infra.cli live-codes list
    python -m infra.cli live-codes create -f code.yaml --name 冬季包裹卡
    python -m infra.cli live-codes print-runs lc_… --name W26 --count 10000 --format csv \
        --wait --save w26.csv
    python -m infra.cli live-codes apply --yaml @codes.yaml --dry-run true
    eval "$(python -m infra.cli completion bash)"        # 或 zsh：用 Tab 键补全 `millrace`

单独的 -h 列出全部命令，常用的在前；跟在一个词后面，列出以它开头的命令；跟在命令后面，列出它的选项。
列表显示为表格；-o json、-o yaml 为接口的原样返回。选项值写成 @文件名，取该文件的内容（@-：标准输入）。
终端是中文（LANG）或设置 MILLRACE_LANG=zh 时显示中文。
退出码：0 成功，1 被拒绝或失败，2 用法错误，130 被中断。
"""
_BUILT_IN = ("-h", "--help")
_POLL_SECONDS = 1.0


class _Loader(yaml.SafeLoader):
    """YAML with JSON's types and no others: 18:00, 2027-03-01 and `no` are texts, as the API wants them."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (filled below)


for _name, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_pattern})\Z"), _first)


def main(arguments: list[str] | None = None) -> int:
    try:
        code = _main(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has seen enough, e.g. `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _main(given: list[str]) -> int:
    url, key = os.environ.get("MILLRACE_URL", "http://127.0.0.1:8000"), os.environ.get("MILLRACE_API_KEY", "")
    if not given or (given[0] in _BUILT_IN and not key):
        print(_ABOUT_ZH if language() == "zh" else __doc__)
        return 0 if given else 2
    if given[0] == "completion" and given[1:] in (["bash"], ["zsh"]):
        print(completion.script(given[1]))
        return 0
    if not key:
        print(say("set_key"), file=sys.stderr)
        return 2
    try:
        client = Client(url, key)
        if given[0] == "--complete":
            print("\n".join(completion.complete(client)))
            return 0
        known = commands(client.document())
        command, rest = find(known, given)
        if command is None:
            return _guide(known, rest, asked=bool(set(given) & set(_BUILT_IN)))
        run(client, command, parser(command).parse_args(rest))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\n" + say("interrupted"), file=sys.stderr)
        return 130
    return 0


def find(known: list[Command], given: list[str]) -> tuple[Command | None, list[str]]:
    """The command whose words begin what was typed, and the rest; (None, the words) if there is none."""
    words = []
    for word in given:
        if word.startswith("-"):
            break
        words.append(word)
    for length in range(len(words), 0, -1):
        for command in known:
            if command.words == tuple(words[:length]):
                return command, given[length:]
    return None, words


def _guide(known: list[Command], words: list[str], asked: bool) -> int:
    """What there is that begins so, if that was asked for; else what is wrong, and what may be meant."""
    shown = words
    while shown and not any(c.words[: len(shown)] == tuple(shown) for c in known):
        shown = shown[:-1]
    if shown == words:
        print(listing(known, words), file=None if asked else sys.stderr)
        return 0 if asked else 2
    nexts = {
        c.words[len(shown)] for c in known if c.words[: len(shown)] == tuple(shown) and c.words[len(shown) :]
    }
    near = difflib.get_close_matches(words[len(shown)], nexts, n=3) or sorted(nexts)
    typed, meant = " ".join(words[: len(shown) + 1]), ", ".join(" ".join((*shown, word)) for word in near)
    print(say("no_command", typed=typed, meant=meant), file=sys.stderr)
    return 2


def listing(known: list[Command], words: list[str]) -> str:
    """The commands that begin so; of all, those that are used most come first."""
    shown = [c for c in known if c.words[: len(words)] == tuple(words)]
    if words:
        return _lines(shown, shown)
    used = [c for name in MOST_USED for c in known if c.words == tuple(name.split())]
    return "\n".join((say("most_used"), _lines(used, shown), "", say("all_commands"), _lines(shown, shown)))


def _lines(commands: list[Command], aligned: list[Command]) -> str:
    width = max(len(_usage(command)) for command in aligned)
    return "\n".join(f"  {_usage(c):<{width}}  {summary(c)}" for c in commands)


def _usage(command: Command) -> str:
    return " ".join((*command.words, *(name.upper() for name in command.ids)))


def summary(command: Command) -> str:
    """What a command does, in the terminal's language."""
    if language() == "zh":
        return SUMMARIES.get((command.method, command.path), command.summary)
    return command.summary


def parser(command: Command) -> argparse.ArgumentParser:
    about = "\n".join(filter(None, (summary(command) + ("。" if language() == "zh" else "."), command.about)))
    made = argparse.ArgumentParser(
        "millrace " + " ".join(command.words),
        usage="%(prog)s " + " ".join((*map(str.upper, command.ids), "[options]")),
        description=_escaped(about),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    ids = made.add_argument_group(say("options_ids"))
    for name in command.ids:
        ids.add_argument(name, metavar=name.upper())
    for where in ("query", "body"):
        group = made.add_argument_group(say(f"options_{where}"))
        for option in command.options:
            if option.where == where:
                group.add_argument(
                    option.flag,
                    dest=f"{where}.{option.name}",
                    metavar=option.kind.upper(),
                    help=_escaped(option.help),
                )
        if where == "body" and any(option.where == "body" for option in command.options):
            group.add_argument("-f", "--file", type=Path, help=say("help_file"))
    shown = made.add_argument_group(say("options_output"))
    shown.add_argument("-h", "--help", action="help", help=say("help_help"))
    shown.add_argument("-o", "--output", choices=output.FORMATS, default="table", help=say("help_output"))
    shown.add_argument("--save", type=Path, metavar="FILE", help=say("help_save"))
    if command.uploads:
        shown.add_argument("--upload", type=Path, help=say("help_upload"))
    if command.takes:
        shown.add_argument("--data", required=True, help=say("help_data", takes=command.takes))
    if command.paged:
        shown.add_argument("--all", action="store_true", help=say("help_all"))
    if command.is_job:
        shown.add_argument("--wait", action="store_true", help=say("help_wait"))
    return made


def run(client: Client, command: Command, given: argparse.Namespace) -> None:
    path, body = target(command, vars(given)), None
    if given.save and not given.save.parent.is_dir():  # before something is done whose answer is lost
        raise Failed(say("no_folder", folder=given.save.parent))
    if command.takes:
        kind = "application/octet-stream" if "*" in command.takes else command.takes
        answer = client.request(command.method, path, _read(given.data.removeprefix("@")), kind)
    else:
        fields = body_of(command, vars(given))
        body = json.dumps(fields, ensure_ascii=False).encode() if fields is not None else None
        answer = client.request(command.method, path, body)
    if link := answer.headers.get("Location"):  # of a file that is larger than an answer may be
        return _write(client.fetch(link), given.save)
    if "json" not in answer.headers.get("Content-Type", ""):
        return _write(bytes(answer.data), given.save)
    result: Any = answer.json() if answer.data else None
    if getattr(given, "all", False):
        result = _all_pages(client, path, result)
    if getattr(given, "upload", None):
        client.upload(result["upload_url"], given.upload, result.get("upload_headers") or {})
    if getattr(given, "wait", False) and isinstance(result, dict) and "job_id" in result:
        result = _finished(client, result)
        if given.save and result.get("result_url"):
            return _write(client.fetch(result["result_url"]), given.save)
    if given.save:
        return _write((json.dumps(result, ensure_ascii=False, indent=2) + "\n").encode(), given.save)
    return output.show(result, given.output)


def target(command: Command, given: dict[str, Any]) -> str:
    """The path and query to call."""
    path = command.path
    for name in command.ids:
        path = path.replace(f"{{{name}}}", quote(given[name], safe=""))
    query = {o.name: given[f"query.{o.name}"] for o in command.options if o.where == "query"}
    query = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(query)}" if query else path


def body_of(command: Command, given: dict[str, Any]) -> Any:
    """The body: of the file, then of the options; None when there is none."""
    fields: Any = None
    if given.get("file"):
        fields = _yaml(_read(given["file"]), str(given["file"]))
        if not isinstance(fields, dict):
            raise Failed(say("fields_needed", file=given["file"]))
    for option in command.options:
        value = given.get(f"{option.where}.{option.name}")
        if option.where == "body" and value is not None:
            fields = {**(fields or {}), option.name: _typed(option, value)}
    if fields is None and any(option.where == "body" for option in command.options):
        return {}
    return fields


def _typed(option: Option, text: str) -> Any:
    if text.startswith("@"):
        data = _read(text[1:])
        if option.kind == "text":
            return _decoded(data, text)
        return _yaml(data, option.flag)
    return text if option.kind == "text" and text != "null" else _yaml(text.encode(), option.flag)


def _read(path: Path | str) -> bytes:
    """A file; `-` is standard input."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from error


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failed(say("not_utf8", file=where)) from error


def _yaml(data: bytes, where: str) -> Any:
    """JSON is YAML. Failed says where it breaks off."""
    try:
        return yaml.load(_decoded(data, where), _Loader)  # noqa: S506 (a SafeLoader, and stricter)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Failed(f"{where}: {' '.join(str(error).split())}") from error


def _all_pages(client: Client, path: str, first: dict[str, Any]) -> dict[str, Any]:
    items, cursor = list(first["items"]), first["next_cursor"]
    while cursor:
        separator = "&" if "?" in path else "?"
        page = client.request("GET", f"{path}{separator}cursor={quote(cursor, safe='')}").json()
        items, cursor = items + page["items"], page["next_cursor"]
    return {"items": items, "next_cursor": None}


def _finished(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    job_id = job["job_id"]
    try:
        with output.JobBar() as bar:
            while True:
                bar.update(job["done"], job["total"])
                if job["status"] not in ("queued", "running"):
                    break
                time.sleep(_POLL_SECONDS)
                job = client.request("GET", f"/api/jobs/{job_id}").json()
    except (KeyboardInterrupt, Failed):
        print("\n" + say("job_goes_on", job_id=job_id), file=sys.stderr)
        raise
    if job["status"] == "failed":
        raise Failed(say("job_failed", error=job.get("error")))
    return job


def _write(data: bytes, file: Path | None) -> None:
    if file is None:
        if sys.stdout.isatty() and b"\0" in data[:1024]:
            raise Failed(say("is_file"))
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        try:
            file.write_bytes(data)
        except OSError as error:
            raise Failed(f"{file}: {error.strerror}") from error
        print(say("saved", file=file, size=f"{len(data):,}"), file=sys.stderr)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
