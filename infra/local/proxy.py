"""The public door: HTTP on one port, passed on to API Gateway as it came; `/local/…` is the launcher's own.

Nothing of the product is here. Bodies, queries and headers go through as bytes and text, so that a
signature over them holds.
"""

import gzip
import http.client
import json
import re
import socket
import sys
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_BODY = 10 * 1024 * 1024  # API Gateway's
MAX_PAYLOAD = 6 * 1024 * 1024  # Lambda's, either way; a request's body is in it as base64
COMPRESSED_FROM = 4096  # bytes; .chalice/config.json
SECONDS = 29  # API Gateway's, for an answer
OWN = ("/local/", "/_sandbox")  # what no phone of the network may ask, LAN=1 or not
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
}
Answer = tuple[int, list[tuple[str, str]], bytes]


@dataclass(frozen=True)
class Upstream:
    host: str
    port: int
    prefix: str = ""
    seconds: int = 60


class Proxy(ThreadingHTTPServer):
    """Behind a bound socket. `local` answers (method, path, query, body) under /local/; `observe` hears
    callbacks first.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self,
        door: socket.socket,
        api: Upstream,
        sandbox: Upstream,
        local: Callable[[str, str, dict[str, str], bytes], tuple[int, Any]],
        observe: Callable[[dict[str, str], bytes], object],
    ):
        self.api, self.sandbox, self.local, self.observe = api, sandbox, local, observe
        self.idle: dict[str, list[http.client.HTTPConnection]] = {api.prefix: [], sandbox.prefix: []}
        super().__init__(door.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = door
        self.server_activate()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Proxy

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # any method: API Gateway decides
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the functions have their logs."""

    def parse_request(self) -> bool:
        """Bytes of Chinese in an address are taken as percent-encoded; some are spaces to Latin-1."""
        self.raw_requestline = re.sub(
            rb"[\x80-\xff]", lambda byte: b"%%%02X" % ord(byte[0]), self.raw_requestline
        )
        return super().parse_request()

    def handle_any(self) -> None:
        size = self.headers.get("content-length") or "0"
        if "transfer-encoding" in self.headers or not size.isdigit():
            self.close_connection = True
            return self.reply(problem(411, "Length Required", "send a Content-Length"))
        if int(size) > MAX_BODY:
            self.close_connection = True
            return self.reply(problem(413, "Content Too Large", "the body is too large"))
        body = self.rfile.read(int(size))
        path, _, query = self.path.partition("?")
        if path.startswith(OWN) and self.client_address[0] != "127.0.0.1":
            return self.reply(problem(403, "Forbidden", "only on the machine itself"))
        if path.startswith("/local/"):
            return self.reply(self.local_answer(path, query, body))
        if path == "/_sandbox" or path.startswith("/_sandbox/"):
            return self.reply(self.forward(self.server.sandbox, body))
        if path == "/wecom/callback" and self.command == "POST":
            self.server.observe(dict(urllib.parse.parse_qsl(query)), body)
        return self.reply(self.invoke(body))

    def local_answer(self, path: str, query: str, body: bytes) -> Answer:
        status, answer = self.server.local(self.command, path, dict(urllib.parse.parse_qsl(query)), body)
        if status >= 400:
            return problem(status, http.client.responses[status], str(answer))
        return status, [("Content-Type", "application/json")], json.dumps(answer, ensure_ascii=False).encode()

    def invoke(self, body: bytes) -> Answer:
        """The API's answer, within the limits that AWS has and the emulator has not."""
        if len(body) * 4 // 3 > MAX_PAYLOAD:
            return problem(413, "Content Too Large", "the body is too large")
        answer = self.forward(self.server.api, body)
        if len(answer[2]) > MAX_PAYLOAD:
            return problem(502, "Bad Gateway", "the answer is over Lambda's 6 MB")
        return self.compressed(answer)

    def compressed(self, answer: Answer) -> Answer:
        """As API Gateway answers who takes gzip (MinimumCompressionSize), which the emulator does not."""
        status, headers, content = answer
        taken = "gzip" in (self.headers.get("accept-encoding") or "")
        if (
            not taken
            or len(content) < COMPRESSED_FROM
            or any(n.lower() == "content-encoding" for n, _ in headers)
        ):
            return answer
        return status, [*headers, ("Content-Encoding", "gzip")], gzip.compress(content, 6, mtime=0)

    def forward(self, to: Upstream, body: bytes) -> Answer:
        """The request as it came to another server, once more if a kept connection had gone stale."""
        path, question, query = self.path.partition("?")
        if to is self.server.api:  # a REST API hands the path on as it came; the emulator decodes it
            path = path.replace("%", "%25")
        target = to.prefix + path + question + query
        headers = [(k, v) for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP]
        names = {k.lower() for k, _ in headers}
        if "accept" not in names:
            headers.append(("Accept", "*/*"))
        # The emulator takes `sourceIp` from this header; on AWS it is the connection's own.
        headers = [(k, v) for k, v in headers if k.lower() != "x-forwarded-for"]
        headers.append(("X-Forwarded-For", self.client_address[0]))
        for last in (False, True):
            try:
                return self.exchange(to, target, headers, body)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                if last:
                    break
                self.server.idle[to.prefix].clear()  # the others have gone stale as well
            except TimeoutError:
                return problem(504, "Gateway Timeout", f"no answer within {to.seconds} s")
            except (OSError, http.client.HTTPException):
                break
        return problem(502, "Bad Gateway", "the stack does not answer")

    def exchange(self, to: Upstream, target: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        idle = self.server.idle[to.prefix]  # kept whoever asks: WeCom opens a new one for each callback
        try:
            connection = idle.pop()
        except IndexError:
            connection = http.client.HTTPConnection(to.host, to.port, timeout=to.seconds)
        try:
            connection.putrequest(self.command, target, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode("latin-1"))
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
        except BaseException:
            connection.close()
            raise
        idle.append(connection)
        return (
            response.status,
            [(k, v) for k, v in response.getheaders() if k.lower() not in HOP_BY_HOP],
            content,
        )

    def reply(self, answer: Answer) -> None:
        status, headers, content = answer
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD" and status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)


def problem(status: int, title: str, detail: str) -> Answer:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return status, [("Content-Type", "application/problem+json")], json.dumps(body).encode()
