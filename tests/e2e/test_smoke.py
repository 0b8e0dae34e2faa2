"""The local stack itself: its doors, its clock, its data, and that it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra import build
from infra.local.__main__ import Stopped, alone
from infra.local.client import LocalStack

CODE = {
    "name": "Parcel card",
    "kind": "staff",
    "channel": "parcel",
    "tags": ["渠道/包裹卡"],
    "assignment": {
        "strategy": "round_robin",
        "members": [{"staff_id": "lihua"}, {"staff_id": "chenjie"}],
        "fallback_staff_ids": ["wangwu"],
        "reserve_for": "PT10M",
    },
    "welcome": {"text": "您好 {customer_name}"},
}


def test_health_and_unknown_doors(stack: LocalStack) -> None:
    answer = stack.request("GET", "/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/api/nowhere", 404),
        ("DELETE", "/healthz", 405),
        ("OPTIONS", "/api/live-codes", 405),
        ("TRACE", "/healthz", 404),  # API Gateway's own answer
    ):
        answer = stack.request(method, path)
        assert answer.status == status, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert ("allow" in answer.headers) is (status == 405)
    answer = stack.http.request("GET", f"{stack.base}/", redirect=False)
    assert (answer.status, answer.headers["location"]) == (302, "/console")
    answer = stack.request("HEAD", "/healthz")
    assert (answer.status, answer.data) == (200, b"")


def test_a_body_over_the_limit_is_refused(stack: LocalStack) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=10) as connection:
        connection.sendall(b"POST /wecom/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_a_scan_becomes_a_welcomed_customer(stack: LocalStack) -> None:
    """The functions, each under its own role, from the live code to the welcome."""
    code = stack.api("POST", "/api/live-codes", CODE, expect=201)
    scan = stack.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"}).json()
    assert scan["kind"] == "staff"
    added = stack.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": "林晓"})
    stack.drain()
    customer = stack.api("GET", f"/api/customers/{added['external_userid']}")
    assert customer["channel"] == "parcel"
    assert [f["staff_id"] for f in customer["follows"]] == [scan["staff_id"]]
    welcomes = [
        m
        for m in stack.sandbox("GET", f"messages?receiver={added['external_userid']}")["items"]
        if m["kind"] == "welcome"
    ]
    assert [m["text"]["content"] for m in welcomes] == ["您好 林晓"]


def test_the_clock_moves_by_what_it_is_told(stack: LocalStack) -> None:
    before = datetime.fromisoformat(stack.api("GET", "/local/clock")["now"])
    after = datetime.fromisoformat(stack.advance("PT1H"))
    assert timedelta(0) <= after - before - timedelta(hours=1) < timedelta(minutes=1)
    assert stack.api("POST", "/local/clock", {"advance": "an hour"}, expect=400)["status"] == 400


def test_the_clock_never_goes_back(stack: LocalStack) -> None:
    """Not even where what is to be done first takes longer than the clock is to be moved."""
    code = stack.api("POST", "/api/live-codes", CODE, expect=201)
    scan = stack.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"}).json()
    stack.sandbox("POST", "faults", {"path": "externalcontact/mark_tag", "kind": "latency", "value": 3})
    stack.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": "慢"})
    before = datetime.fromisoformat(stack.api("GET", "/local/clock")["now"])
    begun = time.monotonic()
    stack.advance("PT1S")
    passed = time.monotonic() - begun
    after = datetime.fromisoformat(stack.api("GET", "/local/clock")["now"])
    assert (after - before).total_seconds() > passed - 0.1


def test_a_reservation_lapses_when_its_time_comes(stack: LocalStack) -> None:
    """Nobody calls the ticker but the schedule, nor the consumer but its queue."""
    code = stack.api("POST", "/api/live-codes", CODE, expect=201)
    stack.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"})
    path = f"/api/assignments?live_code_id={code['live_code_id']}"
    assert [a["status"] for a in stack.api("GET", path)["items"]] == ["reserved"]
    stack.advance("PT15M")
    assert [a["status"] for a in stack.api("GET", path)["items"]] == ["lapsed"]


@pytest.mark.slow
def test_data_survives_a_restart_and_nothing_is_left_running(tmp_path: Path) -> None:
    with LocalStack(data=tmp_path) as first:
        code = first.api("POST", "/api/live-codes", CODE, expect=201)
        first.advance("PT2H")
        moved = first.api("GET", "/local/clock")["now"]
        processes = descendants(first.process.pid if first.process else 0)
        assert processes
    assert gone(processes)
    with LocalStack(data=tmp_path, ADMIN_API_KEY=first.key) as second:
        assert second.api("GET", f"/api/live-codes/{code['live_code_id']}")["name"] == CODE["name"]
        assert second.api("GET", "/local/clock")["now"] > moved
        scan = second.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"}).json()
        added = second.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": "何静"})
        second.drain()
        funnel = second.api("GET", f"/api/metrics/funnel?from={day(moved)}&to={day(moved, 1)}&by=channel")
        assert sum(row["adds"] for row in funnel["items"]) == 1  # its stream is read on from where it was
        assert second.api("GET", f"/api/customers/{added['external_userid']}")["name"] == "何静"


@pytest.mark.slow
def test_killed_outright_it_takes_its_children_along(tmp_path: Path) -> None:
    running = LocalStack(data=tmp_path)
    with running:
        assert running.process is not None
        processes = descendants(running.process.pid)
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait(10)
        assert gone(processes)


@pytest.mark.slow
def test_what_was_being_worked_on_when_killed_is_done_after_the_next_start(tmp_path: Path) -> None:
    with LocalStack(data=tmp_path) as first:
        assert first.process is not None
        code = first.api("POST", "/api/live-codes", CODE, expect=201)
        scan = first.request("GET", f"/s/{code['code']}", headers={"Accept": "application/json"}).json()
        first.drain()
        # Each try hangs: the product gives up the first before a slow machine comes to kill it.
        hang = {"path": "externalcontact/mark_tag", "kind": "latency", "value": 30, "times": 10}
        first.sandbox("POST", "faults", hang)
        added = first.sandbox("POST", "add", {"qr_code": scan["qr_url"]})
        deadline = time.monotonic() + 60
        while first.sandbox("GET", "faults")["items"][0]["times"] == 10 and time.monotonic() < deadline:
            time.sleep(0.02)
        world = tmp_path / "state" / "sandbox.json"  # WeCom's own memory; it is saved now and then
        while added["external_userid"] not in world.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(first.process.pid, signal.SIGKILL)
    with LocalStack(data=tmp_path, ADMIN_API_KEY=first.key) as second:
        begun = time.monotonic()
        second.drain()
        assert time.monotonic() - begun < 300  # the message's time-out is 12 minutes
        assert second.sandbox_calls("mark_tag")
        (who,) = second.sandbox("GET", f"customers?external_userid={added['external_userid']}")["items"]
        assert len(who["bonds"][0]["tag_ids"]) == 1


def test_a_folder_is_one_stack_s_until_its_emulator_has_ended(tmp_path: Path) -> None:
    """The emulator of a killed launcher saves for a while yet: a start meanwhile would read half of it."""
    stopped = Stopped.__new__(Stopped)
    stopped.asked = False
    held = alone(tmp_path, 1, stopped)
    emulator = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[held.fileno()]
    )
    held.close()  # the launcher is gone
    with pytest.raises(SystemExit, match="another local stack"):
        alone(tmp_path, 0.1, stopped)
    emulator.communicate(b"\n", timeout=10)
    alone(tmp_path, 0, stopped).close()


def test_a_port_in_use_is_said(stack: LocalStack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "infra.local"],
        cwd=build.ROOT,
        env={**stack.environment, "PORT": str(stack.port)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "in use" in done.stderr


def descendants(pid: int) -> set[int]:
    """The processes below one."""
    found: set[int] = set()
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for thread in children.parent.parent.iterdir() if children.exists() else ():
        for child in (thread / "children").read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found


def gone(processes: set[int], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in processes):
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def day(moment: str, later: int = 0) -> str:
    return (datetime.fromisoformat(moment) + timedelta(days=later)).date().isoformat()
