"""`python -m infra.local`: the whole product on this machine, deployed into an embedded AWS.

Starts the emulator and the sandbox, deploys the package, opens the public door, and prints
`ready URL` when a request has been answered. Stops all of it on SIGINT, SIGTERM or SIGHUP.
"""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from infra import build
from infra.local import demo, settings, snapshots
from infra.local.settings import REGION, STACK

EMULATOR = build.ROOT / ".venv-ministack" / "bin" / "python"


TO_END = 3.0  # seconds for the emulator to end by itself: what is to be kept is saved before


class Stopped:
    """Whether a signal has come; a second Ctrl+C ends all at once (a closing terminal may say two others).

    It may interrupt the first one's handler: an Event would deadlock.
    """

    def __init__(self) -> None:
        self.asked = False
        self.emulator: subprocess.Popen[bytes] | None = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, number: int, _: object) -> None:
        if self.asked and number == signal.SIGINT:
            if self.emulator is not None:
                kill_all(self.emulator)
            os._exit(130)
        self.asked = True

    def is_set(self) -> bool:
        return self.asked


def main() -> None:
    stopped = Stopped()
    with ExitStack() as cleanup:
        data = data_folder(cleanup)
        mine = alone(data, 60, stopped)
        snapshots.prepare(data)
        os.environ["MILLRACE_CLOCK_FILE"] = str(data / "clock")
        if plays_demo(data):
            (data / "clock").write_text(str(-86_400 * demo.DAYS))  # it ends at the present
        public = settings.port(os.environ)
        door = cleanup.enter_context(hold(public))
        ports = settings.choose_ports(public, data)
        elsewhere = os.environ.pop("AWS_ENDPOINT_URL", "")
        emulator = None if elsewhere else start_emulator(data, ports.emulator, mine, cleanup)
        endpoint = elsewhere or f"http://127.0.0.1:{ports.emulator}"
        stopped.emulator = emulator
        start(data, ports, door, endpoint, not elsewhere, cleanup, stopped)
        while not stopped.is_set():
            time.sleep(0.2)
            if emulator is not None and emulator.poll() is not None:
                sys.exit(f"the emulator ended by itself, see {data / 'emulator.log'}")
        print("stopping; once more: at once", file=sys.stderr)


def plays_demo(data: Path) -> bool:
    """Whether the demo is to be played: into what is new alone, since it begins ten days ago."""
    return bool(os.environ.get("DEMO")) and snapshots.is_new(data)


def hold(port: int) -> socket.socket:
    """Take the port, so that nobody else gets it while we start; it listens when there is one to answer."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind(("0.0.0.0" if settings.is_lan(os.environ) else "127.0.0.1", port))  # noqa: S104
    except OSError:
        sys.exit(f"the port {port} is in use")
    return door


def data_folder(cleanup: ExitStack) -> Path:
    """`DATA_DIR`, kept; or a folder that goes when we do."""
    if os.environ.get("DATA_DIR"):
        data = Path(os.environ["DATA_DIR"]).resolve()
        data.mkdir(parents=True, exist_ok=True)
        return data
    data = Path(tempfile.mkdtemp(prefix="millrace-"))
    cleanup.callback(remove, data)
    return data


def alone(data: Path, seconds: float, stopped: Stopped) -> IO[bytes]:
    """Hold the folder. A launcher that was killed has left an emulator behind that still saves its state
    there: what is handed on to it is held until it has ended. SystemExit when others have it for longer.
    """
    held, deadline = (data / "lock").open("ab"), time.monotonic() + seconds
    while not stopped.is_set():
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                sys.exit(f"another local stack is using {data}")
            time.sleep(0.05)
    return held


def start_emulator(data: Path, port: int, held: IO[bytes], cleanup: ExitStack) -> "subprocess.Popen[bytes]":
    """Start MiniStack. It ends when its standard input closes, however we end; `held` is free when it has."""
    work = data / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(work),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AUTH": "true",
        "PERSIST_STATE": "1" if os.environ.get("DATA_DIR") else "0",
        "STATE_DIR": str(data / "state" / "emulator"),
        "CODE_DIR": str(data / "code"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "MILLRACE_CLOCK_FILE": os.environ["MILLRACE_CLOCK_FILE"],  # the functions inherit it
    }
    command = [str(EMULATOR), str(Path(__file__).with_name("emulator.py"))]
    with (data / "emulator.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(held.fileno(),),
        )
    cleanup.callback(remove, work)
    cleanup.callback(stop, process)
    return process


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(TO_END)
    kill_all(process)
    process.wait()


def kill_all(process: "subprocess.Popen[bytes]") -> None:
    """The emulator with its workers: they are a group of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def remove(folder: Path) -> None:
    """Thousands of unpacked files: `rm` takes a fraction of what Python's own takes."""
    subprocess.run(["rm", "-rf", str(folder)], check=False)


def start(
    data: Path,
    ports: settings.Ports,
    door: socket.socket,
    endpoint: str,
    embedded: bool,
    cleanup: ExitStack,
    stopped: Stopped,
) -> None:
    """Everything but the emulator; prints `ready` at the end."""
    from infra import package  # what is slow to import comes while the emulator starts
    from infra.local import alarms, people
    from infra.local.deploy import Account
    from infra.local.moves import Mover
    from infra.local.proxy import SECONDS, Proxy, Upstream
    from infra.sandbox import Sandbox

    public = f"http://127.0.0.1:{ports.public}"
    config = settings.sandbox_config(public, data, os.environ)
    sandbox = Sandbox(config)
    if embedded:
        config.state_path = ""  # it is saved with the emulator's
    here = settings.own_address(os.environ)
    if here != "127.0.0.1":
        config.public_base_url = f"http://{here}:{ports.sandbox}"
    sandbox_url = sandbox.start(ports.sandbox, "0.0.0.0" if settings.is_lan(os.environ) else "127.0.0.1")  # noqa: S104
    cleanup.callback(sandbox.stop)
    folder = package.package("local", build.ROOT / "build" / "local", build.here())
    if embedded:
        wait_for(ports.emulator, "/_local/state", 30, stopped)
    account = Account(endpoint)
    secrets = settings.secret_groups(config, os.environ)
    api_id = account.deploy(folder, settings.parameters(public, sandbox_url, config, os.environ), secrets)
    key = settings.admin_key(data, os.environ)
    account.put_admin_key(key)
    mover = Mover(account, ports.emulator, sandbox) if embedded else None
    keeper = None
    if mover:
        mover.emulator("POST", "/_local/deployed")
        if os.environ.get("DATA_DIR"):
            keeper = snapshots.Snapshots(data, mover.emulator, sandbox)
            cleanup.callback(keeper.close)
    parts = urllib.parse.urlsplit(endpoint)
    api = Upstream(
        parts.hostname or "", parts.port or 80, f"/restapis/{api_id}/local/_user_request_", SECONDS
    )
    answer = local_answers(account, mover, sandbox, keeper)
    proxy = Proxy(door, api, Upstream("127.0.0.1", ports.sandbox), answer, sandbox.observe)
    threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
    cleanup.callback(proxy.shutdown)
    wait_for(ports.public, "/healthz", 60, stopped)
    if stopped.is_set():
        return
    people.settle_in(sandbox, account.client("dynamodb"))
    if mover:
        watch = alarms.Watch(lambda: mover.emulator("GET", "/_local/state")["dead"], account.client("sns"))
        cleanup.callback(watch.close)
        watch.run()
    sandbox.run()
    if keeper and (words := snapshots.last_words(data, sandbox.status()["counts"])):
        print(words, file=sys.stderr)
    if mover and plays_demo(data):
        play_demo(public, key, stopped)
        if stopped.is_set():
            return
    if keeper:
        keeper.run()
    with_key = "the key in ADMIN_API_KEY" if os.environ.get("ADMIN_API_KEY") else "the key below"
    print(f"the console: {public}/console (sign in by WeCom as one of the", file=sys.stderr)
    print(f"    sandbox's people, each with a role of their own, or with {with_key})", file=sys.stderr)
    if not os.environ.get("ADMIN_API_KEY"):
        print(f"admin API key: {key}", file=sys.stderr)
    print(f"the sandbox's phones: {sandbox_url.replace('127.0.0.1', here)}/", file=sys.stderr)
    if here != "127.0.0.1":
        print(f"for phones of this network: http://{here}:{ports.public}", file=sys.stderr)
    print(f"ready {public}", flush=True)


def play_demo(public: str, key: str, stopped: Stopped) -> None:
    """Until it is played, or we are asked to stop. What it did not come to is said, and the rest is there."""

    def play() -> None:
        try:
            demo.play(public, key)
        except Exception as error:
            print(f"the demo ended early: {error}", file=sys.stderr)

    player = threading.Thread(target=play, daemon=True)
    player.start()
    while player.is_alive() and not stopped.is_set():
        player.join(0.2)


def wait_for(port: int, path: str, seconds: float, stopped: Stopped) -> None:
    """Until a request is answered with 200. SystemExit after `seconds`."""
    deadline, seen = time.monotonic() + seconds, ""
    while not stopped.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            seen = f"{response.status} {response.read(500).decode(errors='replace')}"
            if response.status == 200:
                return
        except OSError as error:
            seen = str(error)
        finally:
            connection.close()
        if time.monotonic() > deadline:
            sys.exit(f"no answer from {path}: {seen}")
        time.sleep(0.02)


def local_answers(
    account: Any, mover: Any, sandbox: Any, keeper: snapshots.Snapshots | None
) -> Callable[..., tuple[int, Any]]:
    """The answers of `/local/…`, which exist in the local stack only."""
    from chalicelib.platform import clock, durations
    from infra.local.moves import NotQuiet

    def answer(method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, Any]:
        try:
            match method, path:
                case "GET", "/local/clock":
                    return 200, {"now": clock.iso(clock.now())}
                case "POST", "/local/clock" if mover:
                    by = durations.parse(json.loads(body)["advance"])
                    now = mover.advance(by)
                    if keeper:
                        keeper.save()
                    return 200, {"now": clock.iso(now)}
                case "POST", "/local/drain" if mover:
                    mover.drain()
                    if keeper:
                        keeper.save()
                    return 200, {"status": "drained"}
                case "GET", "/local/sandbox":
                    return 200, sandbox.sdk_settings()
                case "GET", "/local/sandbox/calls":
                    return 200, {"items": sandbox.calls(query.get("path")), "next_cursor": None}
                case "GET", "/local/logs":
                    return 200, {"items": account.logs(f"/aws/lambda/{STACK}-{query.get('function', 'api')}")}
                case _:
                    return 404, f"no {method} {path} in the local stack, or not at another endpoint"
        except NotQuiet as error:
            return 504, str(error)
        except (ValueError, KeyError, TypeError) as error:
            return 400, f"bad input: {error}"

    return answer


if __name__ == "__main__":
    main()
