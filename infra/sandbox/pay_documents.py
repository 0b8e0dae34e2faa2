"""WeChat Pay's documents: the platform's certificate, and receipts of transfers 电子回单 (elecsign).

A merchant of today verifies with the platform's public key; one of before with a certificate. This one may
do either: an answer is signed under the name that the request's Wechatpay-Serial asks for; without one under
the public key's, but under the certificate's once it was fetched. Notices bear the public key's. Both have
one key.
"""

import hashlib
import io
import json
from datetime import datetime, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from chalicelib.platform.clock import SHANGHAI
from infra.sandbox import pay_crypto
from infra.sandbox import state as st
from infra.sandbox.config import Config
from infra.sandbox.endpoint import Download
from infra.sandbox.outbox import Outbox
from infra.sandbox.wechatpay import PayError, PayRequest, WechatPay
from infra.sandbox.world import World, digest

_CERTIFICATES = "/v3/certificates"
_ELECSIGN = "/v3/fund-app/mch-transfer/elecsign"
_FILE = "/v3/transferdownload/elecvoucherfile"
_MAKING = 5  # seconds
_VALID = (datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2046, 1, 1, tzinfo=timezone.utc))
_FONT = "STSong-Light"


def certificate(config: Config) -> x509.Certificate:
    """The platform's: the same whenever it is made of the same key."""
    key = pay_crypto.private_key(config.platform_private_key)
    serial = int(digest("certificate", config.platform_public_key)[:40], 16) >> 1 | 1 << 158  # no zero leads
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com Sandbox")])
    made = x509.CertificateBuilder(name, name, key.public_key(), serial, *_VALID)
    return made.sign(key, hashes.SHA256())


def serial_of(config: Config) -> str:
    return f"{certificate(config).serial_number:040X}"


class PayWithDocuments(WechatPay):
    def __init__(self, world: World, outbox: Outbox) -> None:
        super().__init__(world, outbox)
        self._serial = serial_of(world.config)
        self._fetched = False  # somebody verifies with the certificate

    def answer(self, request: PayRequest) -> tuple[int, Any]:
        """As WechatPay's; a receipt's file is a Download."""
        path, _, query = request.target.partition("?")
        if path != _FILE:
            return super().answer(request)
        try:
            self._authenticate(request)
            with self._world.lock:
                return 200, self._file(query.removeprefix("token="))
        except PayError as error:
            return error.status, {"code": error.code, "message": error.message}

    def sign_for(self, headers: dict[str, str], body: str) -> dict[str, str]:
        """The headers of an answer, in the name that the caller can verify."""
        config = self._world.config
        usual = self._serial if self._fetched else config.public_key_id
        name = (
            self._serial if headers.get("wechatpay-serial", usual) == self._serial else config.public_key_id
        )
        return pay_crypto.signed_headers(self._platform, name, self._world.ts(), body)

    def _route(self, request: PayRequest) -> dict[str, Any]:
        path = request.target.partition("?")[0]
        if (request.method, path) == ("GET", _CERTIFICATES):
            return self._certificates()
        if not path.startswith(_ELECSIGN):
            return super()._route(request)
        rest = path.removeprefix(_ELECSIGN).strip("/").split("/")
        match (request.method, *rest):
            case ("POST", "out-bill-no" | "transfer-bill-no" as kind):
                return self._apply(self._named(kind, _number(request.body, kind.replace("-", "_"))))
            case ("GET", "out-bill-no" | "transfer-bill-no" as kind, number):
                return self._receipt(self._named(kind, number))
        raise PayError(404, "RESOURCE_NOT_EXISTS", "no such resource")

    def _check_name(self, name: Any, amount: int, headers: dict[str, str]) -> None:
        """A name may also be encrypted with the certificate's key, which is the same."""
        if headers.get("wechatpay-serial") == self._serial:
            headers = {**headers, "wechatpay-serial": self._world.config.public_key_id}
        super()._check_name(name, amount, headers)

    def _certificates(self) -> dict[str, Any]:
        config, self._fetched = self._world.config, True
        pem = certificate(config).public_bytes(serialization.Encoding.PEM).decode()
        sealed = pay_crypto.encrypt(config.apiv3_key, pem, "certificate")
        names = ("algorithm", "nonce", "associated_data", "ciphertext")
        first, last = (moment.astimezone(SHANGHAI).isoformat() for moment in _VALID)
        row = {"serial_no": self._serial, "effective_time": first, "expire_time": last}
        return {"data": [{**row, "encrypt_certificate": {name: sealed[name] for name in names}}]}

    # Receipts

    def _named(self, kind: str, number: str) -> st.Bill:
        if kind == "out-bill-no":
            return self._bill(number)
        bills = self._world.state.bills.values()
        return next((b for b in bills if b.transfer_bill_no == number), None) or self._bill("")

    def _apply(self, bill: st.Bill) -> dict[str, Any]:
        """Of a transfer that was paid to somebody by name; once."""
        receipts, now = self._world.state.receipts, self._world.ts()
        if bill.state != "SUCCESS" or not bill.request.get("user_name"):
            raise PayError(
                400, "INVALID_REQUEST", "a receipt is for transfers that were paid, with user_name"
            )
        if bill.out_bill_no in receipts:
            raise PayError(400, "ALREADY_EXISTS", "this receipt was asked for")
        receipts[bill.out_bill_no] = {"at": now, "token": digest("receipt", bill.out_bill_no)}
        return {"state": "GENERATING", "create_time": _iso(now)}

    def _receipt(self, bill: st.Bill) -> dict[str, Any]:
        known = self._world.state.receipts.get(bill.out_bill_no)
        if known is None:
            raise PayError(404, "NOT_FOUND", "no receipt was asked for")
        shown = {"create_time": _iso(known["at"]), "update_time": _iso(known["at"] + _MAKING)}
        if self._world.ts() < known["at"] + _MAKING:
            return {"state": "GENERATING", "create_time": shown["create_time"]}
        url = f"{self._world.base_url}{_FILE}?token={known['token']}"
        value = hashlib.sha256(_pdf(self._world.config, bill)).hexdigest()
        return {"state": "FINISHED", **shown, "hash_type": "SHA256", "hash_value": value, "download_url": url}

    def _file(self, token: str) -> Download:
        for number, known in self._world.state.receipts.items():
            if known["token"] == token:
                data = _pdf(self._world.config, self._world.state.bills[number])
                return Download(data, f"{number}.pdf", "application/pdf")
        raise PayError(404, "NOT_FOUND", "no such file")


def _number(body: bytes, name: str) -> str:
    try:
        number = json.loads(body)[name]
    except (ValueError, TypeError, KeyError) as error:
        raise PayError(400, "PARAM_ERROR", f"{name} is missing") from error
    if not isinstance(number, str):
        raise PayError(400, "PARAM_ERROR", f"{name} must be text")
    return number


def _iso(ts: float) -> str:
    return datetime.fromtimestamp(ts, SHANGHAI).isoformat(timespec="seconds")


def _pdf(config: Config, bill: st.Bill) -> bytes:
    """A receipt to look at; byte for byte the same each time, since its hash is told."""
    from reportlab.lib.pagesizes import A5, landscape  # slow to import, and hardly ever needed
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    held = io.BytesIO()
    canvas = Canvas(held, landscape(A5), invariant=True)
    width, height = landscape(A5)
    canvas.setTitle(f"转账电子回单 {bill.out_bill_no}")
    canvas.setFont(_FONT, 20)
    canvas.drawCentredString(width / 2, height - 60, "微信支付 转账电子回单（沙箱）")
    canvas.setFont(_FONT, 11)
    rows = (
        ("商户号", config.mch_id), ("商户单号", bill.out_bill_no), ("微信转账单号", bill.transfer_bill_no),
        ("收款用户", bill.request["openid"]), ("金额", f"¥{bill.request['transfer_amount'] / 100:,.2f}"),
        ("转账备注", bill.request["transfer_remark"]), ("到账时间", _iso(bill.updated_at)),
    )  # fmt: skip
    for line, (name, value) in enumerate(rows):
        canvas.drawString(60, height - 110 - 26 * line, name)
        canvas.drawString(160, height - 110 - 26 * line, str(value))
    canvas.save()
    return held.getvalue()
