"""A local stack of one's own, for tests and benchmarks: started, spoken to, stopped.

with LocalStack() as stack:
    stack.api("POST", "/api/live-codes", {...})
    stack.sandbox("POST", "add", {...})
    stack.advance("PT1H")
"""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import urllib3

from infra import build
from infra.local.settings import free_port

TO_STOP = 180  # seconds: it removes thousands of unpacked files


class LocalStack:
    """`base`: the public URL; `key`: the admin's API key; `root`: another version of this project.
    RuntimeError if it does not get ready."""

    def __init__(self, data: Path | None = None, root: Path = build.ROOT, **environment: str):
        self.key = environment.setdefault("ADMIN_API_KEY", "mr_" + secrets.token_urlsafe(16))
        self.port = int(environment.setdefault("PORT", str(free_port())))
        self.base = f"http://127.0.0.1:{self.port}"
        inherited = {name: value for name, value in os.environ.items() if name != "PUBLIC_BASE_URL"}
        self.environment = {**inherited, "PYTHONPATH": str(root), **environment}
        self.root = root
        if data is not None:
            self.environment["DATA_DIR"] = str(data)
        self.http = urllib3.PoolManager(maxsize=64, retries=False, timeout=urllib3.Timeout(600))
        self.process: subprocess.Popen[str] | None = None
        self.said = ""  # on standard error, until it was ready

    def __enter__(self) -> "LocalStack":
        with tempfile.TemporaryFile("w+") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local"],
                cwd=self.root,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            assert self.process.stdout is not None
            if self.process.stdout.readline().strip() != f"ready {self.base}":
                self.ended()
                errors.seek(0)
                raise RuntimeError(f"the local stack did not start:\n{errors.read()[-3000:]}")
            errors.seek(0)
            self.said = errors.read()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.ended()

    def kill(self) -> None:
        """As a crash would: nothing is saved, nothing cleaned up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def ended(self) -> None:
        """Wait until it has. TimeoutExpired when it had to be killed."""
        assert self.process is not None
        try:
            self.process.wait(TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """One request as it is; redirects are answers."""
        return self.http.request(method, self.base + path, body=body, headers=headers, redirect=False)

    def api(self, method: str, path: str, body: Any = None, expect: int | None = None) -> Any:
        """A JSON call with the admin's key. AssertionError when the status is not `expect` (any 2xx)."""
        answer = self.http.request(
            method, self.base + path, json=body, headers={"Authorization": f"Bearer {self.key}"}
        )
        good = answer.status == expect if expect else 200 <= answer.status < 300
        assert good, f"{method} {path}: {answer.status} {answer.data[:1000]!r}"
        return answer.json() if answer.data else None

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the sandbox's control API: `sandbox("POST", "faults", {…})`."""
        return self.api(method, f"/_sandbox/{path}", body)

    def sandbox_calls(self, path: str = "") -> list[dict[str, Any]]:
        return list(self.api("GET", f"/local/sandbox/calls?path={path}")["items"])

    def advance(self, duration: str) -> str:
        """Move the clock; answers the time when all that fell due has been handled."""
        return str(self.api("POST", "/local/clock", {"advance": duration})["now"])

    def drain(self) -> None:
        """Wait until queues and streams are empty."""
        self.api("POST", "/local/drain")

    def logs(self, function: str) -> list[str]:
        return list(self.api("GET", f"/local/logs?function={function}")["items"])
