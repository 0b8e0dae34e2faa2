"""The API's calls as the console makes them: a table in text, from the OpenAPI document.

A line a call: method, name (as the command line's, with `_`), path with `{}` for each id, and for a write the
names that go into its query, or `@` and the media type of a body that is a file.
"""

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

from infra import build


def table() -> list[str]:
    """Made once for each state of what the API is made of: importing all of it takes a second."""
    sources = [
        build.ROOT / "app.py",
        build.ROOT / "infra" / "cli" / "spec.py",
        *build.source_files(build.ROOT / "chalicelib"),
    ]
    return _table(build.fingerprint([*sources, build.Path(__file__)], build.Target("", "", (), False)))


@cache
def _table(digest: str) -> list[str]:
    kept = build.CACHE / "console" / f"calls-{digest}.txt"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "infra.console.calls"]
        done = subprocess.run(command, cwd=build.ROOT, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the API's calls can't be listed:\n{done.stderr}")
        for old in kept.parent.glob("calls-*.txt"):
            old.unlink(missing_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_text(done.stdout, encoding="utf-8")
        partial.replace(kept)  # whole, also for who builds at the same time
    return kept.read_text(encoding="utf-8").splitlines()


def names(lines: list[str]) -> list[str]:
    return [line.split(" ")[1] for line in lines]


def document() -> dict[str, Any]:
    """The OpenAPI document, without a stack."""
    import app
    from chalicelib.platform import openapi
    from chalicelib.platform.http import Door

    app.app.load_all()
    return dict(json.loads(json.dumps(openapi.document(Door.routes))))


def main() -> None:
    from infra.cli import spec

    for command in spec.commands(document()):
        name = ".".join(word.replace("-", "_").replace(".", "_") for word in command.words)
        path = command.path.removeprefix("/api/")
        for each in command.ids:
            path = path.replace("{" + each + "}", "{}")
        queries = [o.name for o in command.options if o.where == "query"] if command.method != "GET" else []
        more = [",".join(queries)] if queries else []
        more += [f"@{command.takes}"] if command.takes else []
        print(" ".join([command.method, name, path, *more]))


if __name__ == "__main__":
    main()
