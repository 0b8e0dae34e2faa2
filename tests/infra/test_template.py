"""Assertions on what is deployed: the translated template, and the archives it names."""

import importlib
import json
import re
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import function_of
from chalicelib.platform import settings, storage
from chalicelib.platform.http import Door
from infra import build, limits, package, template

Json = dict[str, Any]


@pytest.fixture(scope="module")
def folder() -> Path:
    """What `make package` makes."""
    out = build.ROOT / "build" / "test"
    package.package("prod", out, build.aws())
    return out


@pytest.fixture(scope="module")
def resources(folder: Path) -> dict[str, Json]:
    """The code stack's."""
    return dict(json.loads((folder / "template.json").read_text())["Resources"])


@pytest.fixture(scope="module")
def kept(folder: Path) -> dict[str, Json]:
    """The data stack's."""
    return dict(json.loads((folder / "data.json").read_text())["Resources"])


def of_type(resources: dict[str, Json], kind: str) -> dict[str, Json]:
    return {name: r.get("Properties", {}) for name, r in resources.items() if r["Type"] == kind}


def target_of(value: Any) -> str:
    """The logical id in a Ref or GetAtt."""
    return str(value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0])


def mappings(resources: dict[str, Json]) -> Iterator[tuple[str, Json, bool]]:
    """Each event source mapping: its id, its properties, whether its source is a queue."""
    for name, properties in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        source = target_of(properties["EventSourceArn"])
        yield name, properties, source in of_type(resources, "AWS::SQS::Queue")


def alarmed(resources: dict[str, Json], queue: str) -> bool:
    return any(
        alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        and target_of(alarm["Dimensions"][0]["Value"]) == queue
        and alarm["Threshold"] == 0
        and alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
    )


def test_every_consumer_parks_what_fails_and_somebody_hears(resources: dict[str, Json]) -> None:
    found = list(mappings(resources))
    assert len(found) >= 9
    for name, mapping, from_queue in found:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        if from_queue:
            redrive = resources[target_of(mapping["EventSourceArn"])]["Properties"]["RedrivePolicy"]
            dead = target_of(redrive["deadLetterTargetArn"])
            assert 1 <= redrive["maxReceiveCount"] <= 10, name
            told = resources[target_of(mapping["FunctionName"])]["Properties"]["Environment"]["Variables"]
            assert told["RECEIVES"] == str(redrive["maxReceiveCount"]), name  # its last one ends jobs
        else:
            dead = target_of(mapping["DestinationConfig"]["OnFailure"]["Destination"])
            assert mapping["BisectBatchOnFunctionError"], name
            # The router judges no line: it asks again until the stream forgets.
            bounded = 0 < mapping["MaximumRetryAttempts"] < 100
            assert bounded or (name, mapping["MaximumRetryAttempts"]) == ("RouteStreamSource", -1), name
        assert resources[dead]["Properties"]["MessageRetentionPeriod"] == 14 * 86400, name
        assert alarmed(resources, dead), name


def test_queues_hide_a_message_six_times_as_long_as_its_function_may_run(resources: dict[str, Json]) -> None:
    for name, mapping, from_queue in mappings(resources):
        if from_queue:
            queue = resources[target_of(mapping["EventSourceArn"])]["Properties"]
            seconds = resources[target_of(mapping["FunctionName"])]["Properties"]["Timeout"]
            if name == "WelcomeQueueSource":
                continue
            assert queue["VisibilityTimeout"] >= 6 * seconds, name
            assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2, name


def test_a_welcome_that_was_killed_comes_again_within_the_20_seconds_of_its_code(
    folder: Path, resources: dict[str, Json]
) -> None:
    """Lambda takes no mapping whose queue hides a message for less than its function may run. AWS advises six
    times that, for batches that are throttled: here the mapping asks for just what is reserved."""
    function, queue = (resources[name]["Properties"] for name in ("WelcomeFunction", "WelcomeQueue"))
    mapping = resources["WelcomeQueueSource"]["Properties"]
    assert function["Timeout"] == queue["VisibilityTimeout"] == 4
    assert mapping["BatchSize"] == 1
    tries = 20 // queue["VisibilityTimeout"]
    assert tries < queue["RedrivePolicy"]["maxReceiveCount"]  # one more writes what it came to
    reserved = {"Ref": "WelcomeReservedConcurrency"}
    has_some = "HasWelcomeReservedConcurrency"
    assert function["ReservedConcurrentExecutions"]["Fn::If"][:2] == [has_some, reserved]
    assert mapping["ScalingConfig"]["MaximumConcurrency"]["Fn::If"] == [has_some, reserved, 100]
    parameter = json.loads((folder / "template.json").read_text())["Parameters"][reserved["Ref"]]
    assert parameter["Default"] == 20


def test_reserved_capacity_is_what_its_mapping_asks_for() -> None:
    for name, spec in package.parsed("stack.yaml")["functions"].items():
        if reserved := spec.get("queue", {}).get("reserved"):
            asked = template.queue_source(name, spec, "X")[f"{template.camel(name)}QueueSource"]["Properties"]
            assert asked["ScalingConfig"]["MaximumConcurrency"]["Fn::If"][1] == {"Ref": reserved}
            assert asked["BatchSize"] == 1, "a batch that is throttled would be hidden as a whole"


def test_fifo_queues_scale_by_group(resources: dict[str, Json]) -> None:
    fifo = [q for q in of_type(resources, "AWS::SQS::Queue").values() if q.get("FifoQueue")]
    assert fifo
    for queue in fifo:
        assert queue["DeduplicationScope"] == "messageGroup"
        assert queue["FifoThroughputLimit"] == "perMessageGroupId"
        assert "ContentBasedDeduplication" not in queue  # the sender says what is the same
    assert all(q["SqsManagedSseEnabled"] for q in of_type(resources, "AWS::SQS::Queue").values())


def test_every_function_is_woken_by_something(resources: dict[str, Json]) -> None:
    woken = {target_of(mapping["FunctionName"]) for _, mapping, _ in mappings(resources)}
    woken |= {target_of(s["Target"]["Arn"]) for s in of_type(resources, "AWS::Scheduler::Schedule").values()}
    woken |= {target_of(p["FunctionName"]) for p in of_type(resources, "AWS::Lambda::Permission").values()}
    invoked = {"LakeFunction", "PosterFunction", "RedriveFunction"}  # by the API, whose role may
    woken |= invoked
    assert set(of_type(resources, "AWS::Lambda::Function")) == woken
    granted = statements_on(resources, "ApiRole", "lambda:InvokeFunction")
    assert {target_of(resource) for resource in granted} == invoked
    handlers = {folder.name for folder in build.function_folders()}
    made = {n.removesuffix("Function") for n in of_type(resources, "AWS::Lambda::Function")}
    made -= {"APIHandler", "Public"}
    assert {template.camel(name) for name in handlers} == made


def statements(resources: dict[str, Json], role: Json) -> list[Json]:
    """Of a role's own policies and of the managed ones of ours."""
    policies = list(role["Policies"])
    for arn in role.get("ManagedPolicyArns", []):
        if "Ref" in arn:
            policies.append(resources[arn["Ref"]]["Properties"])
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def statements_on(resources: dict[str, Json], role: str, action: str) -> list[Any]:
    return [
        resource
        for statement in statements(resources, resources[role]["Properties"])
        if action in statement["Action"]
        for resource in statement["Resource"]
    ]


def test_no_grant_is_a_wildcard(resources: dict[str, Json]) -> None:
    """But for tables (next test), and what is under a named prefix of the bucket. VPC access, which AWS
    grants on everything, only with the option."""
    roles = of_type(resources, "AWS::IAM::Role")
    assert len(roles) == len(of_type(resources, "AWS::Lambda::Function")) + len(
        of_type(resources, "AWS::Scheduler::Schedule")
    )
    for name, role in roles.items():
        for statement in statements(resources, role):
            assert statement["Effect"] == "Allow"
            assert all("*" not in action for action in statement["Action"]), name
            for resource in statement["Resource"]:
                text = json.dumps(resource)
                if name == "RedriveRole" and ":sqs:" in text:
                    assert "${AWS::StackName}-*" in text  # any queue of the stack
                    continue
                if template.TABLES not in text:
                    assert "*" not in re.sub(r"FilesBucket}/[a-z]+/\*", "", text), f"{name}: {text}"
        for managed in role.get("ManagedPolicyArns", []):
            assert "Ref" in managed or managed["Fn::If"][0] == "HasFixedEgress", name
        assert len(role.get("ManagedPolicyArns", [])) <= 10, name


def test_a_role_reaches_exactly_the_tables_that_are_listed(resources: dict[str, Json]) -> None:
    """A pattern such as `group*` matches no table that the function was not given."""
    stack = package.parsed("stack.yaml")
    tables, indexed = set(stack["tables"]), {n for n, t in stack["tables"].items() if "indexes" in t}
    for name, spec in stack["functions"].items():
        write, read, scan = (set(spec.get(word, [])) for word in ("write", "read", "scan"))
        for action, expected in {"PutItem": write, "GetItem": write | read, "Scan": scan}.items():
            granted = table_patterns(resources, name, action)
            assert {t for t in tables for g in granted if fnmatchcase(t, g)} == expected, (name, action)
        ends = [g.removesuffix("/index/*") for g in table_patterns(resources, name, "Query") if "/" in g]
        assert {t for t in indexed for g in ends if fnmatchcase(t, g)} == (write | read) & indexed, name


def table_patterns(resources: dict[str, Json], function: str, action: str) -> list[str]:
    granted = statements_on(resources, f"{template.camel(function)}Role", f"dynamodb:{action}")
    return [resource["Fn::Sub"].removeprefix(template.TABLES) for resource in granted]


def test_limits_of_the_platform(folder: Path) -> None:
    uses = limits.measure(folder)
    assert {use.limit for use in uses} == {
        limits.INLINE,
        limits.MANAGED,
        limits.RESOURCES,
        limits.TEMPLATE,
        limits.PATHS,
        limits.ENVIRONMENT,
        limits.UNZIPPED,
    }
    assert [use for use in uses if use.is_over] == []


def test_a_role_is_counted_as_iam_counts_it() -> None:
    """All its inline policies in sum, resolved, without whitespace."""
    statement = {"Effect": "Allow", "Action": ["a:B c"], "Resource": [{"Fn::Sub": template.TABLES + "x"}]}
    policy = template.policy("p", [statement])
    deployed = limits.resolved(
        {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy, policy]}}}},
        "cn-northwest-1",
    )
    arn = "arn:aws-cn:dynamodb:cn-northwest-1:123456789012:table/millrace-prod-x"
    counted = f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["a:Bc"],"Resource":["{arn}"]}}]}}'
    assert list(limits.policies(deployed)) == [(limits.INLINE, "R", 2 * len(counted))]


def test_the_stage_is_logged_without_who_and_throttled(resources: dict[str, Json]) -> None:
    (stage,) = of_type(resources, "AWS::ApiGateway::Stage").values()
    log = stage["AccessLogSetting"]
    assert resources[target_of(log["DestinationArn"])]["Properties"]["RetentionInDays"] == 30
    variables = set(re.findall(r"\$context\.([a-zA-Z.]+)", log["Format"]))
    assert variables == {
        "requestId",
        "requestTime",
        "httpMethod",
        "resourcePath",  # the pattern: `path` would say which customer
        "status",
        "responseLatency",
        "responseLength",
    }
    json.loads(log["Format"])
    (every,) = stage["MethodSettings"]
    assert (every["ResourcePath"], every["HttpMethod"]) == ("/*", "*")
    assert every["ThrottlingRateLimit"] == {"Ref": "ThrottleRate"}
    assert every["ThrottlingBurstLimit"] == {"Ref": "ThrottleBurst"}
    assert resources["RestAPI"]["Properties"]["MinimumCompressionSize"] == 4096


def test_the_data_stack_holds_all_that_must_not_go(
    folder: Path, resources: dict[str, Json], kept: dict[str, Json]
) -> None:
    lasting = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::EC2::EIP"}
    assert not lasting & {r["Type"] for r in resources.values()}
    assert lasting <= {r["Type"] for r in kept.values()}
    for name, resource in kept.items():
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name
    data, code = (json.loads((folder / f).read_text()) for f in ("data.json", "template.json"))
    given = set(data["Outputs"]) - {"EgressIp"}
    assert given == {"TimelineStream", "FilesBucket", "SecretKeys", "EgressAllocation"}
    assert given <= set(code["Parameters"])
    assert "ImportValue" not in json.dumps(code), "a rollback of code would be tied to the data stack"


def test_files_come_as_the_bytes_that_they_are(resources: dict[str, Json]) -> None:
    """Of a body that API Gateway takes for a text it makes UTF-8: a table in GB 18030 would be lost."""
    (api,) = of_type(resources, "AWS::ApiGateway::RestApi").values()
    assert api["BinaryMediaTypes"] == api["Body"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_files_that_were_overwritten_can_be_had_back(kept: dict[str, Json]) -> None:
    bucket = kept["FilesBucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    (versions,) = (rule for rule in rules if "NoncurrentVersionExpiration" in rule)
    assert versions["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert versions["ExpiredObjectDeleteMarker"] is True
    assert "Prefix" not in versions


def test_each_function_has_a_role_of_its_own(resources: dict[str, Json]) -> None:
    roles = [target_of(f["Role"]) for f in of_type(resources, "AWS::Lambda::Function").values()]
    assert len(set(roles)) == len(roles)


def test_who_asks_whom_an_sop_is_for_may_read_stores_and_their_people() -> None:
    """sops/scopes.py reads them, for SOPs that are kept to a scope alone: no other test would miss the grant."""
    functions = package.parsed("stack.yaml")["functions"]
    for name in ("welcome", "enrol", "push"):
        granted = {*functions[name].get("read", []), *functions[name].get("write", [])}
        assert {"stores", "staff"} <= granted, name


def test_only_who_needs_them_reads_secrets_and_none_is_in_the_environment(resources: dict[str, Json]) -> None:
    stack = package.parsed("stack.yaml")["functions"]
    secret_words = re.compile(r"token|aes|private|apiv3|password|secret", re.IGNORECASE)
    for name, spec in stack.items():
        role = f"{template.camel(name)}Role"
        granted = statements_on(resources, role, "secretsmanager:GetSecretValue")
        assert granted == [template.secret_arn(group) for group in spec.get("secrets", [])]
        handler = resources[template.handler_id(name)]
        for key, value in handler["Properties"]["Environment"]["Variables"].items():
            if secret_words.search(key):
                assert key.startswith("SECRET_"), key
                assert value == {"Ref": f"Secret{template.camel(key.removeprefix('SECRET_').lower())}"}
    assert {name for name, spec in stack.items() if "wechatpay" in spec.get("secrets", [])} == {"payout"}
    # The functions of HTTP hold no key that moves money; and who plans payouts can't read whom they go to.
    people = {"distributors", "payouts"}
    seen = {
        name
        for name, spec in stack.items()
        if people & {*spec.get("read", []), *spec.get("write", [])} and "keys" in spec.get("secrets", [])
    }
    assert seen == {"api", "export", "public", "payout", "migrate"}


def test_both_functions_of_the_app_are_one_archive_behind_a_few_roots(resources: dict[str, Json]) -> None:
    api, public = (resources[name]["Properties"] for name in ("APIHandler", "PublicFunction"))
    assert api["Code"] == public["Code"] and api["Handler"] == public["Handler"] == "app.app"
    assert (api["Environment"]["Variables"]["DOORS"], public["Environment"]["Variables"]["DOORS"]) == (
        "api",
        "public",
    )
    paths = resources["RestAPI"]["Properties"]["Body"]["paths"]
    assert len({path[: at.start()] or "/" for path in paths for at in re.finditer("/|$", path)}) <= 60
    permitted = {target_of(p["FunctionName"]) for p in of_type(resources, "AWS::Lambda::Permission").values()}
    for path, methods in paths.items():
        assert methods.keys() == {"get", "head", "post", "put", "patch", "delete", "options"}
        (uri,) = {json.dumps(m["x-amazon-apigateway-integration"]["uri"]) for m in methods.values()}
        handler = template.handler_id(function_of(path.replace("/{proxy+}", "/x")))
        assert f"${{{handler}.Arn}}" in uri and handler in permitted, path
    for route in Door.routes:  # as API Gateway finds it: a literal first, then the nearest {proxy+}
        root = route.path
        while root not in paths:
            root = f"{root.removesuffix('/{proxy+}').rpartition('/')[0]}/{{proxy+}}"
        (uri,) = {json.dumps(m["x-amazon-apigateway-integration"]["uri"]) for m in paths[root].values()}
        assert template.handler_id(function_of(route.path)) in uri, route.path


def test_where_conversions_go_is_known_to_who_checks_it_and_who_calls_it() -> None:
    stack = package.parsed("stack.yaml")
    for name in ("api", "convert"):
        variables = template.environment(stack["functions"][name], stack)
        assert variables["ADS_API_BASE"] == {"Ref": "AdsApiBase"}, name
    assert "SECRET_ADS" not in template.environment(stack["functions"]["api"], stack)
    assert package.parsed("resources.yaml")["Parameters"]["AdsApiBase"]["Default"] == ""


def test_tables_are_safe(kept: dict[str, Json]) -> None:
    tables = of_type(kept, "AWS::DynamoDB::Table")
    assert {t["TableName"]["Fn::Sub"] for t in tables.values()} == {
        "${CodeStack}-" + name for name in package.parsed("stack.yaml")["tables"]
    }
    for name, table in tables.items():
        assert table["BillingMode"] == "PAY_PER_REQUEST", name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert table["SSESpecification"] == {"SSEEnabled": True}, name
        assert table["DeletionProtectionEnabled"] is True, name
    for name in ("IdempotencyTable", "JobsTable"):
        assert tables[name]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert tables["TimelineTable"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}


def test_tables_are_as_the_models_have_them(kept: dict[str, Json]) -> None:
    """Keys, indexes and projections of each PynamoDB model are those that are deployed, and the other way
    round. Several models may share a table: its indexes are those of all of them."""
    for path in sorted((build.ROOT / "chalicelib").rglob("*.py")):
        if "(storage.Base)" in path.read_text() or "(Base)" in path.read_text():
            importlib.import_module(".".join(path.relative_to(build.ROOT).with_suffix("").parts))
    modelled: dict[str, Shape] = {}
    for kind in every_subclass(storage.Base):
        if kind.__module__.startswith("chalicelib."):
            name = kind.Meta.table_name.removeprefix(settings.table(""))
            indexes = {i.Meta.index_name: shape(i._get_schema()) for i in kind._indexes.values()}
            keys = [k for k in (kind._hash_keyname, kind._range_keyname) if k]
            assert modelled.setdefault(name, (keys, {}))[0] == keys, kind
            for index, (index_keys, projection) in indexes.items():
                known = modelled[name][1].setdefault(index, (index_keys, projection))
                assert known == (index_keys, projection), kind
    deployed = {
        table["TableName"]["Fn::Sub"].removeprefix("${CodeStack}-"): (
            key_names(table),
            {i["IndexName"]: shape(i) for i in table.get("GlobalSecondaryIndexes", [])},
        )
        for table in of_type(kept, "AWS::DynamoDB::Table").values()
    }
    assert modelled == deployed


Shape = tuple[list[str], dict[str, tuple[list[str], str]]]  # a table's keys; of each index keys, projection


def shape(index: Json) -> tuple[list[str], str]:
    """Of an index, as CloudFormation and as PynamoDB have it."""
    projection = index.get("Projection") or index["projection"]
    assert set(projection) <= {"ProjectionType", "NonKeyAttributes"}, index
    attributes = sorted(projection.get("NonKeyAttributes") or ())
    return key_names(index), " ".join([projection["ProjectionType"], *attributes])


def every_subclass(kind: type) -> Iterator[Any]:
    for sub in kind.__subclasses__():
        yield sub
        yield from every_subclass(sub)


def key_names(spec: Json) -> list[str]:
    keys = spec.get("KeySchema") or spec["key_schema"]  # CloudFormation, PynamoDB
    return [key["AttributeName"] for key in sorted(keys, key=lambda key: str(key["KeyType"]))]


def test_schedules_park_what_they_could_not_start(resources: dict[str, Json]) -> None:
    schedules = of_type(resources, "AWS::Scheduler::Schedule")
    assert {s["ScheduleExpression"] for s in schedules.values()} == {"rate(1 minute)", "cron(0 18 * * ? *)"}
    asynchronous = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    for name, schedule in schedules.items():
        dead = target_of(schedule["Target"]["DeadLetterConfig"]["Arn"])
        assert alarmed(resources, dead), name
        assert "ScheduleExpressionTimezone" not in schedule, "in UTC: the emulator knows no zones"
        function = target_of(schedule["Target"]["Arn"])
        assert [
            target_of(c["DestinationConfig"]["OnFailure"]["Destination"])
            for c in asynchronous
            if target_of(c["FunctionName"]) == function
        ] == [dead]


def test_what_calls_wecom_has_the_fixed_address(resources: dict[str, Json]) -> None:
    outside = {
        name
        for name, f in of_type(resources, "AWS::Lambda::Function").items()
        if f.get("VpcConfig", {}).get("Fn::If", [""])[0] == "HasFixedEgress"
    }
    callers = {
        name
        for name, f in of_type(resources, "AWS::Lambda::Function").items()
        if {"SECRET_WECOM", "SECRET_WECHATPAY"} & set(f["Environment"]["Variables"])
    }
    assert outside == callers
    endpoints = {e["ServiceName"]["Fn::Sub"] for e in of_type(resources, "AWS::EC2::VPCEndpoint").values()}
    assert endpoints == {"com.amazonaws.${AWS::Region}.dynamodb", "com.amazonaws.${AWS::Region}.s3"}


def test_it_names_no_partition_and_no_region(folder: Path) -> None:
    text = (folder / "data.json").read_text() + (folder / "template.json").read_text()
    assert not re.search(r"arn:aws[:-]", text)
    assert not re.search(r"\b(cn|us|eu|ap)-[a-z]+-\d\b", text)
    assert "amazonaws.com.cn" not in text


def test_the_runtime_is_one_setting(resources: dict[str, Json]) -> None:
    runtime, architecture = build.configured()
    for function in of_type(resources, "AWS::Lambda::Function").values():
        assert (function["Runtime"], function["Architectures"]) == (runtime, [architecture])
    for layer in of_type(resources, "AWS::Lambda::LayerVersion").values():
        assert (layer["CompatibleRuntimes"], layer["CompatibleArchitectures"]) == ([runtime], [architecture])


def test_archives_are_there_and_hold_bytecode_where_it_can_be_made(
    folder: Path, resources: dict[str, Json]
) -> None:
    named = set()
    for kind, key in (("AWS::Lambda::Function", "Code"), ("AWS::Lambda::LayerVersion", "Content")):
        for properties in of_type(resources, kind).values():
            named.add(properties[key]["S3Key"])
    assert named == {path.name for path in (folder / "archives").iterdir()}
    target = build.aws()
    tag = target.runtime.replace("python", "cpython-").replace(".", "")
    for name in named:
        names = zipfile.ZipFile(folder / "archives" / name).namelist()
        sources = {n for n in names if n.endswith(".py")}
        compiled = {
            re.sub(rf"__pycache__/(.*)\.{tag}\.pyc$", r"\1.py", n) for n in names if n.endswith(".pyc")
        }
        assert compiled == (sources if target.has_bytecode else set()), name


def test_archives_fit_lambda(folder: Path) -> None:
    layers = [p for n in ("dependencies", "imaging", "fonts") for p in (folder / "archives").glob(f"{n}-*")]
    assert len(layers) == 3
    assert sum(build.unzipped(p) for p in layers) < 200 * 1024 * 1024
    dependencies = zipfile.ZipFile(layers[0])
    services = {
        n.split("/")[3] for n in dependencies.namelist() if re.match(r"python/botocore/data/[^/]+/", n)
    }
    assert services == build.BOTOCORE_DATA
    endpoints = json.loads(dependencies.read("python/botocore/data/endpoints.json"))
    described = {name for partition in endpoints["partitions"] for name in partition["services"]}
    assert {"dynamodb", "sqs", "secretsmanager"} <= described <= build.BOTOCORE_DATA
    assert build.unzipped(layers[0]) < 40 * 1024 * 1024


ELF = {"x86_64": b"\x3e\0", "arm64": b"\xb7\0"}  # the processor, at byte 18


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_wheels_are_refused_that_would_not_load_on_lambda(tmp_path: Path, architecture: str) -> None:
    target, machine = build.aws(architecture), build.MACHINES[architecture][0]
    other = {"x86_64": "arm64", "arm64": "x86_64"}[architecture]
    info = tmp_path / "thing-1.0.dist-info"
    info.mkdir()
    wheel, library = info / "WHEEL", tmp_path / "thing.so"

    def check(tag: str, processor: str = architecture, glibc: str = "2.34") -> None:
        wheel.write_text(f"Tag: cp313-cp313-{tag}\n")
        header = b"\x7fELF" + bytes(14) + ELF[processor]
        library.write_bytes(header + f"GLIBC_2.2.5\0GLIBC_{glibc}\0".encode())
        build.check_wheels(tmp_path, target)

    check(f"manylinux_2_28_{machine}")
    check("any")
    with pytest.raises(RuntimeError, match="needs glibc"):
        check(f"manylinux_2_28_{machine}", glibc="2.35")
    with pytest.raises(RuntimeError, match="built here"):
        check(f"linux_{machine}")
    with pytest.raises(RuntimeError, match="dist-info is not for"):
        check(f"manylinux_2_28_{build.MACHINES[other][0]}")
    with pytest.raises(RuntimeError, match="so is not for"):
        check(f"manylinux_2_28_{machine}", processor=other)


def test_requirements_are_chosen_for_the_target_not_for_this_python() -> None:
    pins = """
        everywhere==1.0  # a reason
        older==1.0; python_version < "3.13"
        newer==1.0; python_version >= "3.13" and sys_platform == "linux"
        arm==1.0; platform_machine == "aarch64"
    """
    assert build.pins(pins, build.Target("python3.12", "arm64", ("any",), False)) == [
        "everywhere==1.0", "older==1.0", "arm==1.0"
    ]  # fmt: skip
    assert build.pins(pins, build.Target("python3.13", "x86_64", ("any",), False)) == [
        "everywhere==1.0", "newer==1.0"
    ]  # fmt: skip


@pytest.mark.parametrize("name", sorted(p.parent.name for p in build.ROOT.glob("layers/*/requirements.txt")))
def test_layers_can_be_had_for_arm64(name: str) -> None:
    """Every wheel, its processor and its glibc are checked as it is built."""
    build.layer(build.ROOT / "layers" / name, build.aws("arm64"))


def test_alarms_look_for_metrics_that_the_code_measures(resources: dict[str, Json]) -> None:
    sources = "".join(path.read_text() for path in (build.ROOT / "chalicelib").rglob("*.py"))
    ours = [a for a in of_type(resources, "AWS::CloudWatch::Alarm").values() if a["Namespace"] == "Millrace"]
    assert len(ours) >= 2
    for alarm in ours:
        assert f'log.measure("{alarm["MetricName"]}"' in sources
        assert alarm["Dimensions"] == [{"Name": "stage", "Value": {"Ref": "AWS::StackName"}}]


def test_functions_follow_the_architecture() -> None:
    archives = {path.name: "a.zip" for path in (build.ROOT / "layers").iterdir()}
    made = package.ours(archives, build.aws("arm64"))["Resources"]
    functions = [r["Properties"] for r in made.values() if "Architectures" in r.get("Properties", {})]
    assert len(functions) >= 14 and all(f["Architectures"] == ["arm64"] for f in functions)


def test_the_same_sources_make_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build.ROOT / "functions" / "push"
    made = []
    for name in ("a", "b"):
        monkeypatch.setattr(build, "CACHE", tmp_path / name)
        (tmp_path / f"shared-{name}").mkdir()
        made.append(build.function(folder, build.aws(), tmp_path / f"shared-{name}"))
    assert made[0].read_bytes() == made[1].read_bytes()
    with zipfile.ZipFile(made[0]) as packed:
        names = packed.namelist()
    assert {"handler.py", "chalicelib/__init__.py"} <= set(names) and len(names) == len(set(names))


def test_stack_yaml_names_only_what_there_is() -> None:
    """A name misspelt there would be a grant on nothing."""
    stack = yaml.safe_load((build.ROOT / "infra" / "stack.yaml").read_text())
    queues = {name for name, spec in stack["functions"].items() if "queue" in spec}
    for name, spec in stack["functions"].items():
        for word in ("read", "write", "scan"):
            assert set(spec.get(word, [])) <= set(stack["tables"]), (name, word)
        assert set(template.sends(spec)) <= queues, name
        assert set(spec.get("secrets", [])) <= set(stack["settings"]), name
        assert set(spec.get("invoke", [])) <= set(stack["functions"]), name
        assert not set(spec.get("read", [])) & set(spec.get("write", [])), name
