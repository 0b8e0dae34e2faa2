"""`make deploy`: both stacks into the account at hand, data first, each change shown before it is made.

A stack of before they were two is split on the way: its tables, bucket and keys are imported into the
data stack as they are, while the functions go on working (docs/deploy.md, "From one stack to two").
"""

import argparse
import copy
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra import build, intrinsics

Json = dict[str, Any]
UNCHANGED = ("didn't contain changes", "No updates are to be performed")
IDENTIFIERS = {  # what can be imported, and what CloudFormation knows it by
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Id",
    "AWS::EC2::EIP": "PublicIp",
}


class Refused(Exception):
    """Nothing was changed; says why."""


class Failed(Exception):
    """CloudFormation could not make the change and went back; says why."""


@dataclass(frozen=True)
class Target:
    """An account, and the deployment in it: `stack` is the code's, `stack`-data the data's."""

    stack: str
    bucket: str  # of the archives and templates
    client: Callable[[str], Any]
    agree: Callable[[str, list[str]], bool] = field(default=lambda stack, changes: True)

    @property
    def data_stack(self) -> str:
        return f"{self.stack}-data"


def deploy(target: Target, folder: Path, given: Mapping[str, str], *, only_code: bool = False) -> None:
    """Bring both stacks to what `folder` holds; `given`: parameters, as against those of last time."""
    data, code = (json.loads((folder / f"{name}.json").read_text()) for name in ("data", "template"))
    check_parameters(target, given, data, code)
    upload(target, folder / "archives")
    if not only_code:
        split(target, data)
        parameters = {**given, "CodeStack": target.stack}
        for step in index_steps(template_of(target, target.data_stack), data):
            change(target, target.data_stack, step, parameters, loses_nothing=True)
        target.client("cloudformation").update_termination_protection(
            StackName=target.data_stack, EnableTerminationProtection=True
        )
    between = outputs(target, target.data_stack) | streams(target, data)
    of_data = {name: value for name, value in between.items() if name in code["Parameters"]}
    change(target, target.stack, code, {**given, **of_data, "ArchiveBucket": target.bucket})


def index_steps(present: Json, wanted: Json) -> Iterator[Json]:
    """The wanted data template, and before it those that lead there from the present one.

    DynamoDB makes or drops one index of a table in one update, and CloudFormation fails with two.
    """
    while True:
        step = copy.deepcopy(wanted)
        for name, resource in step["Resources"].items():
            before = present.get("Resources", {}).get(name)
            if resource["Type"] == "AWS::DynamoDB::Table" and before is not None:
                resource["Properties"] |= next_indexes(before["Properties"], resource["Properties"])
        yield step
        if step == wanted:
            return
        present = step


def next_indexes(present: Json, wanted: Json) -> Json:
    """A table's indexes with one change more towards the wanted ones, and the attributes that they need."""
    before, after = (
        {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes", [])}
        for table in (present, wanted)
    )
    added, dropped = [n for n in after if n not in before], [n for n in before if n not in after]
    if len(added) + len(dropped) <= 1:
        return {}
    kept = (
        {**before, added[0]: after[added[0]]}
        if added
        else {n: i for n, i in before.items() if n != dropped[0]}
    )
    schemas = [wanted["KeySchema"], *(index["KeySchema"] for index in kept.values())]
    used = {key["AttributeName"] for schema in schemas for key in schema}
    definitions = {
        attribute["AttributeName"]: attribute
        for table in (present, wanted)
        for attribute in table["AttributeDefinitions"]
    }
    return {
        "GlobalSecondaryIndexes": list(kept.values()),
        "AttributeDefinitions": [definitions[name] for name in sorted(used)],
    }


def streams(target: Target, data: Json) -> dict[str, str]:
    """Outputs that are a table's stream, asked of the table: one that was restored has another stream."""
    made = {}
    for name, output in data["Outputs"].items():
        match output["Value"]:
            case {"Fn::GetAtt": [table, "StreamArn"]}:
                resource = target.client("cloudformation").describe_stack_resource(
                    StackName=target.data_stack, LogicalResourceId=table
                )["StackResourceDetail"]
                physical_name = resource["PhysicalResourceId"]
                description = target.client("dynamodb").describe_table(TableName=physical_name)
                made[name] = description["Table"]["LatestStreamArn"]
    return made


def check_parameters(target: Target, given: Mapping[str, str], *templates: Json) -> None:
    """Refused for names that no template knows, and for what the code needs and nobody says."""
    known = {name: spec for template in templates for name, spec in template["Parameters"].items()}
    if unknown := sorted(set(given) - set(known)):
        raise Refused(f"no such parameter: {', '.join(unknown)}")
    before = described(target, target.stack)
    kept = {p["ParameterKey"] for p in (before or {}).get("Parameters", [])}
    ours = {"ArchiveBucket", "CodeStack", *templates[0]["Outputs"]}
    required = {name for name, spec in known.items() if "Default" not in spec}
    if missing := sorted(required - ours - kept - set(given)):
        raise Refused(f"parameters that need a value: {', '.join(missing)}")


# Changes ----------------------------------------------------------------------------------------


def change(
    target: Target,
    stack: str,
    template: Json,
    parameters: Mapping[str, str],
    *,
    loses_nothing: bool = False,
    imports: list[Json] | None = None,
) -> None:
    """Create, update or (with `imports`) import into a stack by a change set that was agreed to."""
    formation, before = target.client("cloudformation"), described(target, stack)
    if before and before["StackStatus"] == "ROLLBACK_COMPLETE":
        raise Refused(f"{stack} could not be created last time: delete that stack first")
    kind = "IMPORT" if imports else "UPDATE" if before else "CREATE"
    name = f"deploy-{time.time_ns()}"
    asked = formation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateURL=put_template(target, stack, template),
        Parameters=chosen(template, parameters, before),
        Capabilities=["CAPABILITY_IAM"],
        **({"ResourcesToImport": imports} if imports else {}),
    )
    change_set = {"StackName": stack, "ChangeSetName": asked["Id"]}
    try:
        changes = review(formation, change_set)
        if changes is None:
            formation.delete_change_set(**change_set)
            return
        if loses_nothing and (lost := [c["LogicalResourceId"] for c in changes if is_loss(c)]):
            raise Refused(
                f"{stack} would lose or replace {', '.join(lost)}. If the code is older than the data, "
                "deploy the code alone (ONLY=code)"
            )
        if not target.agree(stack, in_words(changes)):
            raise Refused("not agreed")
    except BaseException:
        formation.delete_change_set(**change_set)
        if not before:
            formation.delete_stack(StackName=stack)  # the empty one that the change set made
        raise
    formation.execute_change_set(**change_set)
    wait(target, stack)


def chosen(template: Json, parameters: Mapping[str, str], before: Json | None) -> list[Json]:
    """Values for a template's parameters: given, else those of last time, else its defaults."""
    kept = {p["ParameterKey"] for p in (before or {}).get("Parameters", [])}
    made = []
    for name in template.get("Parameters", {}):
        if name in parameters:
            made.append({"ParameterKey": name, "ParameterValue": parameters[name]})
        elif name in kept:
            made.append({"ParameterKey": name, "UsePreviousValue": True})
    return made


def review(formation: Any, change_set: Json) -> list[Json] | None:
    """What a change set changes of resources; None for nothing at all. Failed says why it can't be made."""
    for pause in pauses():
        first = formation.describe_change_set(**change_set)
        if first["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            break
        time.sleep(pause)
    reason = first.get("StatusReason", "")
    if first["Status"] == "FAILED" and any(words in reason for words in UNCHANGED):
        return None
    if first["Status"] == "FAILED" or first["ExecutionStatus"] == "UNAVAILABLE":
        raise Failed(reason)
    pages = formation.get_paginator("describe_change_set").paginate(**change_set)
    return [c["ResourceChange"] for page in pages for c in page["Changes"]]


def is_loss(resource: Json) -> bool:
    return resource["Action"] == "Remove" or resource.get("Replacement") == "True"


def in_words(changes: list[Json]) -> list[str]:
    """A line for each change; what is added or imported is counted by type."""
    news = Counter((c["Action"], c["ResourceType"]) for c in changes if c["Action"] in ("Add", "Import"))
    lines = [f"{action} {count} {kind}" for (action, kind), count in sorted(news.items())]
    for c in changes:
        if c["Action"] not in ("Add", "Import"):
            how = " (replaced)" if c.get("Replacement") == "True" else ""
            kept = " (kept, only out of the stack)" if c.get("PolicyAction") == "Retain" else ""
            properties = sorted(
                {d["Target"]["Name"] for d in c.get("Details", []) if d["Target"].get("Name")}
            )
            named = f": {', '.join(properties)}" if properties else ""
            lines.append(f"{c['Action']} {c['ResourceType']} {c['LogicalResourceId']}{how}{kept}{named}")
    return lines


def wait(target: Target, stack: str) -> None:
    """Until the stack is complete. Failed with CloudFormation's reasons if it went back."""
    for pause in pauses():
        status = (described(target, stack) or {})["StackStatus"]
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(pause)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        events = target.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        reasons = [
            f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}"
            for e in events
            if "FAILED" in e["ResourceStatus"]
        ]
        raise Failed(f"{stack} is {status}: {'; '.join(reasons[::-1])}")


def pauses() -> Iterator[float]:
    """Seconds between two looks: short at first (an emulator), five at last (AWS)."""
    pause = 0.02
    while True:
        yield pause
        pause = min(5.0, pause * 1.5)


def described(target: Target, stack: str) -> Json | None:
    """The stack; None if there is none, or only one that was never created."""
    try:
        description: Json = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return None if description["StackStatus"] in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE") else description


def outputs(target: Target, stack: str) -> dict[str, str]:
    description = described(target, stack)
    if description is None:
        raise Refused(f"there is no stack {stack}")
    return {o["OutputKey"]: o["OutputValue"] for o in description.get("Outputs", [])}


# Archives and templates -------------------------------------------------------------------------


def upload(target: Target, archives: Path) -> None:
    """Put the archives that are not there yet: names carry their hash. None is ever removed: CloudFormation
    goes back to older ones, and so may we."""
    s3 = target.client("s3")
    make_bucket(s3, target.bucket)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=target.bucket)
    present = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
    for path in sorted(archives.iterdir()):
        if path.name not in present:
            s3.put_object(Bucket=target.bucket, Key=path.name, Body=path.read_bytes())


def make_bucket(s3: Any, name: str) -> None:
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=name, **where)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
        return
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))


def put_template(target: Target, stack: str, template: Json) -> str:
    """A template over 51,200 bytes is taken from S3 only; answers its address there. It stays there."""
    body = json.dumps(template, sort_keys=True).encode()
    where = {"Bucket": target.bucket, "Key": f"{stack}-{hashlib.sha256(body).hexdigest()[:16]}.json"}
    target.client("s3").put_object(**where, Body=body)
    address: str = target.client("s3").generate_presigned_url("get_object", Params=where)
    return address.partition("?")[0]


# From one stack to two --------------------------------------------------------------------------


def split(target: Target, data: Json) -> None:
    """Move data that the code stack holds, from before there were two, into a data stack of its own.

    Retained by the one, imported by the other: nothing is copied. What is to be imported is written
    down first, so that a split that was cut off is finished by the next deploy.
    """
    if described(target, target.data_stack):
        return
    s3, plan_key = target.client("s3"), f"{target.data_stack}-import.json"
    moving = {r["LogicalResourceId"]: r for r in held(target, target.stack)}
    moving = {name: r for name, r in moving.items() if name in data["Resources"]}
    if moving:
        template = template_of(target, target.stack)
        values = physical(target, moving)
        plan: Json = {"template": leaving(template, moving, values), "resources": identified(moving, values)}
        s3.put_object(Bucket=target.bucket, Key=plan_key, Body=json.dumps(plan).encode())
        change(target, target.stack, remaining(template, moving, values), {})
    else:
        try:
            plan = json.loads(s3.get_object(Bucket=target.bucket, Key=plan_key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return
    parameters = {"CodeStack": target.stack}
    change(target, target.data_stack, plan["template"], parameters, imports=plan["resources"])
    s3.delete_object(Bucket=target.bucket, Key=plan_key)


def template_of(target: Target, stack: str) -> Json:
    """The template that a stack was last given; an empty one for a stack that is not there."""
    if described(target, stack) is None:
        return {}
    body = target.client("cloudformation").get_template(StackName=stack)["TemplateBody"]
    return dict(json.loads(body if isinstance(body, str) else json.dumps(body)))


def held(target: Target, stack: str) -> list[Json]:
    """A stack's resources that could be imported into another."""
    if not described(target, stack):
        return []
    pages = target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [r for page in pages for r in page["StackResourceSummaries"]]
    present = [r for r in resources if r["ResourceStatus"] != "DELETE_COMPLETE"]
    return [r for r in present if r["ResourceType"] in IDENTIFIERS]


def physical(target: Target, moving: Mapping[str, Json]) -> dict[str, str]:
    """What Ref and GetAtt of the moving resources give: "JobsTable" → its name, "JobsTable.Arn" → its ARN."""
    values: dict[str, str] = {}
    for name, resource in moving.items():
        known, kind = resource["PhysicalResourceId"], resource["ResourceType"]
        values[name] = known
        if kind == "AWS::DynamoDB::Table":
            table = target.client("dynamodb").describe_table(TableName=known)["Table"]
            values[f"{name}.Arn"] = table["TableArn"]
            values[f"{name}.StreamArn"] = table.get("LatestStreamArn", "")
        elif kind == "AWS::S3::Bucket":
            partition = (described(target, target.stack) or {})["StackId"].split(":")[1]
            values[f"{name}.Arn"] = f"arn:{partition}:s3:::{known}"
        elif kind == "AWS::SecretsManager::Secret":
            arn = target.client("secretsmanager").describe_secret(SecretId=known)["ARN"]
            values[name] = values[f"{name}.Id"] = arn
        else:
            address = target.client("ec2").describe_addresses(PublicIps=[known])["Addresses"][0]
            values[f"{name}.AllocationId"] = address["AllocationId"]
    return values


def leaving(template: Json, moving: Mapping[str, Json], values: Mapping[str, str]) -> Json:
    """A template of just the moving resources as they are, by which another stack imports them.

    Their names are written as the data stack's own template has them, so that its update sees no change.
    """
    known = {**values, "AWS::StackName": "${CodeStack}"}
    resources = {name: intrinsics.resolve(template["Resources"][name], known.get) for name in moving}
    for resource in resources.values():
        for word in ("Condition", "DependsOn"):
            resource.pop(word, None)
    return {"Parameters": {"CodeStack": {"Type": "String"}}, "Resources": resources}


def remaining(template: Json, moving: Mapping[str, Json], values: Mapping[str, str]) -> Json:
    """The template without them, their names written out where they were referred to."""
    rest = {name: r for name, r in template["Resources"].items() if name not in moving}
    made: Json = intrinsics.resolve({**template, "Resources": rest}, values.get)
    return made


def identified(moving: Mapping[str, Json], values: Mapping[str, str]) -> list[Json]:
    """`ResourcesToImport`."""
    made = []
    for name, resource in moving.items():
        kind = resource["ResourceType"]
        identifier = {IDENTIFIERS[kind]: values[name]}
        if kind == "AWS::EC2::EIP":
            identifier["AllocationId"] = values[f"{name}.AllocationId"]
        made.append({"ResourceType": kind, "LogicalResourceId": name, "ResourceIdentifier": identifier})
    return made


# The command ------------------------------------------------------------------------------------


def ask(stack: str, changes: list[str]) -> bool:
    """Show what changes and wait for a yes; YES=1 has said it."""
    print(f"{stack}:", *changes, sep="\n  ", flush=True)
    return bool(os.environ.get("YES")) or input(f"Change {stack}? (yes/no) ").strip() == "yes"


@cache
def client(service: str) -> Any:
    """By the environment: credentials, region, AWS_ENDPOINT_URL."""
    path_style = {"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL") else {}
    return boto3.client(service, config=Config(s3=path_style))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", default="millrace-prod", help="the code stack; NAME-data is the data's")
    parser.add_argument("--bucket", help="where archives go; made if it is not there")
    parser.add_argument("--parameters", type=Path, help="a JSON map; what is not in it stays as it is")
    parser.add_argument("--only", choices=["code"], help="leave the data stack alone, as older code must")
    parser.add_argument("--folder", type=Path, default=build.ROOT / "build", help="what make package made")
    options = parser.parse_args()
    target = Target(options.stack, options.bucket or own_bucket(), client, ask)
    given = json.loads(options.parameters.read_text()) if options.parameters else {}
    try:
        deploy(target, options.folder, given, only_code=options.only == "code")
    except (Refused, Failed) as error:
        sys.exit(str(error))
    for stack in (target.data_stack, target.stack):
        for name, value in outputs(target, stack).items():
            print(f"{name} {value}")


def own_bucket() -> str:
    """One a region and account: S3's names are everybody's."""
    account = client("sts").get_caller_identity()["Account"]
    return f"millrace-archives-{account}-{client('s3').meta.region_name}"


if __name__ == "__main__":
    main()
