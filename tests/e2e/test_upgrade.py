"""The last version that was one stack, with data in it, becomes two stacks of today; and its code can come back."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import urllib3

from infra import build, deploy
from infra.local.client import LocalStack
from infra.local.deploy import BUCKET, Account
from infra.local.settings import STACK

ONE_STACK = "21fa5db4ef3fa505fb6a28799a6bc62a5e0305cb"  # the last commit before there were two
KEY = "mr_upgrade"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """That version's sources."""
    archive = subprocess.run(["git", "archive", ONE_STACK], cwd=build.ROOT, capture_output=True)
    if archive.returncode:
        pytest.skip(f"this clone has no {ONE_STACK}: its history was cut off")
    root = tmp_path / "old"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as sources:
        sources.extractall(root, filter="data")
    (root / ".venv-ministack").symlink_to(build.ROOT / ".venv-ministack")
    lend_layers(root)
    return root


NAMES_OF_LAYERS = """
from infra import build
target = build.here()
for folder in sorted((build.ROOT / "layers").iterdir()):
    digest = build.fingerprint([*build.source_files(folder), build.Path(build.__file__)], target)
    print(folder.name, f"{folder.name}-{digest}.zip")
"""


def lend_layers(root: Path) -> None:
    """Today's layers in place of its own: to install and pack those takes half a minute, and they hold
    older versions of the same libraries.
    """
    cache = root / "build" / "cache"
    cache.mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", NAMES_OF_LAYERS]
    said = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
    for line in said.stdout.splitlines():
        name, archive = line.split()
        (cache / archive).symlink_to(build.layer(build.ROOT / "layers" / name, build.here()))


def test_data_of_one_stack_is_served_by_two_and_by_older_code_again(old: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with LocalStack(data, old, ADMIN_API_KEY=KEY) as before:
        written = write(before)
        assert read(before.api, written) == BUSINESS
    with LocalStack(data, ADMIN_API_KEY=KEY) as after:
        assert read(after.api, written) == BUSINESS
        new = add_customer(after, written["code"], "o6_new")  # scan, callback and queues go on
        assert after.api("GET", f"/api/customers/{new}")["channel"] == "x"

        account = Account(f"http://127.0.0.1:{json.loads((data / 'ports.json').read_text())['emulator']}")
        target = deploy.Target(STACK, BUCKET, account.client)
        stack = deploy.described(target, target.data_stack) or {}
        assert stack["EnableTerminationProtection"]
        resources = deploy.held(target, STACK), deploy.held(target, target.data_stack)
        assert (len(resources[0]), len(resources[1]) > 50) == (0, True)
        table = account.client("dynamodb").describe_table(TableName=f"{STACK}-customers")["Table"]
        assert table["DeletionProtectionEnabled"]

        parameters = (deploy.described(target, STACK) or {})["Parameters"]
        given = {p["ParameterKey"]: p["ParameterValue"] for p in parameters}  # older code knows fewer
        deploy.change(target, STACK, code_before(target), {})
        assert read(straight(account, target), written) == BUSINESS
        deploy.deploy(target, build.ROOT / "build" / "local", given, only_code=True)
        assert read(straight(account, target), written) == BUSINESS


BUSINESS = {
    "code": "春季海报",
    "customer": "o6_old",
    "order": ("paid", 9900),
    "phone": "+8613800138000",  # encrypted with the master key that the old stack made
}


def write(stack: LocalStack) -> dict[str, Any]:
    """A live code, a customer by it, an order, a phone number; their ids."""
    stack.sandbox("POST", "staff", {"userid": "lihua", "name": "李华"})
    code = stack.api(
        "POST",
        "/api/live-codes",
        {"name": BUSINESS["code"], "channel": "x", "assignment": {"members": [{"staff_id": "lihua"}]}},
    )
    who = add_customer(stack, code["code"], "o6_old")
    line = {"line_id": "1", "sku": "A", "title": "礼盒", "quantity": 1, "price_fen": 9900, "discount_fen": 0}
    order = {
        "order_id": "M1", "status": "paid", "occurred_at": stack.api("GET", "/local/clock")["now"],
        "buyer": {"unionid": "o6_old", "external_userid": None, "phone": None},
        "items": [line], "paid_fen": 9900, "freight_fen": 0,
    }  # fmt: skip
    stack.sandbox("POST", "mall/orders", {"message": order})
    rows = {
        "rows": [{"phone": "13800138000"}],
        "staff": {"staff_ids": ["lihua"]},
        "consent": "会员注册页勾选",
    }
    made = stack.api("POST", "/api/prospect-imports/rows", rows)
    stack.drain()
    prospects = stack.api("GET", f"/api/prospects?import_id={made['import_id']}")["items"]
    return {
        "code": code["code"],
        "live_code_id": code["live_code_id"],
        "external_userid": who,
        "prospect_id": prospects[0]["prospect_id"],
    }


def add_customer(stack: LocalStack, code: str, unionid: str) -> str:
    scan = stack.request("GET", f"/s/{code}", headers={"Accept": "application/json"}).json()
    assert scan["staff_id"] == "lihua"
    added = stack.sandbox("POST", "add", {"qr_code": scan["qr_url"], "name": "三哥", "unionid": unionid})
    stack.drain()
    return str(added["external_userid"])


def read(api: Any, written: dict[str, Any]) -> dict[str, Any]:
    order = api("GET", "/api/orders/M1")
    return {
        "code": api("GET", f"/api/live-codes/{written['live_code_id']}")["name"],
        "customer": api("GET", f"/api/customers/{written['external_userid']}")["unionid"],
        "order": (order["status"], order["paid_fen"]),
        "phone": api("GET", f"/api/prospects/{written['prospect_id']}/phone")["phone"],
    }


def code_before(target: deploy.Target) -> dict[str, Any]:
    """The old code's template without the data, as the split left it in the bucket."""
    s3 = target.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{STACK}-")["Contents"]]
    bodies = [json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()) for key in keys]
    (template,) = (b for b in bodies if "ArchivePrefix" in b.get("Parameters", {}))  # gone since
    return dict(template)


def straight(account: Account, target: deploy.Target) -> Any:
    """Calls of the API as it is now: the launcher's door leads to the one that it deployed."""
    api_id = deploy.outputs(target, STACK)["RestAPIId"]
    base = f"{account.endpoint}/restapis/{api_id}/local/_user_request_"

    def call(method: str, path: str) -> Any:
        answer = urllib3.request(method, base + path, headers={"Authorization": f"Bearer {KEY}"}, timeout=60)
        assert answer.status == 200, answer.data
        return answer.json()

    return call
