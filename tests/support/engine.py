"""MiniStack's DynamoDB for tests and benchmarks: an engine whose transactions hold under threads."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 60  # it starts in half a second; on a busy machine it may take longer


def free_port() -> int:
    with socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def running() -> Iterator[str]:
    """The address of an engine that ends with the block."""
    port = free_port()
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(
        [ROOT / ".venv-ministack/bin/ministack"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _await(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + _SECONDS
    while True:
        try:
            urllib.request.urlopen(url + "/_ministack/health", timeout=1)
            return
        except OSError:
            if time.monotonic() > until or process.poll() is not None:
                sys.exit("MiniStack did not start")
            time.sleep(0.05)


def reset(url: str) -> None:
    """An empty engine."""
    urllib.request.urlopen(
        urllib.request.Request(url + "/_ministack/reset", method="POST"), timeout=60
    ).read()
