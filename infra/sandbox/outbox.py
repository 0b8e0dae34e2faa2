"""What the sandbox posts to us: event callbacks and pay notifications, with the senders' own retries.

WeCom sends a callback three times in all when it is not answered with 200 within 5 s; WeChat Pay repeats a
notification with growing gaps. What is due later waits in the state for `send_due`.
"""

import http.client
import random
import urllib.parse
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.world import World

TIMEOUT = 5.0
CALLBACK_TRIES = 3
NOTIFY_GAPS = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600)

# A sealed post: where to, with which headers, which bytes
Sealed = tuple[str, dict[str, str], bytes]


def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """POST once; the status, 0 when there was no answer in time."""
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Outbox:
    def __init__(self, world: World, seal: dict[str, Callable[[st.Post], Sealed]]) -> None:
        """`seal`: by kind of post, what makes it ready to go: encrypts and signs it anew at each try."""
        self._world = world
        self._seal = seal
        self._flying: set[str] = set()
        self._random = random.Random(world.config.seed)  # noqa: S311
        self.sent: deque[dict[str, Any]] = deque(maxlen=5_000)
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="sandbox-post")

    def put(self, kind: str, url: str, payload: str, due: float) -> str:
        """Queue one; its id."""
        with self._world.lock:
            post_id = self._world.new_id("post")
            self._world.state.posts[post_id] = st.Post(kind, url, payload, due, post_id=post_id)
        return post_id

    def put_event(self, xml: str, repeat: int = 1, delay: float = 0, reorder: bool = False) -> list[str]:
        """Queue an event callback, with the chaos that is switched on. No callback URL: nothing is sent."""
        config = self._world.config
        if not config.callback_url:
            return []
        due = self._world.ts() + delay + config.callback_delay
        hold = config.callback_hold if reorder or config.callback_reorder else 0.0
        copies = max(repeat, config.callback_repeat)
        return [
            self.put("callback", config.callback_url, xml, due + self._random.uniform(0, hold))
            for _ in range(copies)
        ]

    def next_at(self) -> float | None:
        with self._world.lock:
            return min((p.due for p in self._world.state.posts.values()), default=None)

    def flying(self) -> bool:
        """Whether something is being posted right now."""
        return bool(self._flying)

    def take(self, now: float, only: list[str] | None = None) -> list[st.Post]:
        """What is due (of `only`, when given); nobody else gets it until `send` is done with it."""
        with self._world.lock:
            posts = self._world.state.posts
            wanted = [posts[p] for p in only if p in posts] if only is not None else list(posts.values())
            due = [p for p in wanted if p.due <= now and p.post_id not in self._flying]
            self._flying.update(p.post_id for p in due)
        return sorted(due, key=lambda p: p.due)

    def send_due(self, now: float) -> int:
        """Post what is due and wait for the answers; how many posts went out."""
        return self.send(self.take(now))

    def send(self, due: list[st.Post]) -> int:
        """Post what was taken and wait for the answers; how many posts went out."""
        config = self._world.config
        if len(due) > 1 and (config.callback_reorder or config.callback_repeat > 1):
            list(self._pool.map(self._send, due))
        else:
            for item in due:
                self._send(item)
        return len(due)

    def _send(self, item: st.Post) -> None:
        try:
            url, headers, body = self._seal[item.kind](item)
            status = post(url, headers, body)
        finally:
            with self._world.lock:
                self._flying.discard(item.post_id)
        with self._world.lock:
            item.tries += 1
            self.sent.append(
                {"at": self._world.config.now().isoformat(), "kind": item.kind, "url": item.url,
                 "payload": item.payload, "status": status, "try": item.tries}
            )  # fmt: skip
            gap = self._gap(item, status)
            if gap is None:
                self._world.state.posts.pop(item.post_id, None)
            else:
                item.due = self._world.ts() + gap

    def _gap(self, item: st.Post, status: int) -> float | None:
        """Until the next try; None when it was taken or is given up."""
        if item.kind == "callback":
            done = status == 200 or item.tries >= CALLBACK_TRIES
            return None if done else self._world.config.callback_retry_after
        done = status in (200, 204) or item.tries > len(NOTIFY_GAPS)
        return None if done else float(NOTIFY_GAPS[item.tries - 1])

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def at(ts: float) -> datetime:
    return datetime.fromtimestamp(ts, timezone.utc)
