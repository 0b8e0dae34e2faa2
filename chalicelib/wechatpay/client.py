"""Transfers to a customer's WeChat (商家转账, API v3): offer, ask, take back.

A transfer is known by our own number, `out_bill_no`, and by no other, ever. When its outcome is
`Unknown` the only thing to do is `query` under the same number; the same number sent again with
the same parameters is the same transfer. Money arrives only when the receiver has confirmed.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from chalicelib.platform import clock, connections, settings
from chalicelib.platform.errors import DomainError, Forbidden, Invalid, Upstream, issue
from chalicelib.wechatpay import hosts, refusals
from chalicelib.wechatpay.hosts import HOST
from chalicelib.wechatpay.refusals import Treatment
from chalicelib.wechatpay.scenes import Scene
from chalicelib.wechatpay.signer import Signer, Verifier

NAME_FROM_FEN = 200_000  # the receiver's name is required from here on …
NAME_UNTIL_FEN = 30  # … and not allowed below
_REMARK = 32  # characters
_BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
_CONNECT, _READ = 2.0, 8.0  # seconds
_QUERY_TRIES = 3
_OF_THE_CONNECTION = {"NO_AUTH", "SIGN_ERROR"}  # whatever is asked for, it is refused
_NUMBER = re.compile(r"[0-9A-Za-z]{1,32}")

# At DEBUG urllib3 writes whole URLs.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class State(Enum):
    """Where a transfer stands."""

    ACCEPTED = "ACCEPTED"
    PROCESSING = "PROCESSING"  # also while the merchant's balance is short: top up, send the same again
    WAIT_USER_CONFIRM = "WAIT_USER_CONFIRM"  # 24 h for the receiver, with `package_info`
    TRANSFERING = "TRANSFERING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    CANCELING = "CANCELING"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        return self in (State.SUCCESS, State.FAIL, State.CANCELLED)


@dataclass(frozen=True)
class Bill:
    """A transfer as WeChat sees it. `amount_fen` only from a query or a notification.

    created_at: when WeChat took it in, from which the receiver's 24 hours run; None: not said.
    """

    out_bill_no: str
    transfer_bill_no: str
    state: State
    amount_fen: int | None = None
    fail_reason: str = ""
    package_info: str = field(default="", repr=False)  # opens the receiver's confirmation page
    created_at: datetime | None = None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "Bill":
        """From an answer or a notification's resource. KeyError, ValueError when it is none."""
        return cls(
            out_bill_no=answer["out_bill_no"],
            transfer_bill_no=answer.get("transfer_bill_no") or "",
            state=State(answer["state"]),
            amount_fen=answer.get("transfer_amount"),
            fail_reason=answer.get("fail_reason") or "",
            package_info=answer.get("package_info") or "",
            created_at=_time(answer.get("create_time")),
        )


class TransferRejected(DomainError):
    """WeChat says that it did not take this request: what follows is in refusals.py.

    `retryable`: the same may be taken later (top up, slow down, mend the settings).
    """

    status = 409
    title = "WeChat Pay refused"

    def __init__(self, code: str):
        self.code = code
        self.retryable = refusals.treatment(code) is not Treatment.REFUSED
        super().__init__(code="wechatpay_refused", reason=code)


class Unknown(Upstream):
    """Nobody knows what became of it: `query` under the same number. `code`: WeChat's, if it gave one."""

    title = "WeChat Pay's answer is unknown"

    def __init__(self, code: str = ""):
        self.code = code
        super().__init__(code="wechatpay_unknown", reason=code)


class WeChatPay:
    """One merchant. `notify_url`: where WeChat sends final states (None: nowhere)."""

    def __init__(
        self,
        base: str,
        app_id: str,
        signer: Signer,
        verifier: Verifier,
        *,
        notify_url: str | None = None,
        pool: urllib3.PoolManager | None = None,
        heard: Callable[[str | None], None] = lambda _: None,
    ):
        self._base = base.rstrip("/")
        self._prefix = urlsplit(self._base).path
        self._app_id = app_id
        self._signer, self._verifier = signer, verifier
        self._notify_url = notify_url
        self._heard = heard
        self._pool = pool or urllib3.PoolManager(maxsize=4)

    def transfer(
        self,
        out_bill_no: str,
        openid: str,
        amount_fen: int,
        remark: str,
        scene: Scene,
        user_name: str | None = None,
    ) -> Bill:
        """Offer the money. Calling again with the very same arguments is the same transfer.

        `user_name`: the receiver's real name, required from ¥2,000. Invalid before anything is
        sent; TransferRejected: not taken, for certain; Unknown: query.
        """
        body = self._transfer_body(out_bill_no, openid, amount_fen, remark, scene, user_name)
        status, answer = self._exchange("POST", _BILLS, body)
        return _bill(status, answer)

    def query(self, out_bill_no: str) -> Bill | None:
        """What became of it; None when WeChat never took it in (believe that after a minute). Unknown."""
        path = f"{_BILLS}/out-bill-no/{_number(out_bill_no)}"
        for left in reversed(range(_QUERY_TRIES)):
            try:
                status, answer = self._exchange("GET", path)
                break
            except Unknown:
                if not left:
                    raise
        if status == 404 and answer.get("code") == "NOT_FOUND":
            return None
        if status != 200:
            raise Unknown(str(answer.get("code", "")))
        return _bill(status, answer)

    def cancel(self, out_bill_no: str) -> Bill:
        """Take it back before the receiver confirms: CANCELING, later CANCELLED. Raises as `transfer`."""
        path = f"{_BILLS}/out-bill-no/{_number(out_bill_no)}/cancel"
        status, answer = self._exchange("POST", path)
        return _bill(status, answer)

    def _transfer_body(
        self,
        out_bill_no: str,
        openid: str,
        amount_fen: int,
        remark: str,
        scene: Scene,
        user_name: str | None,
    ) -> dict[str, Any]:
        if amount_fen <= 0:
            raise Invalid(issue("amount_fen", "more_than", limit=0))
        if amount_fen >= NAME_FROM_FEN and not user_name:
            raise Invalid(issue("user_name", "required"))
        if len(remark) > _REMARK:
            raise Invalid(issue("remark", "max_length", max_length=_REMARK))
        body: dict[str, Any] = {
            "appid": self._app_id,
            "out_bill_no": _number(out_bill_no),
            "transfer_scene_id": scene.scene_id,
            "openid": openid,
            "transfer_amount": amount_fen,
            "transfer_remark": remark,
            "transfer_scene_report_infos": [
                {"info_type": kind, "info_content": content} for kind, content in scene.reports
            ],
        }
        if user_name and amount_fen >= NAME_UNTIL_FEN:
            body["user_name"] = self._verifier.conceal(user_name)
        if self._notify_url:
            body["notify_url"] = self._notify_url
        return body

    def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request. Unknown when there is none to be trusted."""
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {
            "Authorization": self._signer.authorization(method, self._prefix + path, data, clock.now()),
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "millrace",
            "Wechatpay-Serial": self._verifier.key_id,
        }
        try:
            response = self._pool.request(
                method,
                self._base + path,
                body=data or None,
                headers=headers,
                timeout=urllib3.Timeout(connect=_CONNECT, read=_READ),
                retries=False,
                redirect=False,
            )
            # Errors at the gate may come unsigned; whatever is signed, and every success, is checked.
            if response.status < 300 or "Wechatpay-Signature" in response.headers:
                self._verifier.verify(response.headers, response.data, clock.now())
            answer = json.loads(response.data)
        except (HTTPError, ValueError, Forbidden):
            self._heard("pay_untrusted")
            raise Unknown from None
        code = str(answer.get("code", "")) if isinstance(answer, dict) else ""
        self._heard(f"pay_{code}" if code in _OF_THE_CONNECTION else None)
        if response.status >= 500 or not isinstance(answer, dict):
            raise Unknown(str(answer.get("code", "")) if isinstance(answer, dict) else "")
        return response.status, answer


def _bill(status: int, answer: Mapping[str, Any]) -> Bill:
    if status != 200:
        code = str(answer.get("code", ""))
        certain = 400 <= status < 500 and refusals.treatment(code) is not Treatment.UNCERTAIN
        raise TransferRejected(code) if certain else Unknown(code)
    try:
        return Bill.of(answer)
    except (KeyError, ValueError):
        raise Unknown from None


def _time(value: Any) -> datetime | None:
    """A time of an answer; None when it is absent or no time."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError):
        return None


def _number(out_bill_no: str) -> str:
    if not _NUMBER.fullmatch(out_bill_no):
        raise Invalid(issue("out_bill_no", "pattern"))
    return out_bill_no


def default_client() -> WeChatPay:
    """The process's client, from the settings; another one once a key has been rotated."""
    return _client(
        settings.secret("wechatpay", "private_key"), settings.secret("wechatpay_notify", "public_key")
    )


@lru_cache(maxsize=1)
def _client(private_key: str, public_key: str) -> WeChatPay:
    base = settings.env("WECHATPAY_API_BASE", HOST).rstrip("/")
    notify_url = settings.env("PUBLIC_BASE_URL").rstrip("/") + "/pay/wechat/notify"
    # WeChat takes an https address only; another host than WeChat's (a sandbox) takes any.
    is_taken = notify_url.startswith("https://") or hosts.is_sandbox(base)
    mch_id, serial = settings.env("WECHATPAY_MCH_ID"), settings.env("WECHATPAY_CERT_SERIAL")
    return WeChatPay(
        base,
        settings.env("WECHATPAY_APP_ID"),
        Signer(mch_id, serial, private_key),
        Verifier(settings.env("WECHATPAY_PUBLIC_KEY_ID"), public_key),
        notify_url=notify_url if is_taken else None,
        heard=_note,
    )


def _note(code: str | None) -> None:
    if code is None:
        connections.note_success("wechatpay")
    else:
        connections.note_failure("wechatpay", code)
