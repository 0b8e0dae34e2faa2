"""`make package`: two CloudFormation templates, data and code, and the code's archives under build/.

Chalice packages the API; what stack.yaml and resources.yaml say is merged into its template; the
Serverless transform is applied here, so that the result is plain CloudFormation, which can be
linted and which an emulator takes. Where the archives lie is a parameter: no AWS account is needed.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from app import API_ROOTS
from infra import build, console, template

Json = dict[str, Any]
SOURCES = ("app.py", "pyproject.toml", ".chalice/config.json", "infra/*.yaml", "infra/*.py")
TREES = ("chalicelib", "functions", "layers", "infra/console")


def package(stage: str, out: Path, target: build.Target) -> Path:
    """Package a stage into `out` unless nothing changed since; answers `out`.

    It then holds data.json and template.json (plain CloudFormation), sam.json (before the transform)
    and archives/.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # stacks may be started side by side
        state, mark = fingerprint(stage, target), out / "fingerprint"
        if not mark.exists() or mark.read_text() != state:
            mark.unlink(missing_ok=True)
            build_into(out, stage, target)
            mark.write_text(state)
    return out


def build_into(out: Path, stage: str, target: build.Target) -> None:
    made = build.layers_and_functions(target)
    made["console"] = console.archive(lenient=stage == "local")  # not its sources: what is built of them
    names = {name: path.name for name, path in made.items()}
    with tempfile.TemporaryDirectory() as temporary:
        sam = chalice_package(stage, Path(temporary), ours(names, target))
        made["api"] = build.api(Path(temporary) / "out" / "deployment.zip", target)
    functions = parsed("stack.yaml")["functions"]
    build.check_sizes(made, {name: spec.get("layers", []) for name, spec in functions.items()})
    build.publish(made, out / "archives")
    patch_api(sam, made["api"].name)
    write(out / "sam.json", sam)
    write(out / "data.json", data())
    write(out / "template.json", translated(sam))


def fingerprint(stage: str, target: build.Target) -> str:
    """A hash of all that the package is made of."""
    files = sorted(p for pattern in SOURCES for p in build.ROOT.glob(pattern))
    files += [p for tree in TREES for p in build.source_files(build.ROOT / tree)]
    return hashlib.sha256(f"{stage} {build.fingerprint(files, target)}".encode()).hexdigest()


def data() -> Json:
    """The data stack's template."""
    return merged(parsed("data.yaml"), template.data(parsed("stack.yaml")))


def ours(archives: dict[str, str], target: build.Target) -> Json:
    """What is merged into Chalice's template for the code stack's."""
    return merged(parsed("resources.yaml"), template.code(parsed("stack.yaml"), archives, target))


def merged(once: Json, made: Json) -> Json:
    return once | {section: once.get(section, {}) | made[section] for section in made}


def parsed(name: str) -> Json:
    from samtranslator.yaml_helper import yaml_parse

    return dict(yaml_parse((build.ROOT / "infra" / name).read_text()))


def chalice_package(stage: str, work: Path, merge: Json) -> Json:
    """Chalice's template, ours merged in, made from a copy of just what it may pack."""
    project, out = work / "project", work / "out"
    project.mkdir()
    shutil.copyfile(build.ROOT / "app.py", project / "app.py")
    shutil.copytree(build.ROOT / ".chalice", project / ".chalice", ignore=shutil.ignore_patterns("deploy*"))
    build.copy_sources(build.ROOT / "chalicelib", project / "chalicelib")
    write(work / "merge.json", merge)
    program = "from app import app; app.load_all(); from chalice.cli import main; main()"  # no route, no API
    command = [sys.executable, "-c", program, "package", "--stage", stage]
    command += ["--merge-template", str(work / "merge.json"), str(out)]
    environment = {**os.environ, "AWS_DEFAULT_REGION": region()}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"chalice package failed:\n{done.stdout}{done.stderr}")
    return dict(json.loads((out / "sam.json").read_text()))


def patch_api(sam: Json, archive: str) -> None:
    """Our archive for both functions of the app, and roots in place of Chalice's path for each route."""
    location = template.s3_object(archive)
    code = {"Bucket": location["S3Bucket"], "Key": location["S3Key"]}
    sam["Resources"]["APIHandler"]["Properties"]["CodeUri"] = code
    sam["Resources"]["PublicFunction"]["Properties"]["Code"] = location
    sam["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"] = template.gateway_paths(API_ROOTS)


def translated(sam: Json) -> Json:
    """Plain CloudFormation of a Serverless template."""
    from samtranslator.translator.transform import transform

    class NoManagedPolicies:  # spares a call to IAM; we name managed policies by their ARN
        def load(self) -> Json:
            return {}

    os.environ.setdefault("AWS_DEFAULT_REGION", region())
    plain = dict(transform(json.loads(json.dumps(sam)), {}, NoManagedPolicies()))
    api = plain["Resources"]["RestAPI"]["Properties"]
    # The same in both places on AWS; MiniStack reads it only here.
    api["BinaryMediaTypes"] = api["Body"]["x-amazon-apigateway-binary-media-types"]
    return plain


def region() -> str:
    """The transform asks for one; the template names none."""
    return os.environ.get("AWS_DEFAULT_REGION", "cn-north-1")


def write(path: Path, content: Json) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the deployable template and archives under build/.")
    parser.add_argument("--stage", default="prod", help="a stage of .chalice/config.json")
    stage, target = parser.parse_args().stage, build.aws()
    if not target.has_bytecode:
        print(f"no {target.runtime} here: no bytecode is packed, and cold starts compile", file=sys.stderr)
    made = package(stage, build.ROOT / "build", target)
    for path in sorted((build.ROOT / "build" / "archives").iterdir()):
        packed, unpacked = path.stat().st_size >> 10, build.unzipped(path) >> 10
        print(f"{path.name} {packed} KiB, {unpacked} KiB unzipped")
    for name in ("data.json", "template.json"):
        print(f"build/{name} {(made / name).stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
