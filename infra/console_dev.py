"""`python -m infra.console_dev --stack http://127.0.0.1:8101 --port 8191`: the console while it is worked on.

Built anew when a source file has changed and the page is loaded; what is wrong with it is said in the
terminal, and on the page when nothing can be built. All else is passed on to a running stack.
"""

import argparse
import contextlib
import html
import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from chalicelib.console import pages
from chalicelib.platform import messages
from infra import console
from infra.build import source_files
from infra.console.sources import SOURCE

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
FORWARDED = ("/console/session", "/console/login")


class Console:
    """The files of the last build that worked, and of those before, which an open page may still ask for."""

    def __init__(self) -> None:
        self.lock, self.state = threading.Lock(), ""
        self.files: dict[str, bytes] = {}
        self.pages: dict[str, str] = {}
        self.failure = ""

    def build(self) -> None:
        with self.lock:
            state = str([(str(path), path.stat().st_mtime_ns) for path in source_files(SOURCE)])
            if state == self.state:
                return
            began, self.state = time.monotonic(), state
            try:
                built = console.build(lenient=True, development=True)
            except console.Failed as failed:
                self.failure = str(failed)
                print(f"\n{failed}", flush=True)
                return
            self.failure = ""
            self.files |= built.files
            self.pages = built.pages
            print(f"built in {time.monotonic() - began:.1f} s", flush=True)
            if built.problems:
                print(f"`make package` would refuse this:\n{console.Failed(built.problems)}", flush=True)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    console: Console
    stack: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the stack has its logs."""

    def handle_any(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.command == "GET" and path.startswith("/console/assets/"):
            return self.asset(path.rpartition("/")[2])
        is_screen = path == "/console" or path.startswith("/console/")
        if self.command == "GET" and is_screen and not path.startswith(FORWARDED):
            return self.page()
        return self.forward(body)

    def asset(self, name: str) -> None:
        content, kind = self.console.files.get(name), pages.TYPES.get("." + name.rpartition(".")[2], "")
        if content is None:
            return self.reply(404, {}, b"")
        return self.reply(200, pages.asset_headers(kind), content)

    def page(self) -> None:
        self.console.build()
        if self.console.failure:
            text = f"<!doctype html><meta charset=utf-8><pre>{html.escape(self.console.failure)}</pre>"
            return self.reply(500, {"Content-Type": "text/html"}, text.encode())
        language = messages.language(self.headers.get("accept-language"))
        return self.reply(200, pages.page_headers(), self.console.pages[language].encode())

    def forward(self, body: bytes) -> None:
        to = urlsplit(self.stack)
        connection = http.client.HTTPConnection(to.hostname or "", to.port or 80, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        if body:
            headers["Content-Length"] = str(len(body))
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            return self.reply(502, {"Content-Type": "text/plain"}, f"the stack: {error}".encode())
        finally:
            connection.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
        return self.reply(answer.status, kept, content)

    def reply(self, status: int, headers: Any, content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items() if isinstance(headers, dict) else headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(content)


def serve(stack: str, port: int) -> ThreadingHTTPServer:
    """A server that is not running yet; port 0: any."""
    handler = type("ConsoleHandler", (Handler,), {"console": Console(), "stack": stack})
    ThreadingHTTPServer.daemon_threads = True
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Serve the console from its sources, before a running stack."
    )
    parser.add_argument("--stack", default="http://127.0.0.1:8000", help="where `make run` is")
    parser.add_argument("--port", type=int, default=8190)
    given = parser.parse_args()
    server = serve(given.stack, given.port)
    server.RequestHandlerClass.console.build()  # type: ignore[attr-defined]
    print(f"http://127.0.0.1:{server.server_port}/console", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(0.1)


if __name__ == "__main__":
    main()
