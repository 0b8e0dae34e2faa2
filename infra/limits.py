"""`python -m infra.limits`: what build/ uses of AWS's limits, worst region first; fails when it is too much.

Neither cfn-lint nor the emulator counts what is counted here, and CloudFormation finds out half way
through a deploy. The room left below each limit is for what a release may add without a redesign.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import build, intrinsics

Json = dict[str, Any]
REGIONS = ("cn-north-1", "cn-northwest-1", "ap-southeast-1", "us-east-1")
ACCOUNT = "123456789012"
STACK = "millrace-prod"  # as docs/deploy.md has it: the name is in every ARN
SUFFIX = "1A2B3C4D5E6F7"  # as CloudFormation makes names up


@dataclass(frozen=True)
class Limit:
    """`held`: what we hold; `limit`: what AWS takes."""

    name: str
    held: int
    limit: int
    unit: str = ""


INLINE = Limit("inline policies of a role", 8_000, 10_240, "characters")
MANAGED = Limit("managed policy", 5_000, 6_144, "characters")
RESOURCES = Limit("resources of a stack", 350, 500)
TEMPLATE = Limit("template", 700_000, 1_000_000, "bytes")
PATHS = Limit("API Gateway resources", 60, 300)
ENVIRONMENT = Limit("environment of a function", 3_072, 4_096, "bytes")
UNZIPPED = Limit("function and layers unzipped", 200 << 20, 250 << 20, "bytes")


@dataclass(frozen=True)
class Use:
    limit: Limit
    of: str
    used: int

    @property
    def is_over(self) -> bool:
        return self.used > self.limit.held


def measure(folder: Path) -> list[Use]:
    """Every use of every limit by the package in `folder`; in the region where it is most."""
    data, code = (json.loads((folder / f"{name}.json").read_text()) for name in ("data", "template"))
    most: dict[tuple[Limit, str], int] = {}
    for region in REGIONS:
        deployed = resolved(code, region)
        for limit, of, used in [*policies(deployed), *environments(deployed)]:
            most[limit, of] = max(used, most.get((limit, of), 0))
    for name, template in (("data", data), ("template", code)):
        most[RESOURCES, name] = len(template["Resources"])
        most[TEMPLATE, name] = (folder / f"{name}.json").stat().st_size
    most[PATHS, "RestAPI"] = len(api_resources(code["Resources"]["RestAPI"]["Properties"]["Body"]["paths"]))
    for of, used in unzipped(code, folder / "archives"):
        most[UNZIPPED, of] = used
    return [Use(limit, of, used) for (limit, of), used in most.items()]


def policies(resources: Mapping[str, Json]) -> Iterator[tuple[Limit, str, int]]:
    """The characters of each role's own policies in sum, and of each managed one; without whitespace, as
    IAM counts."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::Role":
            documents = [p["PolicyDocument"] for p in resource["Properties"].get("Policies", [])]
            yield INLINE, name, sum(characters(document) for document in documents)
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield MANAGED, name, characters(resource["Properties"]["PolicyDocument"])


def characters(document: Json) -> int:
    return len(re.sub(r"\s", "", json.dumps(document)))


def environments(resources: Mapping[str, Json]) -> Iterator[tuple[Limit, str, int]]:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            variables = resource["Properties"]["Environment"]["Variables"]
            yield ENVIRONMENT, name, len(json.dumps(variables, separators=(",", ":")).encode())


def api_resources(paths: Mapping[str, Any]) -> set[str]:
    """API Gateway makes a resource of each path and of each path above it."""
    made = {"/"}
    for path in paths:
        parts = path.strip("/").split("/")
        made |= {"/" + "/".join(parts[: n + 1]) for n in range(len(parts))}
    return made


def unzipped(code: Json, archives: Path) -> Iterator[tuple[str, int]]:
    """Each function with its layers."""
    resources = code["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            properties = resource["Properties"]
            layers = [resources[layer["Ref"]]["Properties"]["Content"] for layer in properties["Layers"]]
            keys = [content["S3Key"] for content in (properties["Code"], *layers)]
            yield name, sum(build.unzipped(archives / key) for key in keys)


def resolved(template: Json, region: str) -> dict[str, Json]:
    """The template's resources as they would be deployed with all options on."""
    conditions = dict.fromkeys(template.get("Conditions", {}), True)
    deployment = Deployment(template, region)
    resources: dict[str, Json] = intrinsics.resolve(template["Resources"], deployment.lookup, conditions)
    return resources


class Deployment:
    """Names and ARNs as AWS would give them: only their lengths matter, and they are no shorter."""

    def __init__(self, template: Json, region: str):
        china = region.startswith("cn-")
        self.template, self.region = template, region
        self.partition, self.domain = ("aws-cn", "amazonaws.com.cn") if china else ("aws", "amazonaws.com")

    def lookup(self, name: str) -> str | None:
        if name.startswith("AWS::"):
            return self.pseudo(name)
        if name in self.template.get("Parameters", {}):
            return self.parameter(name)
        logical_id, _, attribute = name.partition(".")
        resource = self.template["Resources"].get(logical_id)
        if resource is None:
            raise KeyError(f"the template has no {name}")
        return self.attribute(logical_id, resource, attribute)

    def pseudo(self, name: str) -> str | None:
        return {
            "AWS::StackName": STACK,
            "AWS::Region": self.region,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": self.partition,
            "AWS::URLSuffix": self.domain,
        }.get(name)

    def parameter(self, name: str) -> str:
        """Its default, else a value of the kind that its name promises."""
        if name.startswith("Secret"):
            return self.arn("secretsmanager", f"secret:{STACK}/{name.lower()}-{SUFFIX[:6]}")
        if name.endswith("Stream"):
            table = f"{STACK}-{name.removesuffix('Stream').lower()}"
            return self.arn("dynamodb", f"table/{table}/stream/2026-11-30T16:00:00.000")
        if name.endswith("Bucket"):
            return f"{STACK}-data-{name.lower()}-{SUFFIX}"
        return str(self.template["Parameters"][name].get("Default") or "https://scrm.brand.example.com")

    def attribute(self, logical_id: str, resource: Json, attribute: str) -> str:
        """What Ref (no attribute) or GetAtt gives."""
        kind, properties = resource["Type"], resource.get("Properties", {})
        names = ("QueueName", "FunctionName", "LogGroupName", "LayerName", "Name")
        given = next((properties[n] for n in names if n in properties), f"{STACK}-{logical_id}-{SUFFIX}")
        name = str(intrinsics.resolve(given, self.lookup))
        if kind == "AWS::SQS::Queue":
            url = f"https://sqs.{self.region}.{self.domain}/{ACCOUNT}/{name}"
            return {"Arn": self.arn("sqs", name), "QueueName": name, "": url}[attribute]
        if kind == "AWS::Lambda::Function":
            return self.arn("lambda", f"function:{name}") if attribute == "Arn" else name
        if kind == "AWS::Logs::LogGroup":
            return self.arn("logs", f"log-group:{name}:*") if attribute == "Arn" else name
        if kind == "AWS::Lambda::LayerVersion":
            return self.arn("lambda", f"layer:{name}:100")
        if kind == "AWS::SNS::Topic":
            return self.arn("sns", name)
        if kind == "AWS::IAM::ManagedPolicy":
            return f"arn:{self.partition}:iam::{ACCOUNT}:policy/{name}"
        if attribute == "Arn":
            return f"arn:{self.partition}:iam::{ACCOUNT}:role/{name}"
        return name

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{ACCOUNT}:{resource}"


def main() -> None:
    uses = measure(build.ROOT / "build")
    for limit in dict.fromkeys(use.limit for use in uses):
        most = max((use for use in uses if use.limit == limit), key=lambda use: use.used)
        print(
            f"{limit.name}: {most.used:,} of {limit.limit:,} {limit.unit}".rstrip()
            + f" ({most.used / limit.limit:.0%}; we hold {limit.held:,}): {most.of}"
        )
    over = [use for use in uses if use.is_over]
    for use in over:
        print(f"OVER: {use.limit.name} {use.of}: {use.used:,} > {use.limit.held:,}", file=sys.stderr)
    sys.exit(bool(over))


if __name__ == "__main__":
    main()
