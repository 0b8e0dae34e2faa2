"""The access token: one for all processes, refreshed by one of them while the others go on.

A token lives two hours and WeCom may end it earlier. It is renewed 300 s before its end by whoever
gets the store's lock; meanwhile the old one still serves. Lock and write are conditions on the
token's version, so that a late loser never puts an old token over a new one.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from chalicelib.platform import clock
from chalicelib.platform.errors import Upstream
from chalicelib.wecom.errors import Treatment, WeComError

_EARLY = timedelta(seconds=300)
_LOCK = timedelta(seconds=10)  # longer than one gettoken can take (1 s connect, 5 s read)
_LOOK_AGAIN, _LOOKS = 0.2, 25  # seconds between looks at another's refresh; five seconds in all


class Token(NamedTuple):
    """`version` grows by one with each refresh; 0 is "there never was one"."""

    value: str
    refresh_at: datetime
    expires_at: datetime
    version: int


class TokenStore(Protocol):
    """Where the processes share the token."""

    def get(self) -> Token | None: ...

    def try_lock(self, version: int, until: datetime) -> bool:
        """Take the right to follow up `version`, until then. False when somebody has it, or has done it."""
        ...

    def unlock(self, until: datetime) -> None:
        """Give back a lock that was taken until then; another's stays."""
        ...

    def put(self, token: Token) -> bool:
        """Store it as the follower of `token.version - 1`, and free the lock. False when it is not."""
        ...


class Access:
    """The token for one process. `fetch` asks WeCom: (deadline) → (token, seconds it lives)."""

    def __init__(
        self,
        store: TokenStore,
        fetch: Callable[[datetime], tuple[str, int]],
    ):
        self._store = store
        self._fetch = fetch
        self._kept: Token | None = None
        self._one_thread = threading.Lock()

    def token(self, deadline: datetime) -> Token:
        """A token to call with. Upstream when there is none in time."""
        kept = self._kept
        if kept is not None and clock.now() < kept.refresh_at:
            return kept
        with self._one_thread:
            if self._kept is None or self._kept is kept:
                self._kept = self._shared(deadline, rejected=None)
            return self._kept

    def renewed(self, rejected: Token, deadline: datetime) -> Token:
        """Another token than the one WeCom has just rejected: the stored one, or a fresh one."""
        with self._one_thread:
            if self._kept is None or self._kept.version == rejected.version:
                self._kept = self._shared(deadline, rejected=rejected)
            return self._kept

    def _shared(self, deadline: datetime, rejected: Token | None) -> Token:
        for _ in range(_LOOKS):
            stored = self._store.get()
            again = stored is not None and rejected is not None and stored.version == rejected.version
            serves = None if again else stored
            now = clock.now()
            if serves is not None and now < serves.refresh_at:
                return serves
            if serves is not None and now >= serves.expires_at:
                serves = None
            if self._store.try_lock(stored.version if stored else 0, now + _LOCK):
                return self._refresh(stored, serves, deadline, now + _LOCK)
            if serves is not None:
                return serves
            if now >= deadline:
                break
            time.sleep(_LOOK_AGAIN)
        raise Upstream("no access token: another process is still refreshing it")

    def _refresh(
        self, stored: Token | None, serves: Token | None, deadline: datetime, locked: datetime
    ) -> Token:
        try:
            value, seconds = self._fetch(min(deadline, locked))
        except Upstream as error:
            # The lock stays until it lapses where asking at once would not help: the old token still
            # serves, or WeCom refused (a wrong secret is tried six times a minute by all processes
            # together, and no address is banned for that).
            if serves is not None:
                return serves
            if not isinstance(error, WeComError) or error.treatment is Treatment.RETRY:
                self._store.unlock(locked)
            raise
        version = stored.version + 1 if stored else 1
        now, life = clock.now(), timedelta(seconds=seconds)
        # Asked inside its life WeCom gives the same token, perhaps with the rest of its life only.
        token = Token(value, now + life - min(_EARLY, life / 2), now + life, version)
        if self._store.put(token):
            return token
        return self._store.get() or token
