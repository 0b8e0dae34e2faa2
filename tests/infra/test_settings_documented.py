"""Every setting that the code reads, every parameter of the template and every secret stands in a document."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import package

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = "\n".join(
    path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
)
# Of Lambda, of a shell, or of the tests: nobody sets them for us.
OUR_OWN = {
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "CHECK_ANSWERS",
    "COMP_LINE",
    "COMP_POINT",
    "LOG_LEVEL",
    "XDG_CACHE_HOME",
}
READ = re.compile(
    r"""(?:settings\.env|environ\.get|env\.get|environ|env|file_in)[(\[]\s*["']([A-Z][A-Z0-9_]+)["']"""
)
SECRET = re.compile(r"""settings\.secret\(\s*["'](\w+)["'],\s*["'](\w+)["']""")


def sources() -> Iterator[str]:
    for folder in ("chalicelib", "functions", "infra"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.read_text(encoding="utf-8")


def stands(name: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", DOCUMENTS) is not None


def test_the_settings_are_found() -> None:
    found = set(READ.findall("\n".join(sources())))
    assert {"WECHATPAY_SCENE_REPORTS", "WECHATPAY_TRANSFER_SCENE_ID", "PUBLIC_BASE_URL", "DATA_DIR"} <= found


@pytest.mark.parametrize("name", sorted(set(READ.findall("\n".join(sources()))) - OUR_OWN))
def test_a_setting_is_documented(name: str) -> None:
    parts = package.parsed("stack.yaml")["settings"].values()
    parameter = next((group[name] for group in parts if name in group), "")
    assert stands(name) or (parameter and stands(parameter)), name


@pytest.mark.parametrize("name", sorted(package.parsed("resources.yaml")["Parameters"]))
def test_a_parameter_is_documented(name: str) -> None:
    assert stands(name), name


@pytest.mark.parametrize(
    ("group", "name"), sorted({found for text in sources() for found in SECRET.findall(text)})
)
def test_a_secret_is_documented(group: str, name: str) -> None:
    assert stands(name), f"{group}: {name}"
