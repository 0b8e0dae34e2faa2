r"""Millrace's command line: every call of the API, as a command.

    export MILLRACE_URL=http://127.0.0.1:8000 MILLRACE_API_KEY=mr_…
    python -m infra.cli live-codes list
    python -m infra.cli live-codes create -f code.yaml --name "Winter card"
    python -m infra.cli live-codes print-runs lc_… --name W26 --count 10000 --format csv \
        --wait -o w26.csv
    python -m infra.cli live-codes apply --yaml @codes.yaml --dry-run true

`-h` alone lists all commands, behind a word those that begin with it, behind a command its options.
A value `@file` is the file's text (`@-`: standard input). Exit codes: 0 done, 1 refused or failed, 2 misused,
130 interrupted.
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

import urllib3
import yaml

from infra.cli.spec import Command, Option, commands

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


class Failed(Exception):
    """What to say on standard error; the command ends with 1."""


class Client:
    """Speaks to one stack. `url`: its public address; `key`: an API key."""

    def __init__(self, url: str, key: str):
        if not url.startswith(("http://", "https://")):
            raise Failed(f"MILLRACE_URL must begin with http:// or https://: {url}")
        self._url, self._key = url.rstrip("/"), key
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=120))

    def document(self) -> dict[str, Any]:
        """The OpenAPI document: what there is to call."""
        try:
            document = self.request("GET", "/api/openapi.json").json()
            return {"paths": document["paths"], "components": document["components"]}
        except (ValueError, KeyError, TypeError) as error:
            raise Failed(f"{self._url} is no Millrace (MILLRACE_URL)") from error

    def request(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> urllib3.BaseHTTPResponse:
        """One call. Failed for a problem, with its fields."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = kind
        answer = self._open(method, self._url + path, body, headers)
        if answer.status >= 400:
            raise Failed(_problem(answer))
        return answer

    def fetch(self, url: str) -> bytes:
        """A file behind a signed link, which takes no key of ours."""
        answer = self._open("GET", url, None, {})
        if answer.status >= 400:
            raise Failed(f"the result could not be fetched: {answer.status}")
        return bytes(answer.data)

    def upload(self, url: str, file: Path, headers: dict[str, str]) -> None:
        try:
            with file.open("rb") as body:
                size = str(file.stat().st_size)
                answer = self._open("PUT", url, body, {**headers, "Content-Length": size})
        except OSError as error:
            raise Failed(f"{file}: {error.strerror}") from error
        if answer.status >= 400:
            raise Failed(f"the upload was refused: {answer.status}")

    def _open(self, method: str, url: str, body: Any, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request(method, url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Failed(f"{url.split('?')[0]} does not answer: {type(error).__name__}") from error


def main(arguments: list[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    url, key = os.environ.get("MILLRACE_URL", "http://127.0.0.1:8000"), os.environ.get("MILLRACE_API_KEY", "")
    if not given or (given[0] in _BUILT_IN and not key):
        print(__doc__)
        return 0 if given else 2
    if not key:
        print("set MILLRACE_API_KEY (and MILLRACE_URL)", file=sys.stderr)
        return 2
    try:
        client = Client(url, key)
        known = commands(client.document())
        command, rest = find(known, given)
        if command is None:
            return _guide(known, rest, asked=bool(set(given) & set(_BUILT_IN)))
        run(client, command, parser(command).parse_args(rest))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever reads has seen enough, e.g. `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    print(f"there is no `{typed}`; perhaps: {meant}", file=sys.stderr)
    return 2


def listing(known: list[Command], words: list[str]) -> str:
    """The commands that begin so."""
    shown = [c for c in known if c.words[: len(words)] == tuple(words)]
    lines = [" ".join((*c.words, *(name.upper() for name in c.ids))) for c in shown]
    width = max(map(len, lines))
    return "\n".join(f"{line:<{width}}  {c.summary}" for line, c in zip(lines, shown, strict=True))


def parser(command: Command) -> argparse.ArgumentParser:
    about = "\n".join(filter(None, (command.summary + ".", command.about)))
    made = argparse.ArgumentParser(
        "millrace " + " ".join(command.words),
        usage="%(prog)s " + " ".join((*map(str.upper, command.ids), "[options]")),
        description=_escaped(about),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in command.ids:
        made.add_argument(name, metavar=name.upper())
    for option in command.options:
        made.add_argument(
            option.flag,
            dest=f"{option.where}.{option.name}",
            metavar=option.kind.upper(),
            help=_escaped(option.help),
        )
    made.add_argument("-o", "--output", type=Path, help="write the answer, or the job's result, to this file")
    made.add_argument("--format-as", choices=["json", "yaml"], default="json", help="how to print it")
    if any(option.where == "body" for option in command.options):
        made.add_argument("-f", "--file", type=Path, help="the body, as YAML or JSON; options change it")
    if command.uploads:
        made.add_argument("--upload", type=Path, help="then send this file to the answer's upload_url")
    if command.takes:
        made.add_argument("--data", type=Path, required=True, help=f"the file to send ({command.takes})")
    if command.paged:
        made.add_argument("--all", action="store_true", help="all pages")
    if command.is_job:
        made.add_argument("--wait", action="store_true", help="until the job is done; -o fetches its result")
    return made


def run(client: Client, command: Command, given: argparse.Namespace) -> None:
    path, body = target(command, vars(given)), None
    if given.output and not given.output.parent.is_dir():  # before something is done whose answer is lost
        raise Failed(f"there is no folder {given.output.parent}")
    if command.takes:
        kind = "application/octet-stream" if "*" in command.takes else command.takes
        answer = client.request(command.method, path, _read(given.data), kind)
    else:
        fields = body_of(command, vars(given))
        body = json.dumps(fields, ensure_ascii=False).encode() if fields is not None else None
        answer = client.request(command.method, path, body)
    if link := answer.headers.get("Location"):  # of a file that is larger than an answer may be
        return _write(client.fetch(link), given.output)
    if "json" not in answer.headers.get("Content-Type", ""):
        return _write(bytes(answer.data), given.output)
    result: Any = answer.json() if answer.data else None
    if getattr(given, "all", False):
        result = _all_pages(client, path, result)
    if getattr(given, "upload", None):
        client.upload(result["upload_url"], given.upload, result.get("upload_headers") or {})
    if getattr(given, "wait", False) and isinstance(result, dict) and "job_id" in result:
        result = _finished(client, result)
        if given.output and result.get("result_url"):
            return _write(client.fetch(result["result_url"]), given.output)
    return _write(_text(result, given.format_as).encode(), given.output)


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
            raise Failed(f"{given['file']}: fields and their values are needed")
    for option in command.options:
        value = given.get(f"{option.where}.{option.name}")
        if option.where == "body" and value is not None:
            fields = {**(fields or {}), option.name: _typed(option, value)}
    if fields is None and any(option.where == "body" for option in command.options):
        return {}
    return fields


def _typed(option: Option, text: str) -> Any:
    if text.startswith("@"):
        data = sys.stdin.buffer.read() if text == "@-" else _read(Path(text[1:]))
        if option.kind == "text":
            return _decoded(data, text)
        return _yaml(data, option.flag)
    return text if option.kind == "text" and text != "null" else _yaml(text.encode(), option.flag)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from error


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failed(f"{where}: is not UTF-8 text") from error


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
    job_id, terminal, shown = job["job_id"], sys.stderr.isatty(), ""
    try:
        while True:
            progress = f"{job['done']:,} of {job['total']:,}"
            if progress != shown:
                print(
                    f"\r{progress}" if terminal else progress, end="" if terminal else "\n", file=sys.stderr
                )
                sys.stderr.flush()
            if job["status"] not in ("queued", "running"):
                break
            shown = progress
            time.sleep(_POLL_SECONDS)
            job = client.request("GET", f"/api/jobs/{job_id}").json()
    except (KeyboardInterrupt, Failed):
        print(f"\nthe job goes on: millrace jobs get {job_id}", file=sys.stderr)
        raise
    if terminal:
        print(file=sys.stderr)
    if job["status"] == "failed":
        raise Failed(f"the job has failed: {job.get('error')}")
    return job


def _problem(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status}"
    fields = "".join(f"\n  {e['field']}: {e['message']}" for e in problem.get("errors", []))
    return (
        f"{problem.get('status')} {problem.get('title')}: {problem.get('detail')}"
        if not fields
        else (f"{problem.get('status')} {problem.get('title')}{fields}")
    )


def _text(value: Any, kind: str) -> str:
    if kind == "yaml":
        return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False))
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        if sys.stdout.isatty() and b"\0" in data[:1024]:
            raise Failed("this is a file, not text: say where to, with -o")
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        try:
            output.write_bytes(data)
        except OSError as error:
            raise Failed(f"{output}: {error.strerror}") from error


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
