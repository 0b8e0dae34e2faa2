"""A cold start is a feature: what each handler imports is a fixed set. Milliseconds are the benchmark's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
# Each of these costs 40 to 400 ms; the functions do without.
HEAVY = {
    "boto3",
    "s3transfer",
    "chalice",
    "pydantic",
    "PIL",
    "qrcode",
    "zxingcpp",
    "fontTools",
    "reportlab",
    "jinja2",
    "openpyxl",
    "requests",
    "yaml",
    "defusedxml",
    "moto",
    "aws_xray_sdk",
    "aws_lambda_powertools.utilities.idempotency",
    "aws_lambda_powertools.utilities.parameters",
}
NEEDED = {  # qrcode takes Pillow where it is, and that defusedxml
    "poster": {"PIL", "qrcode", "zxingcpp", "defusedxml"},
    "printrun": {"PIL", "qrcode", "fontTools", "reportlab", "defusedxml"},
}


def modules(handler: str) -> set[str]:
    """The modules that are loaded once the handler is."""
    folder = ROOT / "functions" / handler
    code = "import json, sys; import handler; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(answer.stdout))


def test_every_function_of_the_design_is_there() -> None:
    wanted = "assign callback convert orders payout poster printrun project prospect push react settle sop welcome".split()
    assert wanted == HANDLERS


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_what_it_needs_and_no_more(handler: str) -> None:
    loaded = modules(handler)
    assert loaded & HEAVY <= NEEDED.get(handler, set())


@pytest.mark.parametrize("handler", ["convert", "push", "react", "welcome"])
def test_who_only_looks_a_live_code_up_does_not_bring_scans(handler: str) -> None:
    heavy = ("chalicelib.stores", "chalicelib.groups", "chalicelib.assignments.reservations")
    assert not {name for name in modules(handler) if name.startswith(heavy)}


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_brings_no_other_functions_doors(handler: str) -> None:
    assert not {name for name in modules(handler) if name.startswith("chalicelib.") and name.endswith(".api")}
