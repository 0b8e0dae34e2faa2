"""The local stack stops in time, whatever hangs; a second Ctrl+C ends it at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from infra.local import __main__ as launcher
from infra.local import snapshots
from infra.local.snapshots import Snapshots
from infra.sandbox import Sandbox

# Ignores SIGTERM, and has a worker that does too.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) == 1:
    worker = subprocess.Popen([sys.executable, __file__, "worker"])
    print(worker.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def stubborn(tmp_path: Path) -> tuple["subprocess.Popen[bytes]", int]:
    """(process, the pid of its worker)"""
    program = tmp_path / "stubborn.py"
    program.write_text(STUBBORN)
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_an_emulator_that_does_not_end_is_killed_with_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "TO_END", 0.2)
    process, worker = stubborn(tmp_path)
    launcher.stop(process)
    assert process.returncode == -signal.SIGKILL and gone(worker)


def test_a_last_save_that_hangs_is_given_up_and_the_one_before_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(snapshots, "LAST", 0.2)
    snapshots.prepare(tmp_path)
    before = (tmp_path / "state").resolve()
    never = threading.Event()

    def emulator(method: str, path: str, body: Any = None) -> dict[str, Any]:
        never.wait()
        raise RuntimeError

    keeper = Snapshots(tmp_path, emulator, Sandbox.__new__(Sandbox))
    keeper.begun = True
    keeper.close()
    assert (tmp_path / "state").resolve() == before and "took too long" in capfd.readouterr().err
    never.set()


def test_a_second_signal_ends_all_at_once(tmp_path: Path) -> None:
    emulator, worker = stubborn(tmp_path)
    code = f"""
import os, signal, time
from infra.local.__main__ import Stopped
stopped = Stopped()
class Emulator:
    pid = {emulator.pid}
stopped.emulator = Emulator
os.kill(os.getpid(), signal.SIGINT)
assert stopped.is_set()
os.kill(os.getpid(), signal.SIGINT)
time.sleep(600)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], timeout=60, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.returncode == 130
    assert emulator.wait(10) == -signal.SIGKILL and gone(worker)
