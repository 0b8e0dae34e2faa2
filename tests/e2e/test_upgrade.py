"""The last version that was one stack, with data in it, becomes two stacks of today, and goes back."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from infra import build
from infra.local.client import LocalStack

ONE_STACK = "21fa5db4ef3fa505fb6a28799a6bc62a5e0305cb"  # the last commit before there were two


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """That version's sources."""
    found = subprocess.run(["git", "archive", ONE_STACK], cwd=build.ROOT, capture_output=True)
    if found.returncode:
        pytest.skip(f"this clone has no {ONE_STACK}: its history was cut off")
    root = tmp_path / "old"
    tarfile.open(fileobj=io.BytesIO(found.stdout)).extractall(root, filter="data")
    (root / ".venv-ministack").symlink_to(build.ROOT / ".venv-ministack")
    (root / "build").mkdir()
    (root / "build" / "cache").symlink_to(build.CACHE)  # archives are named by their hash
    return root


def test_data_of_one_stack_is_served_by_two(old: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = {"ADMIN_API_KEY": "mr_upgrade"}
    with LocalStack(data, old, **key) as before:
        code = before.api(
            "POST",
            "/api/live-codes",
            {"name": "old", "channel": "old", "assignment": {"members": [{"staff_id": "lihua"}]}},
        )
        stored = before.api("GET", f"/api/live-codes/{code['live_code_id']}")
    with LocalStack(data, **key) as after:
        served = after.api("GET", f"/api/live-codes/{code['live_code_id']}")
        assert served["name"] == stored["name"]
