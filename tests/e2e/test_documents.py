"""The commands in README.md and docs/ run as they are printed, on a stack, with what each answer says for `…`."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from infra import build
from infra.local.client import LocalStack
from infra.local.settings import free_port

DOCUMENTS = [build.ROOT / "README.md", *sorted((build.ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
# What begins a line that a reader would type.
TYPED = re.compile(
    r"^\s*(\$ )?(make|curl|python3?|\.venv/\S+|millrace|aws|export|alias|pip|git|docker) ", re.MULTILINE
)
END = "__the command has ended__"


def blocks(document: Path, kind: str) -> list[str]:
    return [body for name, body in FENCE.findall(document.read_text(encoding="utf-8")) if name == kind]


def commands(block: str) -> Iterator[str]:
    """A block's commands: lines, joined while a quote or a backslash is open."""
    text = ""
    for line in block.splitlines():
        text += line.strip() + "\n" if not text else line + "\n"
        if (
            text.rstrip().endswith("\\")
            or subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).returncode
        ):
            continue
        if text.strip():
            yield text.strip()
        text = ""
    assert not text, f"never ends: {text}"


class Shell:
    """One bash in a folder that looks like the checkout, so that files land elsewhere."""

    def __init__(self, folder: Path):
        for entry in build.ROOT.iterdir():
            if entry.name not in (".git", "build"):
                (folder / entry.name).symlink_to(entry)
        environment = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LANG", "LC_ALL")
        }
        self.folder = folder
        self.process = subprocess.Popen(
            ["bash"], cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.run("shopt -s expand_aliases")

    def run(self, command: str) -> str:
        """Its output. AssertionError when it fails."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{command}\necho; echo '{END}' $?\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith(END):
                assert line.split()[-1] == "0", f"{command}\n{''.join(lines)}"
                return "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended at {command}\n{''.join(lines)}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    running = Shell(tmp_path)
    yield running
    running.close()


def learn(known: dict[str, str], answer: str) -> None:
    """Ids in an answer, for the next command's `…`."""
    try:
        found: Any = json.loads(answer)
    except ValueError:
        return
    if isinstance(found, dict):
        assert "status" not in found or not isinstance(found["status"], int), answer
        for name, placeholder in (
            ("live_code_id", "lc_…"),
            ("external_userid", "wm…"),
            ("qr_url", "<qr_url>"),
        ):
            if found.get(name):
                known[placeholder] = str(found[name])
        if "live_code_id" in found and "code" in found:
            known["/s/…"] = f"/s/{found['code']}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_what_a_reader_would_type_is_marked_as_such(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for kind, body in FENCE.findall(text):
        assert kind == "sh" or "──" in body or not TYPED.search(body), body  # a drawing is none
    for block in blocks(document, "sh"):
        assert list(commands(block))


def test_make_has_the_targets(capfd: pytest.CaptureFixture[str]) -> None:
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"(?:^|`)(?:[A-Z_]+=\S+ )?make ([a-z]+)", text, re.MULTILINE):
            assert (
                subprocess.run(["make", "-n", target], cwd=build.ROOT, capture_output=True).returncode == 0
            ), target


def test_calls_of_aws_are_aws_s() -> None:
    session = botocore.session.get_session()
    for document in DOCUMENTS:
        for block in blocks(document, "sh"):
            for command in commands(block):
                if not command.startswith("aws "):
                    continue
                _, service, operation, *options = shlex.split(command, comments=True)
                model = session.get_service_model(service)
                names = {
                    re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): name for name in model.operation_names
                }
                shape = model.operation_model(names[operation]).input_shape
                known = {"--" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower() for name in shape.members}
                assert {option for option in options if option.startswith("--")} <= known, command


def test_the_readmes_commands_run_as_printed(stack: LocalStack, shell: Shell) -> None:
    known = {
        "mr_…": stack.key,
        "localhost:8000": f"127.0.0.1:{stack.port}",
        "127.0.0.1:8000": f"127.0.0.1:{stack.port}",
    }
    ran = 0
    for block in blocks(DOCUMENTS[0], "sh"):
        for command in commands(block):
            if command.startswith("make "):
                continue
            for placeholder, value in known.items():
                command = command.replace(placeholder, value)
            assert "…" not in command, command
            learn(known, shell.run(command))
            stack.drain()  # a reader types slower than callbacks travel
            ran += 1
    assert ran >= 14
    assert (shell.folder / "poster.png").read_bytes().startswith(b"\x89PNG")
    assert (shell.folder / "cards.csv").read_bytes().count(b"\n") == 10_001


def test_the_sandboxs_commands_run_as_printed(shell: Shell) -> None:
    port = str(free_port())
    printed = [c for block in blocks(build.ROOT / "docs" / "sandbox.md", "sh") for c in commands(block)]
    server, *rest = [c.replace("8090", port) for c in printed if not c.startswith("make ")]
    shell.run(f"{server} > ready.txt 2>&1 & until grep -q ready ready.txt; do sleep 0.1; done")
    for command in rest:
        shell.run(command)
    assert len(rest) >= 6
    shell.run("kill %1")


def test_other_programs_know_the_options_that_are_printed(shell: Shell) -> None:
    seen = set()
    for document in DOCUMENTS:
        for block in blocks(document, "sh"):
            for command in commands(block):
                if program := re.match(r"\.venv/bin/python -m (infra\.\w+)", command):
                    seen.add(program[1])
                    if program[1] != "infra.sandbox":  # it runs above
                        help_text = shell.run(f"{program[0]} --help")
                        options = set(re.findall(r"(?<= )--[a-z-]+", command))
                        assert all(option in help_text for option in options), command
    assert "infra.keys" in seen


@pytest.mark.parametrize(
    "figure",
    [
        r"\b[Aa] (?:warm )?scan(?:, warm)?\b[^.:|]{0,20}?(?:is|\|) (?:3 (?:DynamoDB )?requests(?:,| and) )?(\d+) write units",
        r"added customer[^.|]{0,120}?\|? (\d+)(?: write units| \(welcomed)",
        r"order with two (?:commission )?levels(?:, paid \||) (\d+)\b",
    ],
)
def test_a_figure_is_the_same_everywhere(figure: str) -> None:
    found = {
        document.name: re.findall(figure, document.read_text(encoding="utf-8")) for document in DOCUMENTS
    }
    assert len({value for values in found.values() for value in values}) == 1, found
    assert sum(map(bool, found.values())) >= 2, found
