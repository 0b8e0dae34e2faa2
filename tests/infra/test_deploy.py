"""`make deploy` against an emulated CloudFormation: what it shows, refuses, keeps and can go back on."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra import build, deploy, package
from infra.local.__main__ import start_emulator
from infra.local.settings import free_port

Json = dict[str, Any]
Deploy = Callable[..., list[str]]
BUCKET = "deploy-test-archives"
SECRET = "arn:aws-cn:secretsmanager:cn-north-1:000000000000:secret:x-AbCdEf"
GIVEN = {
    "PublicBaseUrl": "https://scrm.example.com",
    "WecomCorpId": "ww1",
    "WecomAgentId": "1000002",
    "SecretWecom": SECRET,
    "SecretWechatpay": SECRET,
    "SecretWechatpayNotify": SECRET,
    "SecretMall": SECRET,
    "SecretAds": SECRET,
}


@pytest.fixture(scope="module")
def folder() -> Path:
    """What `make package` makes."""
    return package.package("prod", build.ROOT / "build" / "test", build.aws())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Clients of an emulator of our own."""
    data, port = tmp_path_factory.mktemp("emulator"), free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with ExitStack() as cleanup, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILLRACE_CLOCK_FILE", str(data / "clock"))
        patch.delenv("DATA_DIR", raising=False)
        start_emulator(data, port, cleanup.enter_context((data / "lock").open("ab")), cleanup)
        urllib3.PoolManager(retries=urllib3.Retry(100, backoff_factor=0.1, backoff_max=0.2)).request(
            "GET", f"{endpoint}/_local/state"
        )
        config = Config(s3={"addressing_style": "path"})
        session = boto3.Session()  # the default one may have the keys of a test before
        yield cache(lambda service: session.client(service, endpoint_url=endpoint, config=config))


@pytest.fixture
def target(client: Callable[[str], Any], request: pytest.FixtureRequest) -> deploy.Target:
    """A deployment of the test's own in the shared account."""
    name = request.node.name.removeprefix("test_")[:20].replace("_", "-").strip("-")
    return deploy.Target(name, BUCKET, client)


def shown(target: deploy.Target, folder: Path, given: Json = GIVEN, **options: Any) -> dict[str, list[str]]:
    """Deploy, agreeing to all; what was shown of each stack."""
    asked: dict[str, list[str]] = {}

    def agree(stack: str, changes: list[str]) -> bool:
        asked[stack] = asked.get(stack, []) + changes
        return True

    deploy.deploy(deploy.Target(target.stack, BUCKET, target.client, agree), folder, given, **options)
    return asked


def variant(folder: Path, into: Path, *, data: Json | None = None, code: Json | None = None) -> Path:
    """Another release: the same archives, with one or both templates changed."""
    into.mkdir()
    (into / "archives").symlink_to(folder / "archives")
    for name, changed in (("data", data), ("template", code)):
        text = json.dumps(changed) if changed else (folder / f"{name}.json").read_text()
        (into / f"{name}.json").write_text(text)
    return into


def template(folder: Path, name: str) -> Json:
    return dict(json.loads((folder / f"{name}.json").read_text()))


def put(target: deploy.Target, value: str) -> None:
    item = {"name": {"S": "k"}, "value": {"S": value}}
    target.client("dynamodb").put_item(TableName=f"{target.stack}-settings", Item=item)


def got(target: deploy.Target) -> str:
    key = {"name": {"S": "k"}}
    answer = target.client("dynamodb").get_item(TableName=f"{target.stack}-settings", Key=key)
    return str(answer["Item"]["value"]["S"])


def environment(target: deploy.Target, function: str = "push") -> Json:
    function_now = target.client("lambda").get_function_configuration(
        FunctionName=f"{target.stack}-{function}"
    )
    return dict(function_now["Environment"]["Variables"])


def test_first_deploy_is_shown_made_and_protected_and_the_second_has_nothing_to_do(
    target: deploy.Target, folder: Path
) -> None:
    asked = shown(target, folder)
    assert list(asked) == [target.data_stack, target.stack]
    tables = len([r for r in template(folder, "data")["Resources"].values() if "Table" in r["Type"]])
    assert f"Add {tables} AWS::DynamoDB::Table" in asked[target.data_stack]
    formation = target.client("cloudformation")
    with pytest.raises(ClientError, match="TerminationProtection"):
        formation.delete_stack(StackName=target.data_stack)
    with pytest.raises(ClientError, match="protect"):
        target.client("dynamodb").delete_table(TableName=f"{target.stack}-customers")
    stream = target.client("dynamodb").describe_table(TableName=f"{target.stack}-timeline")["Table"]
    mappings = target.client("lambda").list_event_source_mappings(EventSourceArn=stream["LatestStreamArn"])[
        "EventSourceMappings"
    ]
    assert mappings
    assert shown(target, folder, {}) == {}  # parameters stay as they were


def test_without_a_yes_nothing_changes(target: deploy.Target, folder: Path, tmp_path: Path) -> None:
    said_no = deploy.Target(target.stack, BUCKET, target.client, lambda stack, changes: False)
    with pytest.raises(deploy.Refused, match="not agreed"):
        deploy.deploy(said_no, folder, GIVEN)
    assert deploy.described(target, target.data_stack) is None
    shown(target, folder)
    with pytest.raises(deploy.Refused, match="not agreed"):
        deploy.deploy(said_no, folder, {"WecomCorpId": "ww2"})
    assert environment(target)["WECOM_CORP_ID"] == "ww1"
    assert shown(target, folder, {"WecomCorpId": "ww2"})[target.stack]
    assert environment(target)["WECOM_CORP_ID"] == "ww2"


def test_parameters_are_checked_before_anything_is_made(target: deploy.Target, folder: Path) -> None:
    with pytest.raises(deploy.Refused, match="no such parameter: Colour, Flavour"):
        deploy.deploy(target, folder, {**GIVEN, "Colour": "red", "Flavour": "sweet"})
    with pytest.raises(deploy.Refused, match=r"need a value: PublicBaseUrl, SecretMall$"):
        few = {k: v for k, v in GIVEN.items() if k not in ("PublicBaseUrl", "SecretMall")}
        deploy.deploy(target, folder, few)
    assert deploy.described(target, target.data_stack) is None


def test_older_code_comes_back_and_never_takes_a_table_with_it(
    target: deploy.Target, folder: Path, tmp_path: Path
) -> None:
    """A release that brings a table and a setting; then the release before it."""
    data, code = template(folder, "data"), template(folder, "template")
    more = copy.deepcopy(data["Resources"]["SettingsTable"])
    more["Properties"]["TableName"] = {"Fn::Sub": "${CodeStack}-more"}
    data["Resources"]["MoreTable"] = more
    code["Resources"]["PushFunction"]["Properties"]["Environment"]["Variables"]["MORE"] = "1"
    newer = variant(folder, tmp_path / "newer", data=data, code=code)

    shown(target, folder)
    put(target, "before")
    asked = shown(target, newer, {})
    assert asked[target.data_stack] == ["Add 1 AWS::DynamoDB::Table"]
    assert environment(target)["MORE"] == "1"
    with pytest.raises(deploy.Refused, match=r"would lose or replace MoreTable.*ONLY=code"):
        shown(target, folder, {})
    assert environment(target)["MORE"] == "1"
    assert list(shown(target, folder, {}, only_code=True)) == [target.stack]
    assert "MORE" not in environment(target)
    assert got(target) == "before"
    assert target.client("dynamodb").describe_table(TableName=f"{target.stack}-more")


def test_a_release_that_fails_goes_back_by_itself_and_says_why(
    target: deploy.Target, folder: Path, tmp_path: Path
) -> None:
    shown(target, folder)
    put(target, "before")
    code = template(folder, "template")
    code["Resources"]["PushFunction"]["Properties"]["Environment"]["Variables"]["MORE"] = "1"
    code["Resources"]["WelcomeFunction"]["Properties"]["Code"]["S3Key"] = "not-there.zip"
    with pytest.raises(deploy.Failed, match="WelcomeFunction"):
        shown(target, variant(folder, tmp_path / "bad", code=code), {})
    assert "MORE" not in environment(target)
    assert got(target) == "before"
    assert shown(target, folder, {}) == {}


def one_stack(folder: Path) -> Json:
    """A template of before there were two stacks: its own tables, bucket and keys, not yet protected."""
    data, code = template(folder, "data"), template(folder, "template")
    text = json.dumps(data["Resources"]).replace("${CodeStack}", "${AWS::StackName}")
    resources = json.loads(text)
    for resource in resources.values():
        resource.get("Properties", {}).pop("DeletionProtectionEnabled", None)
    del resources["FilesBucket"]["Properties"]["VersioningConfiguration"], resources["EgressAddress"]
    code["Resources"] |= {n: r for n, r in resources.items() if r["Type"] in deploy.IDENTIFIERS}
    text = json.dumps(code)
    for name, attribute in (("TimelineStream", "TimelineTable.StreamArn"), ("SecretKeys", "SecretKeys.Id")):
        text = text.replace(f'{{"Ref": "{name}"}}', f'{{"Fn::GetAtt": {json.dumps(attribute.split("."))}}}')
    made = dict(json.loads(text))
    for name in ("TimelineStream", "SecretKeys", "FilesBucket"):
        del made["Parameters"][name]
    return made


def test_one_stack_becomes_two_with_its_data_also_when_it_was_cut_off(
    target: deploy.Target, folder: Path
) -> None:
    deploy.upload(target, folder / "archives")
    deploy.change(target, target.stack, one_stack(folder), {**GIVEN, "ArchiveBucket": BUCKET})
    before = environment(target, "api")
    put(target, "before")

    def not_the_import(stack: str, changes: list[str]) -> bool:
        return stack == target.stack

    cut_off = deploy.Target(target.stack, BUCKET, target.client, not_the_import)
    with pytest.raises(deploy.Refused):
        deploy.deploy(cut_off, folder, {})
    assert deploy.held(target, target.stack) == []  # out of the one, not yet in the other
    assert (environment(target, "api"), got(target)) == (before, "before")

    asked = shown(target, folder, {})
    assert "Import 1 AWS::SecretsManager::Secret" in asked[target.data_stack]
    assert environment(target, "api") == before  # the same bucket, keys and tables
    assert got(target) == "before"
    table = target.client("dynamodb").describe_table(TableName=f"{target.stack}-settings")["Table"]
    assert table["DeletionProtectionEnabled"]
    versioning = target.client("s3").get_bucket_versioning(Bucket=before["FILES_BUCKET"])
    assert versioning["Status"] == "Enabled"
    assert shown(target, folder, {}) == {}


def table(*indexes: str) -> Json:
    """A table `t` whose indexes have an attribute of their own each."""
    names = [f"{index}_key" for index in indexes]
    properties: Json = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("id", *names)],
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [
            {"IndexName": i, "KeySchema": [{"AttributeName": n, "KeyType": "HASH"}]}
            for i, n in zip(indexes, names, strict=True)
        ]
    return {"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}


def indexes_of(template: Json) -> set[str]:
    return {
        i["IndexName"] for i in template["Resources"]["T"]["Properties"].get("GlobalSecondaryIndexes", [])
    }


@pytest.mark.parametrize(
    ("present", "wanted", "steps"),
    [
        ((), (), 1),
        ((), ("a",), 1),
        ((), ("a", "b", "c"), 3),
        (("a", "b", "c"), (), 3),
        (("a", "b"), ("c", "d"), 4),
        (("a", "b"), ("b", "c"), 2),
    ],
)
def test_a_table_gets_or_loses_one_index_an_update(
    present: tuple[str, ...], wanted: tuple[str, ...], steps: int
) -> None:
    made = list(deploy.index_steps(table(*present), table(*wanted)))
    assert len(made) == steps and made[-1] == table(*wanted)
    for before, after in zip([table(*present), *made], made, strict=False):
        assert len(indexes_of(before) ^ indexes_of(after)) <= 1
        properties = after["Resources"]["T"]["Properties"]
        defined = {d["AttributeName"] for d in properties["AttributeDefinitions"]}
        assert defined == {
            "id",
            *(f"{index}_key" for index in indexes_of(after)),
        }  # CloudFormation wants no other


def test_a_new_tables_indexes_are_made_with_it() -> None:
    assert list(deploy.index_steps({}, table("a", "b"))) == [table("a", "b")]


def test_a_release_with_several_new_indexes_of_a_table_is_deployed_step_by_step(
    target: deploy.Target, folder: Path, tmp_path: Path
) -> None:
    data = template(folder, "data")
    ((name, audit),) = [
        (name, r) for name, r in data["Resources"].items()
        if r["Type"] == "AWS::DynamoDB::Table" and r["Properties"]["TableName"]["Fn::Sub"].endswith("-audit")
    ]  # fmt: skip
    fewer = copy.deepcopy(data)
    properties = fewer["Resources"][name]["Properties"]
    del properties["GlobalSecondaryIndexes"]
    keys = {key["AttributeName"] for key in properties["KeySchema"]}
    properties["AttributeDefinitions"] = [
        d for d in properties["AttributeDefinitions"] if d["AttributeName"] in keys
    ]
    shown(target, variant(folder, tmp_path / "fewer", data=fewer))
    asked = shown(target, folder)[target.data_stack]
    assert len([change for change in asked if name in change]) == len(
        audit["Properties"]["GlobalSecondaryIndexes"]
    )
    described = target.client("dynamodb").describe_table(TableName=f"{target.stack}-audit")["Table"]
    assert {index["IndexName"] for index in described["GlobalSecondaryIndexes"]} == {"object", "actor"}
