"""`python -m infra.sandbox` runs a sandbox; with a sub-command it tells a running one what to do."""

import argparse
import json
import signal
import sys
import threading
import urllib.error
import urllib.request
from typing import Any

from infra.sandbox import Config, Sandbox
from infra.sandbox.faults import KINDS


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--callback-url", default="", help="where events are posted")
    parser.add_argument("--mall-url", default="", help="the order door")
    parser.add_argument("--state", default="", help="JSON file that keeps the world between runs")
    parser.add_argument("--strict", action="store_true", help="refuse staff ids that nobody has")
    parser.add_argument("--url", default="", help="the running sandbox (default: at --port)")
    commands = parser.add_subparsers(dest="command")
    fault = commands.add_parser("fault", help="switch a fault on")
    fault.add_argument("path", help="part of the paths it hits, e.g. mark_tag")
    fault.add_argument("kind", choices=KINDS)
    fault.add_argument("value", type=float, nargs="?", default=0, help="errcode, status or seconds")
    fault.add_argument("--times", type=int, default=1, help="0: until it is cleared")
    fault.add_argument("--probability", type=float, default=1.0)
    fault.add_argument("--after", action="store_true", help="only after the work was done")
    fault.add_argument("--code", default="SYSTEM_ERROR", help="WeChat Pay's code for kind status")
    commands.add_parser("faults", help="list the faults")
    commands.add_parser("clear", help="switch all faults off")
    tokens = commands.add_parser("kill-tokens", help="end all access tokens early")
    tokens.add_argument("how", choices=("expired", "invalid"))
    setting = commands.add_parser("set", help="change a setting, e.g. rate_per_minute 5")
    setting.add_argument("name")
    setting.add_argument("value", help="as JSON, or plain text")
    send = commands.add_parser(
        "do", help='any call of the control API, e.g. do POST add \'{"staff_id": "lihua"}\''
    )
    send.add_argument("method", choices=("GET", "POST", "DELETE"))
    send.add_argument("what")
    send.add_argument("body", nargs="?", default="")
    return parser


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def request_of(given: argparse.Namespace) -> tuple[str, str, Any]:
    """The control call that a sub-command stands for: method, path, body."""
    match given.command:
        case "fault":
            names = ("path", "kind", "value", "probability", "after", "code")
            return "POST", "faults", {**{n: getattr(given, n) for n in names}, "times": given.times or None}
        case "faults":
            return "GET", "faults", None
        case "clear":
            return "DELETE", "faults", None
        case "kill-tokens":
            return "POST", "tokens", {"how": given.how}
        case "set":
            return "POST", "settings", {given.name: _json_or_text(given.value)}
    return given.method, given.what, json.loads(given.body) if given.body else None


def _send(given: argparse.Namespace) -> int:
    method, path, body = request_of(given)
    base = given.url or f"http://127.0.0.1:{given.port}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{base}/_sandbox/{path}", data, method=method)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            print(json.dumps(json.load(answer), ensure_ascii=False, indent=2))
    except urllib.error.HTTPError as error:
        print(error.read().decode(), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"no sandbox at {base}: {error}", file=sys.stderr)
        return 1
    return 0


def _run(given: argparse.Namespace) -> int:
    config = Config(
        callback_url=given.callback_url,
        mall_order_url=given.mall_url,
        state_path=given.state,
        strict=given.strict,
    )
    sandbox, done = Sandbox(config), threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: done.set())
    print(f"ready {sandbox.start(given.port)}", flush=True)
    done.wait()
    sandbox.stop()
    return 0


def main(arguments: list[str] | None = None) -> int:
    given = _arguments().parse_args(arguments)
    return _send(given) if given.command else _run(given)


if __name__ == "__main__":
    sys.exit(main())
