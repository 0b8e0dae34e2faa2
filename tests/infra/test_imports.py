"""A cold start is a feature: what each handler imports is a fixed set. Milliseconds are the benchmark's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import app

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
    "bidi",
    "rjieba",
    "uharfbuzz",
    "uniseg",
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
DECLARED = (".works", ".listeners")
NEEDED = {  # qrcode takes Pillow where it is, and that defusedxml
    "export": {"chalice"},  # it runs the routes of lists
    "poster": {"PIL", "qrcode", "zxingcpp", "defusedxml", "uharfbuzz"},
    "printrun": {"PIL", "qrcode", "uharfbuzz", "reportlab", "defusedxml"},
}


# A cold scan must not wait for what sells, reports or sends; nor a callback for anything but itself.
NOT_AT_A_SCAN = "ads customers messaging orders payouts posters prospects sops wechatpay".split()


def modules(handler: str) -> set[str]:
    """The modules that are loaded once the handler is."""
    return loaded("import handler", f"{ROOT / 'functions' / handler}:{ROOT}")


def loaded(code: str, path: str = str(ROOT)) -> set[str]:
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}; import json, sys; print(json.dumps(sorted(sys.modules)))"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(answer.stdout))


def test_every_function_of_the_design_is_there() -> None:
    wanted = "access alarm assign callback churn convert credit enrol export facts imports lake lakewrite match migrate notify orders payout poster printrun project prospect push".split()
    wanted += "redrive route settle tick welcome".split()
    assert wanted == HANDLERS


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_imports_what_it_needs_and_no_more(handler: str) -> None:
    loaded = modules(handler)
    assert loaded & HEAVY <= NEEDED.get(handler, set())


@pytest.mark.parametrize("handler", ["convert", "credit", "enrol", "match", "push", "welcome"])
def test_who_only_looks_a_live_code_up_does_not_bring_scans(handler: str) -> None:
    heavy = ("chalicelib.stores.", "chalicelib.groups.", "chalicelib.assignments.reservations")
    found = {name for name in modules(handler) if name.startswith(heavy)}
    assert not {name for name in found if not name.endswith(DECLARED)}


@pytest.mark.parametrize("handler", ["route", "tick"])
def test_who_only_hands_on_brings_nobodys_work(handler: str) -> None:
    """They read what all capabilities declare, and that is light."""
    of_capabilities = {name for name in modules(handler) if name.count(".") == 2 and "platform" not in name}
    assert {
        name for name in of_capabilities if name.startswith("chalicelib.") and not name.endswith(DECLARED)
    } == set()


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_brings_no_other_functions_doors(handler: str) -> None:
    assert not {name for name in modules(handler) if name.startswith("chalicelib.") and name.endswith(".api")}


def at_the_door(path: str) -> set[str]:
    """The modules that are loaded once the app has found the route of a path."""
    return loaded(f"from app import app; app._route({path!r})")


def capabilities(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.count(".") > 1 and name.startswith("chalicelib.")}


def test_the_app_alone_brings_no_capability_and_no_client() -> None:
    names = loaded("import app")
    assert capabilities(names) == {"platform"}
    assert not names & {*HEAVY - {"chalice"}, "botocore", "pynamodb", "aws_lambda_powertools"}


def test_a_callback_brings_its_door_and_the_wire_alone() -> None:
    names = at_the_door("/wecom/callback")
    assert capabilities(names) == {"callbacks", "platform", "wecom"}
    assert not names & {*HEAVY - {"chalice"}, "pynamodb", "aws_lambda_powertools"}


def test_a_scan_brings_no_channel_and_no_money() -> None:
    names = at_the_door("/s/abc")
    assert not capabilities(names) & {*NOT_AT_A_SCAN}
    assert not names & {*HEAVY - {"chalice"}, "cryptography", "yaml", "phonenumbers", "aws_lambda_powertools"}


@pytest.mark.parametrize("root", sorted({root for roots in app.DOORS.values() for root in roots.split()}))
def test_a_root_brings_its_own_doors_alone(root: str) -> None:
    names = loaded(f"from app import app; app._load({root.rstrip('/')!r})")
    wanted = {f"chalicelib.{module}" for module, roots in app.DOORS.items() if root in roots.split()}
    assert names & {f"chalicelib.{module}" for module in app.DOORS} == wanted
    assert not names & (HEAVY - {"chalice"})
