"""The HTTP side: one threading server, keep-alive, for WeCom's API, WeChat Pay, pictures, pages and control.

Each service call passes the faults first, is answered, and is recorded as it was answered.
"""

import contextlib
import json
import socket
import sys
import time
import traceback
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from infra.sandbox import ad_platforms, official_account, pages
from infra.sandbox.api import PREFIX, parsed
from infra.sandbox.endpoint import Download
from infra.sandbox.errors import ApiError
from infra.sandbox.faults import Fault
from infra.sandbox.wechatpay import PayRequest

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

_MOST_BODY = 64 << 20
_OWN = (
    PREFIX,
    "/v3/",
    ad_platforms.PREFIX,
    "/sns/",
    "/_sandbox",
    "/local/",
)  # no phone of the network may ask these
Answer = tuple[int, "dict[str, Any] | Download"]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], sandbox: "Sandbox") -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close(self) -> None:
        """Stop listening and drop the connections that callers keep alive."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # the caller was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: headers and body in two would wait for each other's ACK
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the recorder has it all."""

    def do_GET(self) -> None:
        self._handle()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET

    def _handle(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        length = self.headers.get("content-length") or "0"
        size = int(length) if length.isdecimal() and len(length) < 12 else _MOST_BODY + 1
        if size > _MOST_BODY:
            self.close_connection = True
            self._reply(413, b"", "text/plain")
            return
        raw = self.rfile.read(size)
        self.server.sandbox.changes += self.command != "GET" or self.path.startswith(PREFIX)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        if self.client_address[0] != "127.0.0.1" and parts.path.startswith(_OWN):
            self._json(403, {"error": "only on the machine itself"})
        elif parts.path.startswith(PREFIX):
            self._service("wecom", parts.path, query, raw)
        elif parts.path.startswith("/v3/"):
            self._service("wechatpay", parts.path, query, raw)
        elif parts.path.startswith(ad_platforms.PREFIX):
            self._service("ads", parts.path, query, raw)
        elif parts.path.startswith(official_account.PREFIX):
            self._service("wechat", parts.path, query, raw)
        elif parts.path.startswith("/_sandbox"):
            status, answer = self.server.sandbox.control.answer(self.command, parts.path, query, raw)
            self._json(status, answer)
        elif parts.path == "/local/sandbox":  # as the local stack has it
            self._json(200, self.server.sandbox.sdk_settings())
        else:
            method, cookie = (
                "GET" if self.command == "HEAD" else self.command,
                self.headers.get("cookie") or "",
            )
            self._reply(*pages.answer(self.server.sandbox, method, parts.path, query, raw, cookie))

    # A call to one of the services

    def _service(self, service: str, path: str, query: dict[str, str], raw: bytes) -> None:
        sandbox, at = self.server.sandbox, self.server.sandbox.config.now()
        faults = sandbox.faults.take(path)
        latency = sum(fault.value for fault in faults if fault.kind == "latency")
        hit = next((fault for fault in faults if fault.kind != "latency"), None)
        work = hit is None or hit.kind == "lost" or hit.after
        if service != "wecom" or not work:
            time.sleep(latency)
            latency = 0.0
        status, answer = self._work(service, path, query, raw, latency) if work else (200, {})
        if hit is not None and hit.kind in ("errcode", "status"):
            status, answer = fault_answer(hit, service)
        dropped = hit is not None and hit.kind in ("lost", "drop")
        body = parsed(raw)
        shown = {"bytes": len(answer.data)} if isinstance(answer, Download) else answer
        sandbox.recorder.add(
            at,
            service,
            self.command,
            path,
            query,
            body,
            None if dropped else status,
            None if dropped else shown,
        )
        if dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif isinstance(answer, Download):
            name = urllib.parse.quote(answer.filename)
            headers = {"Content-disposition": f'attachment; filename="{name}"'}
            self._reply(status, answer.data, answer.content_type, headers)
        else:
            self._json(status, answer, signed=service == "wechatpay")

    def _work(self, service: str, path: str, query: dict[str, str], raw: bytes, latency: float) -> Answer:
        """What the service answers. A mistake of ours is a WeCom that is out of order, and is told here."""
        try:
            return self._answer_of(service, path, query, raw, latency)
        except Exception:
            if service != "wecom":
                raise
            traceback.print_exc()
            return 200, ApiError(-1).answer(self.client_address[0], time.time())

    def _answer_of(
        self, service: str, path: str, query: dict[str, str], raw: bytes, latency: float
    ) -> Answer:
        sandbox, ip = self.server.sandbox, self.client_address[0]
        if service == "wechatpay":
            return sandbox.pay.answer(PayRequest(self.command, self.path, self._headers(), raw))
        if service == "ads":
            return ad_platforms.answer(sandbox.world, self.command, path, query, self._headers(), raw)
        if service == "wechat":
            return 200, official_account.answer(sandbox, path, query)
        content_type = self.headers.get("content-type") or ""
        return sandbox.wecom.limits.around(
            path, ip, lambda: sandbox.wecom.answer(self.command, path, query, content_type, raw, ip), latency
        )

    def _json(self, status: int, answer: Any, signed: bool = False) -> None:
        text = json.dumps(answer, ensure_ascii=False)
        headers = self.server.sandbox.pay.sign_for(self._headers(), text) if signed else {}
        self._reply(status, text.encode(), "application/json; charset=UTF-8", headers)

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _reply(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def fault_answer(fault: Fault, service: str) -> tuple[int, dict[str, Any]]:
    """What a switched-on error looks like."""
    if fault.kind == "errcode":
        return 200, ApiError(int(fault.value)).answer()
    if service == "wechatpay":
        return int(fault.value), {"code": fault.code, "message": "a fault of the sandbox"}
    return int(fault.value), {}
