"""Who may call, and how often: access tokens (wecom-api.md §3), trusted addresses, rates and concurrency."""

import hmac
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Any

from infra.sandbox.endpoint import Download
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World, digest

LIFE = 7200
_BAN = 3600
_KEPT_WINDOWS = 10_000

Answer = tuple[int, "dict[str, Any] | Download"]


class Tokens:
    """One token per app, the same one all its life."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wrong: dict[str, deque[float]] = defaultdict(deque)

    def issue(self, query: dict[str, str], ip: str) -> dict[str, Any]:
        """gettoken. ApiError 40013, 40001; 45009 for an address that was wrong too often (for an hour)."""
        config, now = self._world.config, self._world.ts()
        wrong = self._wrong[ip]
        while wrong and wrong[0] <= now - _BAN:
            wrong.popleft()
        if len(wrong) >= config.wrong_secret_ban_after:
            raise ApiError(45009)
        if query.get("corpid") != config.corp_id:
            raise ApiError(40013)
        given = query.get("corpsecret", "").encode()
        secrets = {"app": config.secret, "contact": config.contact_secret or config.secret}
        app = next((a for a, s in secrets.items() if hmac.compare_digest(s.encode(), given)), None)
        if app is None:
            wrong.append(now)
            raise ApiError(40001)
        tokens = self._world.state.tokens
        for token, known in tokens.items():
            if known["app"] == app and known["until"] > now and not known["dead"]:
                return _token_answer(token, int(known["until"] - now))
        token = digest("token", app, self._world.new_id("tok"), str(now))
        tokens[token] = {"app": app, "until": now + LIFE, "dead": ""}
        return _token_answer(token, LIFE)

    def app_of(self, token: str | None) -> str:
        """Whose token: "app" or "contact". ApiError 41001 (none), 40014 (wrong, killed), 42001 (expired)."""
        if not token:
            raise ApiError(41001)
        known = self._world.state.tokens.get(token)
        if known is None or known["dead"] == "invalid":
            raise ApiError(40014)
        if known["dead"] == "expired" or known["until"] <= self._world.ts():
            raise ApiError(42001)
        return str(known["app"])

    def kill(self, how: str) -> int:
        """The platform ends every live token early: `expired` (42001) or `invalid` (40014) from now on."""
        if how not in ("expired", "invalid"):
            raise ValueError("a token is killed as expired or invalid")
        live = [
            t for t in self._world.state.tokens.values() if not t["dead"] and t["until"] > self._world.ts()
        ]
        for token in live:
            token["dead"] = how
        return len(live)


def _token_answer(token: str, seconds: int) -> dict[str, Any]:
    return {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": seconds}


class Limits:
    """Calls per minute and hour of each endpoint (45009, blocked for the window hit), and at once (45033)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._counts: Counter[tuple[str, int, int]] = Counter()
        self._blocked: dict[str, float] = {}
        self._running: Counter[str] = Counter()

    def around(self, path: str, ip: str, work: Callable[[], Answer], latency: float = 0) -> Answer:
        """Do the call within the limits. Answers 60020, 45009 or 45033 instead when it is over one.

        `latency`: seconds the call takes; while it does, it counts as running.
        """
        try:
            with self._world.lock:
                self._enter(path, ip)
        except ApiError as error:
            return 200, error.answer(ip, self._world.ts())
        try:
            time.sleep(latency)
            return work()
        finally:
            with self._world.lock:
                self._running[path] -= 1

    def _enter(self, path: str, ip: str) -> None:
        config, now = self._world.config, self._world.ts()
        if config.allowed_ips and ip not in config.allowed_ips:
            raise ApiError(60020)
        if self._blocked.get(path, 0) > now:
            raise ApiError(45009)
        for window, most in ((60, config.rate_per_minute), (3600, config.rate_per_hour)):
            key = (path, window, int(now // window))
            self._counts[key] += 1
            if self._counts[key] > most:
                self._blocked[path] = now + window
                raise ApiError(45009)
        if len(self._counts) > _KEPT_WINDOWS:
            self._counts.clear()
        if self._running[path] >= config.concurrency:
            raise ApiError(45033)
        self._running[path] += 1
