"""The archives: layers and functions as zips, with bytecode, the same bytes from the same sources.

Layers come from wheels only, for the machine that will run them (`Target`), never from a source
build on this one: such a build loads the build machine's libraries and fails on Lambda. Each
archive's name carries the hash of what it was made of, so an unchanged one is neither built nor
uploaded again. Lambda's code folders are read-only: without bytecode every cold start would
compile all it imports (745 ms against 286 ms).
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import sys_tags

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "cache"
MAX_UNZIPPED = 250 * 1024 * 1024  # Lambda: a function with its layers
GLIBC = (2, 34)  # Amazon Linux 2023's, which every runtime since python3.12 stands on
MACHINES = {"x86_64": ("x86_64", 0x3E), "arm64": ("aarch64", 0xB7)}  # Lambda's name → wheels', ELF's
WITH_THE_APP = {"export"}  # functions that run the app's routes without its door
# Of the 443 services botocore describes, those that the functions or the framework open.
BOTOCORE_DATA = {"dynamodb", "sqs", "lambda", "secretsmanager", "sts", "s3"}


@dataclass(frozen=True)
class Target:
    """What the archives are made for. `platforms` is empty for "this machine, whatever it is"."""

    runtime: str
    architecture: str  # as Lambda names it
    platforms: tuple[str, ...]
    has_bytecode: bool

    @property
    def python(self) -> str:
        return self.runtime.removeprefix("python")

    @property
    def markers(self) -> dict[str, str]:
        """The environment in which requirements' markers are judged; empty for this machine's own."""
        if not self.platforms:
            return {}
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": MACHINES[self.architecture][0],
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def configured() -> tuple[str, str]:
    """Runtime and architecture that we deploy to: `[tool.millrace]` in pyproject.toml, and nowhere else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["millrace"]
    return project["runtime"], project["architecture"]


def aws(architecture: str | None = None) -> Target:
    """What is deployed; for another processor than the configured one if that is named."""
    runtime, configured_architecture = configured()
    architecture = architecture or configured_architecture
    machine = MACHINES[architecture][0]
    names = [f"manylinux_{GLIBC[0]}_{minor}_{machine}" for minor in range(GLIBC[1], 16, -1)]
    platforms = (*names, f"manylinux2014_{machine}")
    return Target(runtime, architecture, platforms, interpreter(runtime) is not None)


def here() -> Target:
    """What the local stack runs: AWS's own archives where they load, else what its interpreter loads."""
    runtime, deployed = f"python{sys.version_info.major}.{sys.version_info.minor}", aws()
    if runtime == deployed.runtime and any(tag.platform == deployed.platforms[0] for tag in sys_tags()):
        return deployed
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return Target(runtime, architecture, (), True)


def layers_and_functions(target: Target) -> dict[str, Path]:
    """Every layer and function but Chalice's; name → archive. RuntimeError when a layer would not load."""
    made = {p.name: layer(p, target) for p in sorted((ROOT / "layers").iterdir()) if p.is_dir()}
    if both := made.keys() & {p.name for p in function_folders()}:
        raise RuntimeError(f"a layer and a function have one name: {', '.join(both)}")
    with tempfile.TemporaryDirectory() as shared:
        return made | {p.name: function(p, target, Path(shared)) for p in function_folders()}


def publish(made: dict[str, Path], into: Path) -> None:
    """Copy the archives to one folder, and remove what is of no build of today."""
    into.mkdir(parents=True, exist_ok=True)
    for path in made.values():
        if not (into / path.name).exists():
            shutil.copyfile(path, into / path.name)
    for stale in set(into.iterdir()) - {into / path.name for path in made.values()}:
        stale.unlink()
    yesterday = time.time() - 86_400
    for old in set(CACHE.glob("*.zip")) - set(made.values()):
        if old.stat().st_mtime < yesterday:
            old.unlink(missing_ok=True)


def function_folders() -> list[Path]:
    return sorted(p.parent for p in (ROOT / "functions").glob("*/handler.py"))


def layer(folder: Path, target: Target) -> Path:
    """The layer of `layers/<name>`: its pinned packages under python/, any other file beside it."""
    digest = fingerprint([*source_files(folder), Path(__file__)], target)
    cached = CACHE / f"{folder.name}-{digest}.zip"
    if cached.exists():
        return cached
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        packages = root / "python"
        packages.mkdir()
        if (folder / "requirements.txt").exists():
            install(folder / "requirements.txt", packages, target)
            trim(packages)
        for path in source_files(folder):
            if path.name != "requirements.txt":
                destination = root / path.relative_to(folder)
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, destination)
        check_wheels(packages, target)
        compile_all(packages, "/opt/python", target)
        return write_zip(cached, root)


def function(folder: Path, target: Target, shared: Path) -> Path:
    """A function's zip: its folder, and all of chalicelib, so that the two can't differ in version.

    shared: a folder for what is the same in every function's zip, made by the first.
    """
    library = ROOT / "chalicelib"
    app = app_files() if folder.name in WITH_THE_APP else {}
    digest = fingerprint([*source_files(folder), *source_files(library), *app.values()], target)
    cached = CACHE / f"{folder.name}-{digest}.zip"
    if cached.exists():
        return cached
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        copy_sources(folder, root)
        for name, path in app.items():
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, root / name)
        compile_all(root, "/var/task", target)
        begun = shared / "chalicelib.zip"
        if not begun.exists():
            copy_sources(library, shared / "chalicelib")
            compile_all(shared, "/var/task", target)
            write_zip(begun, shared)
        return write_zip(cached, root, begun)


def app_files() -> dict[str, Path]:
    """The app without its deployment package: its module, and what of Chalice runs on Lambda."""
    import chalice

    runtime = Path(chalice.__file__).parent
    return {
        "app.py": ROOT / "app.py",
        **{f"chalice/{name}": runtime / name for name in ("__init__.py", "app.py")},
    }


def api(chalice_zip: Path, target: Target) -> Path:
    """Chalice's own deployment package, with bytecode."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        with zipfile.ZipFile(chalice_zip) as packed:
            packed.extractall(root)
        for stale in [*root.rglob("__pycache__")]:
            shutil.rmtree(stale)
        cached = CACHE / f"api-{fingerprint(source_files(root), target, root)}.zip"
        if not cached.exists():
            compile_all(root, "/var/task", target)
            write_zip(cached, root)
        return cached


def install(requirements: Path, into: Path, target: Target) -> None:
    """pip, wheels only, without looking for dependencies: the list names them all."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--target", str(into)]
    if target.platforms:
        command += ["--implementation", "cp", "--python-version", target.python]
        command += [word for name in target.platforms for word in ("--platform", name)]
    subprocess.run([*command, *pins(requirements.read_text(), target)], check=True)


def pins(requirements: str, target: Target) -> list[str]:
    """The list's requirements that apply to the target; pip would judge their markers by its own Python."""
    lines = (line.partition("#")[0].strip() for line in requirements.splitlines())
    wanted = (Requirement(line) for line in lines if line)
    return [
        f"{requirement.name}{requirement.specifier}"
        for requirement in wanted
        if requirement.marker is None or requirement.marker.evaluate(target.markers)
    ]


def trim(packages: Path) -> None:
    """Drop what no function reads, and what differs from one install to the next."""
    data = packages / "botocore" / "data"
    for folder in [p for p in data.glob("*") if p.is_dir() and p.name not in BOTOCORE_DATA]:
        shutil.rmtree(folder)
    if (data / "endpoints.json").exists():
        trim_endpoints(data / "endpoints.json")
    # Of boto3 its clients are used, not its resources; uniseg's wheel has 10 MB of web pages.
    for unused in ("bin", "boto3/data", "boto3/examples", "uniseg/docs"):
        shutil.rmtree(packages / unused, ignore_errors=True)
    for pattern in (
        "*.dist-info/RECORD",
        "*.dist-info/INSTALLER",
        "*.dist-info/REQUESTED",
        "*.dist-info/direct_url.json",
    ):
        for path in packages.glob(pattern):
            path.unlink()


def trim_endpoints(path: Path) -> None:
    """The endpoints of our services alone: a session reads them all, 1.2 MB otherwise."""
    endpoints = json.loads(path.read_text())
    for partition in endpoints["partitions"]:
        services = partition["services"].items()
        partition["services"] = {name: known for name, known in services if name in BOTOCORE_DATA}
    path.write_text(json.dumps(endpoints, separators=(",", ":")))


def check_wheels(packages: Path, target: Target) -> None:
    """RuntimeError if a wheel was built on this machine, is for another processor, or needs a newer glibc."""
    if not target.platforms:
        return
    machine, elf_machine = MACHINES[target.architecture]
    for path in sorted(packages.glob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag: (.*)$", path.read_text(), re.MULTILINE)
        if any("-linux_" in tag for tag in tags):
            raise RuntimeError(f"{path.parent.name} was built here: it would not load on Lambda")
        if not any(tag.endswith(("-any", f"_{machine}")) for tag in tags):
            raise RuntimeError(f"{path.parent.name} is not for {target.architecture}")
    for path in sorted(p for p in packages.rglob("*.so*") if p.is_file()):
        if int.from_bytes(path.read_bytes()[18:20], "little") != elf_machine:
            raise RuntimeError(f"{path.name} is not for {target.architecture}")
        if (needs := glibc(path)) > GLIBC:
            raise RuntimeError(f"{path.name} needs glibc {needs}, {target.runtime} has {GLIBC}")


def glibc(library: Path) -> tuple[int, int]:
    """The newest glibc whose symbols a shared library asks for; (0, 0) for none."""
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())
    return max(((int(a), int(b)) for a, b in versions), default=(0, 0))


def compile_all(folder: Path, shown_as: str, target: Target) -> None:
    """Bytecode that is used as it is, without a look at the source's time or hash."""
    if python := interpreter(target.runtime):
        command = [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        subprocess.run([*command, "-s", str(folder), "-p", shown_as, str(folder)], check=True)


@cache
def interpreter(runtime: str) -> str | None:
    """The Python whose bytecode the runtime reads, if it is here. A pyenv shim may be there and not run."""
    if runtime == f"python{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    for folder in os.get_exec_path():
        python = shutil.which(runtime, path=folder)
        if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    return None


def check_sizes(made: Mapping[str, Path], layers: Mapping[str, Sequence[str]]) -> None:
    """RuntimeError when a function with its layers is over Lambda's limit. layers: of each function."""
    sizes = {name: unzipped(path) for name, path in made.items()}
    for name, its in layers.items():
        whole = sum(sizes[part] for part in ("dependencies", *its, name) if part in sizes)
        if whole > MAX_UNZIPPED:
            raise RuntimeError(f"{name} with its layers is {whole >> 20} MiB, Lambda takes 250")


def unzipped(path: Path) -> int:
    with zipfile.ZipFile(path) as packed:
        return sum(entry.file_size for entry in packed.infolist())


def source_files(folder: Path) -> list[Path]:
    """Every file below, bytecode and hidden files left out, in a fixed order."""
    present = (p for p in folder.rglob("*") if p.is_file())
    return sorted(p for p in present if "__pycache__" not in p.parts and not p.name.startswith("."))


def copy_sources(folder: Path, into: Path) -> None:
    for path in source_files(folder):
        destination = into / path.relative_to(folder)
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, destination)


def fingerprint(files: list[Path], target: Target, base: Path = ROOT) -> str:
    """A hash of names, contents and target. Of an installed package it does not matter where it lies."""
    digest = hashlib.sha256(repr(target).encode())
    for path in files:
        name = path.relative_to(base) if path.is_relative_to(base) else path.name
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_zip(path: Path, folder: Path, begun: Path | None = None) -> Path:
    """A zip of a folder with fixed order, times and modes; after what is in a zip that was `begun`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}")
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    if begun:
        shutil.copyfile(begun, partial)
    with zipfile.ZipFile(partial, "a" if begun else "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, file.read_bytes())
    partial.replace(path)
    return path
