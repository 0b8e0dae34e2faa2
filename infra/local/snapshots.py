"""The stack's state on disk: a folder a generation, the emulator's and the sandbox's state of one instant.

    DATA_DIR/state -> states/00000007     the newest whole one; the link is moved last
    states/00000007/emulator/             MiniStack's files
    states/00000007/sandbox.json
    states/00000007/saved.json            {"at": …, "ended": whether the stack was stopped then}
    code/                                 archives of functions and layers, which all generations share

While the emulator is copied the sandbox answers nobody: no payout is in one of them and not in the other.
"""

import json
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chalicelib.platform import clock
from infra.sandbox import Sandbox
from infra.sandbox import state as sandbox_state

EACH = 2.0  # seconds between two saves …
LAST = 8.0  # seconds for the one at the end: else the one before stands
SHARE = 0.1  # … unless one takes so long that this much of the time would go into saving
Emulator = Callable[..., dict[str, Any]]


class Snapshots:
    """`emulator(method, path, body)` asks the embedded one. Nothing is saved before `run`: a demo that was
    interrupted begins anew.
    """

    def __init__(self, data: Path, emulator: Emulator, sandbox: Sandbox):
        self.data, self.emulator, self.sandbox = data, emulator, sandbox
        self.lock, self.stopped, self.seen = threading.Lock(), threading.Event(), -1
        self.begun = False

    def run(self) -> None:
        """From now on save whenever something has changed, until `close`."""
        self.begun = True
        threading.Thread(target=self._keep_saving, name="snapshots", daemon=True).start()

    def _keep_saving(self) -> None:
        pause = EACH
        while not self.stopped.wait(pause):
            begun = time.monotonic()
            self._try_to_save()
            pause = max(EACH, (time.monotonic() - begun) / SHARE)

    def close(self) -> None:
        """The last one: the stack is being stopped. One that takes too long is given up."""
        self.stopped.set()
        last = threading.Thread(target=self._try_to_save, args=(True,), name="last snapshot", daemon=True)
        last.start()
        last.join(LAST)
        if last.is_alive():
            print("the last save took too long: the next start has the one before", file=sys.stderr)

    def _try_to_save(self, ended: bool = False) -> None:
        """What goes wrong is said, and the stack goes on: also when its emulator has died, and it ends."""
        try:
            self.save(ended)
        except Exception as error:
            print(f"the state could not be saved: {error!r}", file=sys.stderr)

    def save(self, ended: bool = False) -> None:
        """Save what is there now; nothing to do when nothing has changed."""
        if not self.begun:
            return
        with self.lock:
            changes = self.emulator("GET", "/_local/state")["changes"] + self.sandbox.changes
            if changes == self.seen and not ended:
                return
            part = self.data / "states" / "part"
            shutil.rmtree(part, ignore_errors=True)
            (part / "emulator").mkdir(parents=True)
            with self.sandbox.world.lock:
                child = self.emulator("POST", "/_local/save", {"folder": str(part / "emulator")})["child"]
                world = sandbox_state.as_text(self.sandbox.world.state)
            at = clock.iso(clock.now())
            sandbox_state.write(world, part / "sandbox.json")
            if not self.emulator("POST", "/_local/saved", {"child": child})["saved"]:
                raise OSError("the emulator's copy did not come to an end, see emulator.log")
            (part / "saved.json").write_text(json.dumps({"at": at, "ended": ended}))
            publish(self.data, part)
            self.seen = changes


def publish(data: Path, part: Path) -> None:
    """Make `part` the newest generation; only the one before is kept beside it."""
    states = data / "states"
    numbers = sorted(int(folder.name) for folder in states.iterdir() if folder.name.isdecimal())
    newest = states / f"{numbers[-1] + 1 if numbers else 1:08}"
    part.rename(newest)
    link = data / "state.new"
    link.unlink(missing_ok=True)
    link.symlink_to(newest.relative_to(data))
    link.replace(data / "state")
    for number in numbers[:-1]:
        shutil.rmtree(states / f"{number:08}", ignore_errors=True)


def is_new(data: Path) -> bool:
    """Whether nothing was there before `prepare`, and nothing has been saved since."""
    return bool(json.loads((data / "state" / "saved.json").read_text()).get("new"))


def prepare(data: Path) -> None:
    """A first generation: empty, or what launchers before 2026-12 left (saved at their end alone)."""
    if (data / "state").exists():
        return
    part = data / "states" / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    emulator, sandbox = data / "emulator", data / "sandbox.json"
    is_empty = not emulator.is_dir()
    if not is_empty:
        if (emulator / "lambda-blobs").is_dir():
            (emulator / "lambda-blobs").rename(data / "code")
        emulator.rename(part / "emulator")
    else:
        (part / "emulator").mkdir()
    if sandbox.exists():
        sandbox.rename(part / "sandbox.json")
    at = clock.iso(clock.now())
    (part / "saved.json").write_text(json.dumps({"at": at, "ended": True, "new": is_empty}))
    publish(data, part)


def last_words(data: Path, counts: dict[str, int]) -> str:
    """What a start has to say of the run before; nothing when it was stopped.

    counts: of what the sandbox holds, by name.
    """
    saved = data / "state" / "saved.json"
    if not saved.exists():
        return ""
    last = json.loads(saved.read_text())
    if last["ended"]:
        return ""
    there = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return f"the last run was killed: this is its state of {last['at']} ({there}); what came after is gone"
