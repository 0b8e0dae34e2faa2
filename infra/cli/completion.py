"""Completion of commands, options and their values in bash and zsh, by `complete -C`.

The API's document is kept for an hour, so that a Tab costs no call.
"""

import hashlib
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from infra.cli.client import Client, Failed
from infra.cli.spec import Command, commands

_KEPT_SECONDS = 3600
_OWN = ("-h", "-o")


def script(shell: str) -> str:
    """What a shell reads: `eval "$(millrace completion bash)"`."""
    line = f"complete -C {shlex.quote(f'{sys.executable} -m infra.cli --complete')} millrace"
    return f"autoload -U +X bashcompinit && bashcompinit\n{line}" if shell == "zsh" else line


def complete(client: Client) -> list[str]:
    """What may come next on the line that bash is at. Nothing when the stack can't be asked."""
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT") or 0)]
    try:
        typed = shlex.split(line)[1:]
    except ValueError:  # a quote that is still open
        return []
    current = "" if line.endswith(" ") or not typed else typed.pop()
    try:
        known = commands(_document(client))
    except Failed:
        return []
    return sorted(word for word in candidates(known, typed) if word.startswith(current))


def candidates(known: list[Command], typed: list[str]) -> set[str]:
    """Words, options or values that may follow those typed."""
    words = [word for word in typed if not word.startswith("-")]
    nexts = {c.words[len(words)] for c in known if c.words[: len(words)] == tuple(words) != c.words}
    command = next((c for n in range(len(words), 0, -1) for c in known if c.words == tuple(words[:n])), None)
    if command is None:
        return nexts
    previous = next((option for option in command.options if typed[-1] == option.flag), None)
    if previous is not None:
        return set(previous.choices)
    return nexts | {option.flag for option in command.options} | set(_OWN)


def _document(client: Client) -> dict[str, Any]:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "millrace"
    kept = folder / f"{hashlib.sha256(client.url.encode()).hexdigest()[:16]}.json"
    if kept.exists() and time.time() - kept.stat().st_mtime < _KEPT_SECONDS:
        return dict(json.loads(kept.read_text()))
    document = client.document()
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(document))
    return document
