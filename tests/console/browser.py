"""A person at the console: Chromium by playwright, what it complained about, and waiting without `eval`.

The console's policy forbids what playwright's own `wait_for_function` does, so states are polled.
"""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8")
PATIENCE = 45.0  # seconds: a function of the local stack starts cold, and a poster is drawn
_BUSY = """(() => {
  if (!document.querySelector("#app > :not(.boot)")) return "nothing is shown";
  if (document.querySelector(".skeleton, .shell-progress, main[aria-busy=true]")) return "it is loading";
  return "";
})()"""
# What people called things is no word of ours: names and texts of the API's answers, for looks.js.
_REMEMBER = """(() => {
  window.told = new Set();
  const named = /(^|_)(name|title|text|subtitle|remark|note|address|city|user|caption|description|alias|aliase)s?$/;
  const walk = (value, name) => {
    if (typeof value === "string") { if (named.test(name) && value.length > 1) window.told.add(value.trim()); }
    else if (Array.isArray(value)) value.forEach((one) => walk(one, name));
    else if (value) for (const [key, one] of Object.entries(value)) walk(one, key);
  };
  const json = Response.prototype.json;
  Response.prototype.json = async function () { const told = await json.call(this); walk(told, ""); return told; };
})()"""
_FOLLOW = """(href) => {
  const link = Object.assign(document.createElement("a"), { href });
  document.querySelector("#app").append(link);
  link.click();
  link.remove();
}"""
_EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4(01|04|09|22)")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Seat:
    """A browser window of one person. `complaints`: what its console said, and what the policy stopped."""

    def __init__(
        self, browser: Browser, base: str, size: str = "desktop", dark: bool = False, language: str = "zh"
    ):
        width, height = SIZES[size]
        self.base, self.complaints, self.language = base, list[str](), language
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale={"zh": "zh-CN", "en": "en-GB"}[language],
            timezone_id="Asia/Shanghai",
            has_touch=size == "phone",
            reduced_motion="reduce",
        )
        self.context.add_init_script(_REMEMBER)
        self.asking = 0
        self.page = self.tab()

    def tab(self) -> Page:
        """Another page of the same window."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", lambda request: self._count(1))
        page.on("requestfinished", lambda request: self._count(-1))
        page.on("requestfailed", lambda request: self._count(-1))
        return page

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and not _EXPECTED.match(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def _count(self, step: int) -> None:
        self.asking += step

    def sign_in(self, key: str) -> "Seat":
        """By the door, not by the form: that has a test of its own."""
        answer = self.context.request.post(f"{self.base}/console/session", data={"key": key})
        assert answer.status == 204, answer.text()
        return self

    def open(self, path: str) -> "Seat":
        """A screen by its address below /console, once it shows what it has."""
        self.page.goto(f"{self.base}/console{path if path != '/' else ''}", wait_until="commit")
        return self.settle()

    def go(self, path: str) -> "Seat":
        """A screen as a link leads to it: the console stays loaded, if it is."""
        if not self.page.url.startswith(f"{self.base}/console"):
            return self.open(path)
        self.page.evaluate(_FOLLOW, f"/console{path if path != '/' else ''}")
        self.at(path if path != "/" else "")
        return self.settle()

    def resize(self, size: str) -> "Seat":
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})
        return self

    def settle(self) -> "Seat":
        """Until nothing is loading, twice in a row."""
        quiet = 0

        def is_quiet() -> bool:
            nonlocal quiet
            busy = self.page.evaluate(_BUSY) or ("it asks" if self.asking > 0 else "")
            quiet = 0 if busy else quiet + 1
            return quiet > 1

        self.until(is_quiet, "the screen does not come to rest")
        return self

    def until(self, done: Callable[[], Any], otherwise: str) -> Any:
        """Until `done()` is truthy; answers it. AssertionError says `otherwise`, and where."""
        deadline = time.monotonic() + PATIENCE
        while not (found := done()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise}, at {self.page.url}; {self.complaints[-3:]}")
            self.page.wait_for_timeout(40)
        return found

    def sees(self, text: str) -> None:
        """Until the text is somewhere in the page."""
        self.until(lambda: text in self.page.inner_text("body"), f"no {text!r}")

    def at(self, path: str) -> None:
        """Until the address is this one below /console."""
        self.until(lambda: self.page.url == f"{self.base}/console{path}", f"not at {path}")

    def looks(self) -> list[str]:
        """What is wrong with the screen as it stands (looks.js)."""
        return list(self.page.evaluate(LOOKS))

    def close(self) -> None:
        self.context.close()
