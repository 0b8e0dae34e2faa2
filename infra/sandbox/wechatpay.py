"""WeChat Pay v3, 商家转账: bills, their states and their final notification (wecom-api.md §6.3).

As with mass sends nothing waits on a timer: `settle` moves each bill on to where the clock has brought it.
"""

import json
import re
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.platform.clock import SHANGHAI
from infra.sandbox import pay_crypto
from infra.sandbox import state as st
from infra.sandbox.outbox import Outbox, Sealed
from infra.sandbox.world import World, digest

BASE = "/v3/fund-app/mch-transfer/transfer-bills"
OVERDUE = 24 * 3600
FINAL = ("SUCCESS", "FAIL", "CANCELLED")
_TOLERANCE = 300
_CANCELLING = 3
_NAME_FROM = 2_000_00  # fen: from here the receiver's name is needed
_NAME_NOT_BELOW = 30
# What each scene must report, by name. Others: at least one entry.
_SCENES = {"1000": {"活动名称", "奖励说明"}, "1005": {"岗位类型", "报酬说明"}}
_OUT_BILL_NO = re.compile(r"[0-9A-Za-z]{1,32}")
_NOTIFY_URL = re.compile(r"(https://|http://(127\.0\.0\.1|localhost)[:/])[^?#]*")


class PayError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"{status} {code}: {message}")


def _param(message: str) -> PayError:
    return PayError(400, "PARAM_ERROR", message)


def _iso(ts: float) -> str:
    return datetime.fromtimestamp(ts, SHANGHAI).isoformat(timespec="seconds")


@dataclass
class PayRequest:
    """One HTTP request as it came: `target` is path and query, `headers` with lower-case names."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class WechatPay:
    def __init__(self, world: World, outbox: Outbox) -> None:
        self._world = world
        self._outbox = outbox
        self._platform = pay_crypto.private_key(world.config.platform_private_key)
        self._calls: deque[float] = deque(maxlen=1000)

    # The wire

    def answer(self, request: PayRequest) -> tuple[int, dict[str, Any]]:
        """Check who asks, and answer: the status and the body."""
        try:
            self._authenticate(request)
            self._rate()
            with self._world.lock:
                self.settle(self._world.ts())
                return 200, self._route(request)
        except PayError as error:
            return error.status, {"code": error.code, "message": error.message}

    def sign(self, body: str) -> dict[str, str]:
        config = self._world.config
        return pay_crypto.signed_headers(self._platform, config.public_key_id, self._world.ts(), body)

    def _authenticate(self, request: PayRequest) -> None:
        config = self._world.config
        if not request.headers.get("user-agent"):
            raise PayError(403, "NO_AUTH", "User-Agent is required")
        if "application/json" not in request.headers.get("accept", "application/json").replace(
            "*/*", "application/json"
        ):
            raise PayError(406, "PARAM_ERROR", "Accept must allow application/json")
        given = pay_crypto.authorization(request.headers.get("authorization", ""))
        if given.get("mchid") != config.mch_id or given.get("serial_no") != config.cert_serial:
            raise PayError(401, "SIGN_ERROR", "mchid or serial_no is wrong")
        stamp = given.get("timestamp", "")
        now, real = self._world.ts(), datetime.now().timestamp()
        if not stamp.isdigit() or min(abs(now - int(stamp)), abs(real - int(stamp))) > _TOLERANCE:
            raise PayError(401, "SIGN_ERROR", "timestamp is too far off")
        lines = (request.method, request.target, stamp, given.get("nonce_str", ""))
        message = "".join(f"{line}\n" for line in lines).encode() + request.body + b"\n"
        key = pay_crypto.public_key(config.merchant_public_key)
        if not pay_crypto.verify(key, given.get("signature", ""), message):
            raise PayError(401, "SIGN_ERROR", "the signature is wrong")

    def _rate(self) -> None:
        now, most = self._world.ts(), self._world.config.pay_rate_per_second
        with self._world.lock:
            self._calls.append(now)
            if sum(at > now - 1 for at in self._calls) > most:
                raise PayError(429, "FREQUENCY_LIMITED", "too many calls")

    def _route(self, request: PayRequest) -> dict[str, Any]:
        path = request.target.partition("?")[0]
        rest = path.removeprefix(BASE).strip("/").split("/") if path.startswith(BASE) else ["?"]
        match (request.method, *rest):
            case ("POST", ""):
                return self._create(request)
            case ("GET", "out-bill-no", number):
                return self._shown(self._bill(number))
            case ("GET", "transfer-bill-no", number):
                bills = (b for b in self._world.state.bills.values() if b.transfer_bill_no == number)
                return self._shown(next(bills, None) or self._bill(""))
            case ("POST", "out-bill-no", number, "cancel"):
                return self._cancel(self._bill(number))
        raise PayError(404, "RESOURCE_NOT_EXISTS", "no such resource")

    # The calls

    def _bill(self, number: str) -> st.Bill:
        bill = self._world.state.bills.get(number)
        if bill is None:
            raise PayError(404, "NOT_FOUND", "no such bill")
        return bill

    def _shown(self, bill: st.Bill) -> dict[str, Any]:
        given = bill.request
        return {
            "mch_id": self._world.config.mch_id, "out_bill_no": bill.out_bill_no,
            "transfer_bill_no": bill.transfer_bill_no, "appid": given["appid"], "state": bill.state,
            "transfer_amount": given["transfer_amount"], "transfer_remark": given["transfer_remark"],
            "fail_reason": bill.fail_reason, "openid": given["openid"],
            "create_time": _iso(bill.created_at), "update_time": _iso(bill.updated_at),
        } | ({"package_info": bill.package_info} if bill.state == "WAIT_USER_CONFIRM" else {})  # fmt: skip

    def _create(self, request: PayRequest) -> dict[str, Any]:
        try:
            given = json.loads(request.body)
            json.dumps(given, ensure_ascii=False).encode()  # half a character could not be saved
        except ValueError as error:
            raise _param("the body is not JSON") from error
        if not isinstance(given, dict):
            raise _param("the body is not an object")
        number = given.get("out_bill_no")
        known = self._world.state.bills.get(number) if isinstance(number, str) else None
        if known is not None:
            if _sameness(known.request) != _sameness(given):
                raise PayError(400, "INVALID_REQUEST", "this out_bill_no was used with other parameters")
        else:
            self._check(given, request.headers)
            known = self._new_bill(given)
        self._begin(known)
        shown = {
            "out_bill_no": known.out_bill_no, "transfer_bill_no": known.transfer_bill_no,
            "create_time": _iso(known.created_at), "state": known.state,
        }  # fmt: skip
        if known.state == "WAIT_USER_CONFIRM":
            shown["package_info"] = known.package_info
        return shown | ({"fail_reason": known.fail_reason} if known.fail_reason else {})

    def _new_bill(self, given: dict[str, Any]) -> st.Bill:
        config, now = self._world.config, self._world.ts()
        mode = config.pay_modes.get(given["openid"], config.pay_mode)
        transfer_no = "133000" + str(int(digest(config.mch_id, given["out_bill_no"])[:24], 16)).zfill(29)[:29]
        bill = st.Bill(given["out_bill_no"], transfer_no, given, now, now, "PROCESSING", mode)
        self._world.state.bills[bill.out_bill_no] = bill
        return bill

    def _begin(self, bill: st.Bill) -> None:
        """Lock the money and start the bill on its way; when the balance is short it stays as it is."""
        if bill.locked or bill.state != "PROCESSING":
            return
        amount = bill.request["transfer_amount"]
        if self.balance() < amount:
            raise PayError(403, "NOT_ENOUGH", "资金不足")
        self._world.state.balance_fen = self.balance() - amount
        bill.locked = True
        config, now = self._world.config, self._world.ts()
        if bill.mode == "confirm":
            bill.state, bill.package_info = "WAIT_USER_CONFIRM", "PKG" + digest("package", bill.out_bill_no)
            tapped = config.pay_confirm_after is not None and config.pay_confirm_after < OVERDUE
            after = (config.pay_confirm_after or 0) if tapped else OVERDUE
            bill.next_at, bill.next_state = now + after, "SUCCESS" if tapped else "FAIL"
        else:
            bill.state = "ACCEPTED"
            bill.next_at, bill.next_state = (
                now + config.pay_delay,
                "SUCCESS" if bill.mode == "at_once" else "FAIL",
            )
        bill.updated_at = now
        self.settle(now)

    def _check(self, given: dict[str, Any], headers: dict[str, str]) -> None:
        config = self._world.config
        texts = {"out_bill_no": 32, "openid": 64, "transfer_remark": 32, "transfer_scene_id": 36}
        for name, most in texts.items():
            value = given.get(name)
            if not isinstance(value, str) or not 1 <= len(value) <= most:
                raise _param(f"{name} must be 1 to {most} characters")
        if given.get("appid") not in (config.app_id, config.corp_id):
            raise _param("appid is not bound to this mchid")
        if not _OUT_BILL_NO.fullmatch(given["out_bill_no"]):
            raise _param("out_bill_no takes digits and letters only")
        amount = given.get("transfer_amount")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount < 10:
            raise _param("transfer_amount must be a whole number of fen, at least 10")
        notify_url = given.get("notify_url")
        if notify_url is not None and not (isinstance(notify_url, str) and _NOTIFY_URL.fullmatch(notify_url)):
            raise _param("notify_url must be https and without a query")
        self._check_name(given.get("user_name"), amount, headers)
        reported = given.get("transfer_scene_report_infos")
        if not isinstance(reported, list) or not reported or not all(_report(item) for item in reported):
            raise _param("transfer_scene_report_infos is missing or malformed")
        needed = _SCENES.get(given["transfer_scene_id"])
        if needed and {item["info_type"] for item in reported} != needed:
            raise _param(f"the scene {given['transfer_scene_id']} must report {', '.join(sorted(needed))}")

    def _check_name(self, name: Any, amount: int, headers: dict[str, str]) -> None:
        if name is None:
            if amount >= _NAME_FROM:
                raise _param("user_name is needed from 2,000 yuan on")
            return
        if amount < _NAME_NOT_BELOW:
            raise _param("user_name must not be sent below 0.3 yuan")
        if headers.get("wechatpay-serial") != self._world.config.public_key_id:
            raise _param("Wechatpay-Serial does not name the key that user_name is encrypted with")
        if not isinstance(name, str) or not pay_crypto.decrypt_field(self._platform, name):
            raise _param("user_name cannot be decrypted")

    def _cancel(self, bill: st.Bill) -> dict[str, Any]:
        if bill.state not in ("ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM", "CANCELING", "CANCELLED"):
            raise PayError(400, "INVALID_REQUEST", f"a bill in state {bill.state} cannot be cancelled")
        if bill.state not in ("CANCELING", "CANCELLED"):
            now = self._world.ts()
            bill.state, bill.updated_at = "CANCELING", now
            bill.next_at, bill.next_state = now + _CANCELLING, "CANCELLED"
        return {
            "out_bill_no": bill.out_bill_no, "transfer_bill_no": bill.transfer_bill_no,
            "state": bill.state, "update_time": _iso(bill.updated_at),
        }  # fmt: skip

    # What happens by itself

    def settle(self, now: float) -> int:
        """Move the bills on to `now`; how many reached their end. Their notifications are queued."""
        waiting = [b for b in self._world.state.bills.values() if b.next_at is not None and b.next_at <= now]
        for bill in sorted(waiting, key=lambda b: b.next_at or 0):
            self._finish(bill, bill.next_state, bill.next_at or now)
        return len(waiting)

    def next_at(self) -> float | None:
        return min(
            (b.next_at for b in self._world.state.bills.values() if b.next_at is not None), default=None
        )

    def _finish(self, bill: st.Bill, state: str, at: float, reason: str = "") -> None:
        overdue = bill.state == "WAIT_USER_CONFIRM"
        bill.state, bill.updated_at, bill.next_at = state, at, None
        if state != "SUCCESS" and bill.locked:
            self._world.state.balance_fen = self.balance() + int(bill.request["transfer_amount"])
            bill.locked = False
        if state == "FAIL":
            lapsed = "OVERDUE_CLOSE" if overdue else self._world.config.pay_fail_reason
            bill.fail_reason = reason or lapsed
        url = bill.request.get("notify_url") or self._world.config.pay_notify_url
        if url:
            self._outbox.put("notify", url, json.dumps(self._notice(bill), ensure_ascii=False), at)

    def _notice(self, bill: st.Bill) -> dict[str, Any]:
        shown = self._shown(bill)
        plain = {k: v for k, v in shown.items() if k not in ("appid", "transfer_remark")}
        return {"id": self._world.new_id("evt"), "create_time": _iso(bill.updated_at), "plain": plain}

    def seal(self, item: st.Post) -> Sealed:
        """A notification, encrypted and signed anew; its id stays the same."""
        notice = json.loads(item.payload)
        plain = json.dumps(notice.pop("plain"), ensure_ascii=False)
        body = json.dumps({
            **notice, "resource_type": "encrypt-resource", "event_type": "MCHTRANSFER.BILL.FINISHED",
            "summary": "商家转账单据终态通知",
            "resource": pay_crypto.encrypt(self._world.config.apiv3_key, plain, "mch_payment"),
        }, ensure_ascii=False)  # fmt: skip
        headers = {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0", **self.sign(body)}
        return item.url, headers, body.encode()

    # By people

    def confirm(self, out_bill_no: str) -> str:
        """The user taps to take the money; the new state. KeyError: no such bill; ValueError: not waiting."""
        with self._world.lock:
            bill = self._waiting(out_bill_no)
            self._finish(bill, "SUCCESS", self._world.ts())
            return bill.state

    def refuse(self, out_bill_no: str) -> str:
        """The user does not want it: the bill fails. Which reason WeChat gives then is not documented."""
        with self._world.lock:
            bill = self._waiting(out_bill_no)
            self._finish(bill, "FAIL", self._world.ts(), "OTHER_FAIL_REASON_TYPE")
            return bill.state

    def of_package(self, package_info: str) -> dict[str, Any] | None:
        """The bill whose confirmation page that opens, whatever has become of it."""
        with self._world.lock:
            self.settle(self._world.ts())
            bills = self._world.state.bills.values()
            found = next((bill for bill in bills if package_info and bill.package_info == package_info), None)
            return self._shown(found) if found else None

    def _waiting(self, out_bill_no: str) -> st.Bill:
        self.settle(self._world.ts())
        bill = self._world.state.bills[out_bill_no]
        if bill.state != "WAIT_USER_CONFIRM":
            raise ValueError(f"the bill is {bill.state}")
        return bill

    def balance(self) -> int:
        """What the merchant has, fen."""
        kept = self._world.state.balance_fen
        return self._world.config.pay_balance_fen if kept is None else kept

    def set_balance(self, fen: int) -> None:
        with self._world.lock:
            self._world.state.balance_fen = fen

    def bills(self) -> list[dict[str, Any]]:
        with self._world.lock:
            self.settle(self._world.ts())
            return [self._shown(bill) for bill in self._world.state.bills.values()]


def _report(item: Any) -> bool:
    """A scene report entry: a type of at most 15 characters and a content of at most 32."""
    if not isinstance(item, dict):
        return False
    kind, content = item.get("info_type"), item.get("info_content")
    return (
        isinstance(kind, str) and isinstance(content, str) and 0 < len(kind) <= 15 and 0 < len(content) <= 32
    )


def _sameness(given: dict[str, Any]) -> str:
    """What must not differ between two requests of one number; an encrypted name differs each time."""
    return json.dumps({k: v for k, v in given.items() if k != "user_name"}, sort_keys=True)
