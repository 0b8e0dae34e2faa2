r"""Millrace's command line: every call of the API, as a command.

    export MILLRACE_URL=http://127.0.0.1:8000 MILLRACE_API_KEY=mr_…
    python -m infra.cli live-codes list
    python -m infra.cli live-codes create -f code.yaml --name "Winter card"
    python -m infra.cli live-codes print-runs create lc_… --name W26 --count 10000 --format csv \
        --wait -o w26.csv
    python -m infra.cli live-codes apply --yaml @codes.yaml --dry-run true

A value `@file` is the file's text (`@-`: standard input). Exit codes: 0 done, 1 refused or failed, 2 misused.
"""

import argparse
import json
import os
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


class Failed(Exception):
    """What to say on standard error; the command ends with 1."""


class Client:
    """Speaks to one stack. `url`: its public address; `key`: an API key."""

    def __init__(self, url: str, key: str):
        self._url, self._key = url.rstrip("/"), key
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=120))

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
        with file.open("rb") as body:
            answer = self._open("PUT", url, body, {**headers, "Content-Length": str(file.stat().st_size)})
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
    client = Client(url, key)
    try:
        known = commands(client.request("GET", "/api/openapi.json").json())
        command, rest = find(known, given)
        if command is None:
            print(listing(known, rest))
            return 0 if set(given) & set(_BUILT_IN) else 2
        run(client, command, parser(command).parse_args(rest))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
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


def listing(known: list[Command], words: list[str]) -> str:
    """The commands that begin so."""
    shown = [c for c in known if c.words[: len(words)] == tuple(words)] or known
    lines = [" ".join((*c.words, *(name.upper() for name in c.ids))) for c in shown]
    width = max(map(len, lines))
    return "\n".join(f"{line:<{width}}  {c.summary}" for line, c in zip(lines, shown, strict=True))


def parser(command: Command) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("millrace " + " ".join(command.words), description=command.summary)
    for name in command.ids:
        made.add_argument(name)
    for option in command.options:
        made.add_argument(option.flag, dest=f"{option.where}.{option.name}", help=_escaped(option.help))
    made.add_argument("-o", "--output", type=Path, help="write the answer, or the job's result, to this file")
    made.add_argument("--format-as", choices=["json", "yaml"], default="json", help="how to print it")
    if any(option.where == "body" for option in command.options):
        made.add_argument("-f", "--file", type=Path, help="the body, as YAML or JSON; options change it")
        made.add_argument("--upload", type=Path, help="then send this file to the answer's upload_url")
    if command.raw:
        made.add_argument("--data", type=Path, help="the file that is sent as it is")
    if command.paged:
        made.add_argument("--all", action="store_true", help="all pages")
    if command.method == "POST":
        made.add_argument("--wait", action="store_true", help="until the job is done; -o fetches its result")
    return made


def run(client: Client, command: Command, given: argparse.Namespace) -> None:
    path, body = target(command, vars(given)), None
    if getattr(given, "data", None):
        answer = client.request(command.method, path, given.data.read_bytes(), "application/octet-stream")
    else:
        fields = body_of(command, vars(given))
        body = json.dumps(fields, ensure_ascii=False).encode() if fields is not None else None
        answer = client.request(command.method, path, body)
    if "json" not in answer.headers.get("Content-Type", ""):
        return _write(bytes(answer.data), given.output)
    told = answer.json() if answer.data else None
    if getattr(given, "all", False):
        told = _all_pages(client, path, told)
    if getattr(given, "upload", None):
        client.upload(told["upload_url"], given.upload, told.get("upload_headers") or {})
    if getattr(given, "wait", False) and isinstance(told, dict) and "job_id" in told:
        told = _finished(client, told)
        if given.output and told.get("result_url"):
            return _write(client.fetch(told["result_url"]), given.output)
    return _write(_text(told, given.format_as).encode(), given.output)


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
        fields = yaml.safe_load(given["file"].read_text(encoding="utf-8"))
    for option in command.options:
        value = given.get(f"{option.where}.{option.name}")
        if option.where == "body" and value is not None:
            fields = {**(fields or {}), option.name: _typed(option, value)}
    if fields is None and any(option.where == "body" for option in command.options):
        return {}
    return fields


def _typed(option: Option, text: str) -> Any:
    if text.startswith("@"):
        text = sys.stdin.read() if text == "@-" else Path(text[1:]).read_text(encoding="utf-8")
        if option.kind == "text":
            return text
    return text if option.kind == "text" and text != "null" else yaml.safe_load(text)


def _all_pages(client: Client, path: str, first: dict[str, Any]) -> dict[str, Any]:
    items, cursor = list(first["items"]), first["next_cursor"]
    while cursor:
        separator = "&" if "?" in path else "?"
        page = client.request("GET", f"{path}{separator}cursor={quote(cursor, safe='')}").json()
        items, cursor = items + page["items"], page["next_cursor"]
    return {"items": items, "next_cursor": None}


def _finished(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    while job["status"] == "running":
        print(f"\r{job['done']} of {job['total']}", end="", file=sys.stderr)
        time.sleep(_POLL_SECONDS)
        job = client.request("GET", f"/api/jobs/{job['job_id']}").json()
    print(f"\r{job['done']} of {job['total']}", file=sys.stderr)
    if job["status"] == "failed":
        raise Failed(f"the job has failed: {job.get('error')}")
    return job


def _problem(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        told = answer.json()
    except ValueError:
        return f"{answer.status}"
    fields = "".join(f"\n  {e['field']}: {e['message']}" for e in told.get("errors", []))
    return (
        f"{told.get('status')} {told.get('title')}: {told.get('detail')}"
        if not fields
        else (f"{told.get('status')} {told.get('title')}{fields}")
    )


def _text(value: Any, kind: str) -> str:
    if kind == "yaml":
        return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False))
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        output.write_bytes(data)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


if __name__ == "__main__":
    sys.exit(main())
