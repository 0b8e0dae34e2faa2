"""A phone's browser: headless Chromium, steered by its DevTools protocol (so wide and no wider than a phone)."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import websocket

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AUDIT = Path(__file__).with_name("audit.js")
PATIENCE = 30  # seconds, for a start and for an answer
WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"


class Phone:
    """`with Phone(width=375) as phone: phone.open(url)`. Sizes are CSS pixels; pictures have twice as many."""

    def __init__(
        self,
        width: int,
        height: int = 780,
        dark: bool = False,
        scripts: bool = True,
        desktop: bool = False,
        language: str = "zh-CN",
    ):
        self.language = language
        self.desktop = desktop
        self.size, self.dark, self.scripts, self.calls = (width, height), dark, scripts, 0
        self.events: list[dict[str, Any]] = []  # that came while an answer was waited for

    def __enter__(self) -> "Phone":
        assert PROGRAM is not None
        # Its children may write a moment longer than it lives.
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = self.begin(PROGRAM)
        try:
            self.socket = websocket.create_connection(self.address(), timeout=PATIENCE)
            self.set_up()
        except BaseException:
            self.end()
            raise
        return self

    def begin(self, program: str) -> "subprocess.Popen[bytes]":
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ]
        ports = [
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--user-data-dir={self.folder.name}",
        ]
        return subprocess.Popen(
            [program, *flags, *ports], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def address(self) -> str:
        """Of the first page. It may come later than the port does."""
        told = Path(self.folder.name, "DevToolsActivePort")
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            if told.exists() and "\n" in (text := told.read_text()):
                port = text.splitlines()[0]
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
                    found = [page for page in json.load(answer) if page["type"] == "page"]
                if found:
                    return str(found[0]["webSocketDebuggerUrl"])
            time.sleep(0.05)
        raise AssertionError("Chromium did not start")

    def set_up(self) -> None:
        width, height = self.size
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2,
            mobile=not self.desktop,
        )
        if not self.desktop:
            self.ask("Emulation.setUserAgentOverride", userAgent=WECHAT)
            self.ask("Emulation.setTouchEmulationEnabled", enabled=True)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.enable")
        self.ask("Page.setLifecycleEventsEnabled", enabled=True)
        self.ask("Network.enable")
        self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": self.language})
        self.ask("Log.enable")

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.end()

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.calls += 1
        self.socket.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.calls:
            self.events.append(answer)  # a quick page is there before the answer to its navigation
        assert "error" not in answer, answer
        return dict(answer["result"])

    def open(self, address: str) -> None:
        """Load a page, and wait until it and its pictures are there."""
        self.ask("Emulation.setScriptExecutionDisabled", value=not self.scripts)
        self.events.clear()
        loader = self.ask("Page.navigate", url=address)["loaderId"]
        while not any(self.is_load(event, loader) for event in self.events):
            self.events.append(json.loads(self.socket.recv()))

    def loaded(self, seconds: float = PATIENCE) -> bool:
        """Wait until the page that a press leads to is there; whether it is in time."""
        deadline = time.monotonic() + seconds
        try:
            while not any(event["method"] == "Page.loadEventFired" for event in self.events):
                self.socket.settimeout(max(0.01, deadline - time.monotonic()))
                self.events.append(json.loads(self.socket.recv()))
        except websocket.WebSocketTimeoutException:
            return False
        finally:
            self.socket.settimeout(PATIENCE)
        return True

    @staticmethod
    def is_load(event: dict[str, Any], loader: str) -> bool:
        """Whether it tells that this very navigation, and no page before it, is loaded."""
        told = event.get("params", {})
        return (event.get("method"), told.get("name"), told.get("loaderId")) == (
            "Page.lifecycleEvent",
            "load",
            loader,
        )

    def value(self, expression: str) -> Any:
        """What a JavaScript expression says of the page (it runs even where the page's own scripts may not)."""
        self.ask("Emulation.setScriptExecutionDisabled", value=False)
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def audit(self) -> list[str]:
        """What is wrong with the page: overflow, contrast, targets, languages; and what its policy had to stop."""
        return [*map(str, self.value(AUDIT.read_text(encoding="utf-8"))), *self.complaints()]

    def complaints(self) -> list[str]:
        """What the browser itself complains of."""
        logged = [event["params"]["entry"] for event in self.events if event["method"] == "Log.entryAdded"]
        return [entry["text"] for entry in logged]

    def requested(self) -> list[str]:
        """The addresses that the page asked for, its own first."""
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        # The browser's own first page may be loading still.
        return [one["request"]["url"] for one in sent if one["request"]["url"].startswith("http")]

    def picture(self, path: Path) -> Path:
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))
        return path
