"""CPU of a cold door: from a fresh process to the answer, as a multiple of `import boto3` in the same interpreter.

The process has what the function has: the layer as it is built, the door's environment, and DynamoDB,
SQS and Secrets Manager as another process. User and system time of the whole process, its start included.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "integration")]

import callback_door
import conftest
import pytest

from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth, settings, storage
from chalicelib.staff import service as staff
from infra import build
from tests.support import engine
from tests.support.scan_support import FakeWeCom, definition

ROUNDS = 12
QUEUES = ("callback", "welcome")
GUIDES = ("lihua", "chenjie")
ANSWER = """
import json, resource, sys
from app import app
status = app(json.loads(sys.argv[1]), None)["statusCode"]
if status != 200:
    sys.exit(f"answered {status}")
"""
CPU = (
    "\nimport resource\nused = resource.getrusage(resource.RUSAGE_SELF)\nprint(used.ru_utime + used.ru_stime)"
)


def event(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    context = {"httpMethod": method, "resourcePath": "/{proxy+}", "path": f"/prod{path}"}
    return {
        "path": path,
        "requestContext": {**context, "identity": {"sourceIp": "192.0.2.1"}},
        "headers": headers,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "body": None,
    }


def seconds(program: str, *arguments: str, **environment: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", program + CPU, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        cwd="/",  # the path is all there is
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return float(done.stdout.splitlines()[-1])


def deployed(into: Path) -> str:
    """The path of the functions' code and layers as they are deployed, bytecode and all."""
    target = build.here()
    for name in ("dependencies", "phones"):
        with zipfile.ZipFile(build.layer(ROOT / "layers" / name, target)) as packed:
            packed.extractall(into)
    code = into / "code"
    build.copy_sources(ROOT / "chalicelib", code / "chalicelib")
    shutil.copyfile(ROOT / "app.py", code / "app.py")
    build.compile_all(code, "/var/task", target)
    return f"{code}:{into / 'python'}"


def world(url: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """What the calls need to be there; door → (its function, its event)."""
    os.environ |= {"AWS_ENDPOINT_URL": url, "WECOM_CORP_ID": callback_door.CORP}
    storage.disconnect()
    settings.client.cache_clear()
    conftest.create_tables()
    for name in QUEUES:
        made = settings.client("sqs").create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})
        os.environ[f"QUEUE_{name.upper()}"] = made["QueueUrl"]
    secret = {"callback_token": callback_door.TOKEN, "callback_aes_key": callback_door.KEY}
    kept = settings.client("secretsmanager").create_secret(Name="bench", SecretString=json.dumps(secret))
    os.environ["SECRET_WECOM"] = kept["ARN"]
    with pytest.MonkeyPatch.context() as patch:  # WeCom is asked beforehand
        fake = FakeWeCom()
        patch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
        patch.setattr("chalicelib.platform.queues.send_all", lambda *_: None)
        live_code = livecodes.create(definition(*({"staff_id": guide} for guide in GUIDES)))
        for guide in GUIDES:
            staff.learn(guide)
            for slot in range(contactways.SLOTS):
                contactways.way(live_code, guide, slot)
    key = {"Authorization": f"Bearer {auth.create_key('bench', 'operator')}"}
    phone = {"Accept": "text/html,application/xhtml+xml"}
    return {
        "callback": ("public", callback_door.event()),
        "scan": ("public", event("GET", f"/s/{live_code.code}", phone)),
        "api": ("api", event("GET", "/api/live-codes", key)),
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, engine.running() as url:
        calls = world(url)
        path = deployed(Path(folder))
        times: dict[str, list[float]] = {name: [] for name in ("boto3", *calls)}
        for _ in range(ROUNDS + 1):  # in turn, so that a slow moment hits all alike
            times["boto3"].append(seconds("import boto3", PYTHONPATH=path))
            for name, (doors, sent) in calls.items():
                fresh = callback_door.event() if name == "callback" else sent
                times[name].append(seconds(ANSWER, json.dumps(fresh), PYTHONPATH=path, DOORS=doors))
        medians = {name: statistics.median(found[1:]) for name, found in times.items()}
        print(f"cold_import_boto3_cpu {medians['boto3'] * 1000:.0f} ms")
        for name in calls:
            print(f"cold_{name}_cpu {medians[name] * 1000:.0f} ms")
            print(f"cold_{name}_to_boto3 {medians[name] / medians['boto3']:.2f} x")


if __name__ == "__main__":
    main()
