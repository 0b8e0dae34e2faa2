"""One call to WeCom: its token, its retries, its deadline.

A lost answer is repeated only where repeating does no harm; elsewhere it is an `AnswerLost`.
Nothing of a URL or a body goes into an error or a log: the token and the secret travel in the URL.
"""

import json
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from chalicelib.platform import clock, plain_text
from chalicelib.platform.errors import Upstream
from chalicelib.wecom.access import Access, TokenStore
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError

CONNECT, READ, TOTAL = 1.0, 5.0, 20.0  # seconds; TOTAL when the caller sets no deadline
_TRIES = 3
_IDLE = timedelta(seconds=60)
_BUSY = -1  # may have been carried out all the same
_AGAIN = {6000, 45033}  # refused before anything was done: any call may be repeated
_BAD_SECRET = 40001

Heard = Callable[[Upstream | None], None]  # of each call: what went wrong, or None

# At DEBUG urllib3 writes whole URLs.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class Transport:
    """See `WeCom` for the arguments. `calls` counts what went out, by path."""

    def __init__(
        self,
        base: str,
        corp_id: str,
        secret: Callable[[], str],
        store: TokenStore,
        *,
        forget_secret: Callable[[], None] = lambda: None,
        pool: urllib3.PoolManager | None = None,
        heard: Heard = lambda _: None,
    ):
        self.calls: Counter[str] = Counter()
        self._heard = heard
        self._base = base.rstrip("/") + "/cgi-bin/"
        self._corp_id = corp_id
        self._secret = secret
        self._forget_secret = forget_secret
        self._pool = pool or urllib3.PoolManager(maxsize=10)
        self._last_call = clock.now()
        self._access = Access(store, self._fetch_token)

    def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        *,
        repeatable: bool,
        deadline: datetime | None,
    ) -> dict[str, Any]:
        """The answer's JSON, or what there was instead, which `heard` is told too: see `_call`."""
        try:
            answer = self._call(path, body, params, repeatable=repeatable, deadline=deadline)
        except Upstream as error:
            self._heard(error)
            raise
        self._heard(None)
        return answer

    def _call(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        *,
        repeatable: bool,
        deadline: datetime | None,
    ) -> dict[str, Any]:
        """POST when there is a `body`, else GET.

        WeComError for an errcode, AnswerLost when a call that is not `repeatable` may or may not
        have been carried out, Upstream when WeCom can't be asked in time.
        """
        until = deadline or clock.now() + timedelta(seconds=TOTAL)
        token = self._access.token(until)
        for last in (False, True):
            try:
                signed = {"access_token": token.value, **(params or {})}
                return self._exchange(path, body, signed, repeatable, until)
            except WeComError as error:
                if last or error.treatment is not Treatment.REFRESH_TOKEN:
                    raise
            token = self._access.renewed(token, until)
        raise AssertionError("unreachable")

    def _fetch_token(self, deadline: datetime) -> tuple[str, int]:
        params = {"corpid": self._corp_id, "corpsecret": self._secret()}
        try:
            answer = self._exchange("gettoken", None, params, True, deadline)
        except WeComError as error:
            if error.errcode == _BAD_SECRET:
                self._forget_secret()  # it may have been rotated: the next try reads it anew
            raise
        return str(answer["access_token"]), int(answer["expires_in"])

    def _exchange(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str],
        repeatable: bool,
        deadline: datetime,
    ) -> dict[str, Any]:
        """Send until there is an answer or the tries are used up."""
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            answer = self._send(path, body, params, deadline, may_lose=repeatable)
            errcode = None if answer is None else int(answer.get("errcode", 0))
            if answer is not None and errcode == 0:
                return answer
            if errcode == _BUSY and not repeatable:
                raise AnswerLost(path)
            passing = errcode is None or errcode == _BUSY or errcode in _AGAIN
            if errcode is not None and (last or not passing):
                raise WeComError(path, errcode)
            if not last:
                self._pause(attempt, deadline)
        raise Upstream(code="wecom_silent", path=path)

    def _send(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str],
        deadline: datetime,
        *,
        may_lose: bool,
    ) -> dict[str, Any] | None:
        """One request. None when it may be sent again: it never left, or nobody minds a second one."""
        left = (deadline - clock.now()).total_seconds()
        if left <= 0:
            raise Upstream(code="wecom_silent", path=path)
        self._drop_idle()
        self.calls[path] += 1
        try:
            response = self._pool.request(
                "GET" if body is None else "POST",
                f"{self._base}{path}?{urlencode(params)}",
                body=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json; charset=utf-8"},
                timeout=urllib3.Timeout(total=left, connect=min(CONNECT, left), read=min(READ, left)),
                retries=False,
                redirect=False,
            )
            if response.status == 200:
                # Names hold what people typed: a control character is no reason to lose an answer.
                answer = json.loads(response.data.decode(errors="replace"), strict=False)
                if isinstance(answer, dict):
                    return dict(plain_text.clean_json(answer))
        except (NewConnectionError, ConnectTimeoutError):
            return None
        except (HTTPError, ValueError):
            pass
        if may_lose:
            return None
        raise AnswerLost(path)

    def _drop_idle(self) -> None:
        """Forget connections that have slept (a frozen function): a dead one looks like a lost answer."""
        now = clock.now()
        if now - self._last_call > _IDLE:
            self._pool.clear()
        self._last_call = now

    def _pause(self, attempt: int, deadline: datetime) -> None:
        """Full jitter, 200 ms doubling, never past the deadline."""
        left = (deadline - clock.now()).total_seconds()
        pause = random.uniform(0.05, 0.2 * 2**attempt)  # not a secret  # noqa: S311  # nosec B311
        time.sleep(max(0.0, min(pause, left)))
