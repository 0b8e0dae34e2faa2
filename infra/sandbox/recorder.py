"""Every call that was made to the sandbox, in order, for tests to look at."""

import threading
from collections import deque
from datetime import datetime
from typing import Any

_MASKED = ("access_token", "corpsecret")
_ROWS = 50  # a list in an answer that is longer is cut


def masked(values: dict[str, Any]) -> dict[str, Any]:
    """A query or an answer without secrets: the last four characters tell tokens apart."""
    return {k: f"***{str(v)[-4:]}" if k in _MASKED else v for k, v in values.items()}


def _shortened(response: dict[str, Any]) -> dict[str, Any]:
    """Of a page of a big corp its first rows: ten thousand of them are a gigabyte."""
    return {k: v[:3] if isinstance(v, list) and len(v) > _ROWS else v for k, v in response.items()}


class Recorder:
    def __init__(self, keep: int = 20_000) -> None:
        self._calls: deque[dict[str, Any]] = deque(maxlen=keep)
        self._lock = threading.Lock()

    def add(
        self, at: datetime, service: str, method: str, path: str,
        query: dict[str, str], body: Any, status: int | None, response: Any,
    ) -> None:  # fmt: skip
        """`status` None: the connection was dropped without an answer."""
        call = {
            "at": at.isoformat(timespec="microseconds"), "service": service, "method": method, "path": path,
            "query": masked(query), "body": body, "status": status,
            "response": _shortened(masked(response)) if isinstance(response, dict) else response,
        }  # fmt: skip
        with self._lock:
            self._calls.append(call)

    def calls(self, path: str | None = None) -> list[dict[str, Any]]:
        """In order; only those whose path contains `path`, when it is given."""
        with self._lock:
            kept = list(self._calls)
        return [call for call in kept if not path or path in call["path"]]

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
