"""CloudFormation from `stack.yaml`: what the functions and tables there must all have.

One block in stack.yaml becomes a function, its role (only the tables, queues and secrets named),
its log group, its queue with a dead-letter queue, its event source with partial batch responses,
its schedule and its alarms. Written by hand the same would be 2,000 lines in which the one
forgotten dead-letter queue could hide.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.platform import listeners, works
from infra.build import Target

Json = dict[str, Any]

READ = ["GetItem", "BatchGetItem", "Query", "ConditionCheckItem"]
WRITE = [*READ, "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"]
DLQ_DAYS = 14
LOG_DAYS = 30
RECEIVES = 5  # before a message is parked in the dead-letter queue
STREAM_RETRIES = 10
INLINE_TABLES = 40  # ARNs of a role's tables beyond which they are no longer its own: 75 characters each
METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
TABLES = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AWS::StackName}-"
FILES = "arn:${AWS::Partition}:s3:::${FilesBucket}"


def data(stack: Mapping[str, Any]) -> Json:
    """The data stack's tables, and what the code stack must be told of them: where the streams are."""
    made: Json = {"Resources": {}, "Outputs": {}}
    for name, spec in stack["tables"].items():
        made["Resources"] |= table(name, spec)
        if "stream" in spec:
            stream = {"Fn::GetAtt": [f"{camel(name)}Table", "StreamArn"]}
            made["Outputs"][f"{camel(name)}Stream"] = {"Value": stream}
    return made


def code(stack: Mapping[str, Any], archives: Mapping[str, str], target: Target) -> Json:
    """The code stack's layers and functions. `archives`: function and layer → its archive's file name."""
    streams = [f"{camel(name)}Stream" for name, spec in stack["tables"].items() if "stream" in spec]
    description = "The stream's ARN, of the data stack's outputs"
    return {
        "Parameters": {name: {"Type": "String", "Description": description} for name in streams},
        "Resources": layers_and_functions(stack, archives, target),
    }


def layers_and_functions(stack: Mapping[str, Any], archives: Mapping[str, str], target: Target) -> Json:
    made: Json = {}
    used = {name for spec in stack["functions"].values() for name in spec.get("layers", [])}
    for name in ("dependencies", *sorted(used)):
        made[f"{camel(name)}Layer"] = layer(name, archives[name], target)
    for name, spec in stack["functions"].items():
        made |= function(name, spec, stack, archives.get(name), target)
    return made


def table(name: str, spec: Mapping[str, Any]) -> Json:
    """A table on demand, encrypted, with point-in-time recovery; not to be deleted, kept when the stack goes.

    Its name is a convention between the two stacks, so that grants and settings need no exports.
    """
    indexes = spec.get("indexes", {})
    keys = [spec["key"], *(index["key"] for index in indexes.values())]
    properties: Json = {
        "TableName": sub("${CodeStack}-" + name),
        "DeletionProtectionEnabled": True,
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "KeySchema": key_schema(spec["key"]),
        "AttributeDefinitions": [
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in sorted({a for k in keys for a in k})
        ],
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index_name,
                "KeySchema": key_schema(index["key"]),
                "Projection": projection(index.get("projection", "ALL")),
            }
            for index_name, index in indexes.items()
        ]
    if "stream" in spec:
        properties["StreamSpecification"] = {"StreamViewType": spec["stream"]}
    if "ttl" in spec:
        properties["TimeToLiveSpecification"] = {"AttributeName": spec["ttl"], "Enabled": True}
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {f"{camel(name)}Table": {"Type": "AWS::DynamoDB::Table", **kept, "Properties": properties}}


def projection(of: str | list[str]) -> Json:
    """KEYS_ONLY, ALL, or the attributes that are copied into an index."""
    if isinstance(of, str):
        return {"ProjectionType": of}
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": of}


def layer(name: str, archive: str, target: Target) -> Json:
    return {
        "Type": "AWS::Lambda::LayerVersion",
        "Properties": {
            "LayerName": sub("${AWS::StackName}-" + name),
            "CompatibleRuntimes": [target.runtime],
            "CompatibleArchitectures": [target.architecture],
            "Content": s3_object(archive),
        },
    }


def function(
    name: str, spec: Mapping[str, Any], stack: Mapping[str, Any], archive: str | None, target: Target
) -> Json:
    """A function and what belongs to it. Chalice makes the `api` function itself: that one is patched.

    `public` is the same archive with other doors (package.patch_api says where it lies).
    """
    handler = handler_id(name)
    properties = common_properties(name, spec, stack, target)
    made: Json = {
        f"{camel(name)}Logs": log_group(name),
        **role(name, spec, stack["tables"]),
        f"{camel(name)}Errors": alarm(
            f"{name} fails", "AWS/Lambda", "Errors", {"FunctionName": sub("${AWS::StackName}-" + name)}, "Sum"
        ),
    }
    if name == "api":
        made[handler] = {"Properties": properties}
    elif "doors" in spec:
        made[handler] = {"Type": "AWS::Lambda::Function", "Properties": properties | {"Handler": "app.app"}}
        made[f"{handler}InvokePermission"] = gateway_permission(handler)
    else:
        properties |= {"Handler": "handler.handler", "Code": s3_object(str(archive))}
        made[handler] = {"Type": "AWS::Lambda::Function", "Properties": properties}
    if "queue" in spec:
        made |= queue(name, spec) | queue_source(name, spec, handler)
    if "stream" in spec:
        made |= stream_source(name, spec["stream"], handler)
    if "schedule" in spec:
        made |= schedule(name, spec["schedule"], handler)
    if "topic" in spec:
        made |= subscription(name, spec["topic"], handler)
    return made


def handler_id(name: str) -> str:
    """A function's logical id; `api` has Chalice's."""
    return "APIHandler" if name == "api" else f"{camel(name)}Function"


def gateway_permission(handler: str) -> Json:
    source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${RestAPI}/*"
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": {"Ref": handler},
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": sub(source),
        },
    }


def gateway_paths(api_roots: Iterable[str]) -> Json:
    """The REST API's paths: the roots of the `api` function, and everything else, which is `public`'s.

    A root below another path would hide its neighbours from the catch-all, so each level gets one.
    """
    paths: Json = {}
    for root in api_roots:
        parent = root.rpartition("/")[0]
        paths |= {f"{parent}/{{proxy+}}": gateway_methods("public")}
        paths |= {path: gateway_methods("api") for path in (root, f"{root}/{{proxy+}}")}
    return paths | {"/": gateway_methods("public")}


def gateway_methods(function_name: str) -> Json:
    """Named one by one: the emulator imports no ANY. The app answers 405 to those that a route lacks."""
    arn = f"${{{handler_id(function_name)}.Arn}}"
    lambda_path = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions"
    method = {
        "responses": {},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": sub(f"{lambda_path}/{arn}/invocations"),
        },
    }
    return dict.fromkeys(METHODS, method)


def common_properties(name: str, spec: Mapping[str, Any], stack: Mapping[str, Any], target: Target) -> Json:
    properties: Json = {
        "FunctionName": sub("${AWS::StackName}-" + name),
        "Runtime": target.runtime,
        "Architectures": [target.architecture],
        "Timeout": spec["seconds"],
        "MemorySize": spec["megabytes"],
        "Role": {"Fn::GetAtt": [f"{camel(name)}Role", "Arn"]},
        "Layers": [{"Ref": f"{camel(layer)}Layer"} for layer in ["dependencies", *spec.get("layers", [])]],
        "Environment": {"Variables": environment(spec, stack)},
    }
    if calls_out(spec):
        inside = {
            "SecurityGroupIds": [{"Ref": "EgressGroup"}],
            "SubnetIds": [{"Ref": "PrivateSubnet1"}, {"Ref": "PrivateSubnet2"}],
        }
        properties["VpcConfig"] = if_("HasFixedEgress", inside)
    if reserved := spec.get("queue", {}).get("reserved"):
        properties["ReservedConcurrentExecutions"] = if_(f"Has{reserved}", {"Ref": reserved})
    return properties


def environment(spec: Mapping[str, Any], stack: Mapping[str, Any]) -> Json:
    """Settings of a function. Secrets are named by their ARN, never given."""
    values: Json = {
        "STAGE": {"Ref": "AWS::StackName"},
        "TABLE_PREFIX": sub("${AWS::StackName}-"),
        "PUBLIC_BASE_URL": {"Ref": "PublicBaseUrl"},
    }
    if "doors" in spec:
        values["DOORS"] = spec["doors"]
    for target in [*sends(spec), *spec.get("watch", [])]:
        values[f"QUEUE_{target.upper()}"] = {"Ref": f"{camel(target)}Queue"}
    for group in spec.get("secrets", []):
        values[f"SECRET_{group.upper()}"] = {"Ref": f"Secret{camel(group)}"}
    for group in [*spec.get("secrets", []), *spec.get("settings", [])]:
        values |= {key: {"Ref": parameter} for key, parameter in stack["settings"][group].items()}
    for target in spec.get("invoke", []):
        values[f"{target.upper()}_FUNCTION"] = {"Ref": f"{camel(target)}Function"}
    if spec.get("dead_letters"):
        values["DEAD_LETTERS"] = " ".join(dead_letter_names(stack))
    if "queue" in spec:
        values["RECEIVES"] = str(spec["queue"].get("attempts", RECEIVES))
    if "files" in spec:
        values["FILES_BUCKET"] = {"Ref": "FilesBucket"}
    return values


def role(name: str, spec: Mapping[str, Any], tables: Mapping[str, Any]) -> Json:
    """A role that may do what stack.yaml lists, and write its own log.

    Of many tables the grants are managed policies, one for each kind of access: its own count in sum.
    """
    statements = [
        allow("logs", ["CreateLogStream", "PutLogEvents"], [{"Fn::GetAtt": [f"{camel(name)}Logs", "Arn"]}]),
    ]
    managed: Json = {}
    on_tables = table_grants(spec, tables)
    if sum(len(statement["Resource"]) for statement in on_tables.values()) > INLINE_TABLES:
        managed = {
            f"{camel(name)}{access}Policy": managed_policy(statement)
            for access, statement in on_tables.items()
        }
    else:
        statements += on_tables.values()
    if targets := sends(spec):
        statements.append(allow("sqs", ["SendMessage"], [arn_of(f"{camel(q)}Queue") for q in targets]))
    if watched := spec.get("watch"):
        statements.append(allow("sqs", ["GetQueueAttributes"], [arn_of(f"{camel(q)}Queue") for q in watched]))
    if spec.get("dead_letters"):
        statements += dead_letter_grants()
    if groups := spec.get("secrets"):
        arns = [secret_arn(group) for group in groups]
        statements.append(allow("secretsmanager", ["GetSecretValue"], arns))
    if targets := spec.get("invoke"):
        statements.append(
            allow("lambda", ["InvokeFunction"], [arn_of(f"{camel(t)}Function") for t in targets])
        )
    statements += file_grants(spec.get("files", {}))
    if "queue" in spec:
        actions = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility"]
        statements.append(allow("sqs", actions, [arn_of(f"{camel(name)}Queue")]))
    if "stream" in spec:
        stream = {"Ref": f"{camel(spec['stream']['table'])}Stream"}
        statements.append(
            allow("dynamodb", ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"], [stream])
        )
        statements.append(allow("sqs", ["SendMessage"], [arn_of(f"{camel(name)}StreamDlq")]))
    if "schedule" in spec:
        statements.append(allow("sqs", ["SendMessage"], [arn_of(f"{camel(name)}ScheduleDlq")]))
    properties: Json = {
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "Policies": [policy(name, statements)],
    }
    attached: list[Json] = [{"Ref": policy_id} for policy_id in managed]
    if calls_out(spec):
        # The one grant on "*" there is, AWS's own: a function in a VPC makes its network interface.
        vpc = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
        attached.append(if_("HasFixedEgress", sub(vpc)))
    if attached:
        properties["ManagedPolicyArns"] = attached
    return {f"{camel(name)}Role": {"Type": "AWS::IAM::Role", "Properties": properties}, **managed}


def sends(spec: Mapping[str, Any]) -> list[str]:
    """The queues that a function may send to: those named, or all that capabilities declare."""
    named = spec.get("send", [])
    if named == "listeners":
        return [listener.name for listener in listeners.known()]
    return works.queues() if named == "works" else list(named)


def dead_letter_names(stack: Mapping[str, Any]) -> list[str]:
    """What has a dead-letter queue, as platform/deadletters.py names it."""
    names = []
    for name, spec in stack["functions"].items():
        if "queue" in spec:
            names.append(name + (".fifo" if spec["queue"]["fifo"] else ""))
        names += [f"{name}-{source}" for source in ("stream", "schedule") if source in spec]
    return names


def dead_letter_grants() -> list[Json]:
    """To look into the stack's dead-letter queues, and send what is there to its queues again."""
    queues = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*"
    take = ["GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "DeleteMessage"]
    return [
        allow("sqs", take, [sub(f"{queues}-dlq"), sub(f"{queues}-dlq.fifo")]),
        allow("sqs", ["GetQueueUrl", "SendMessage"], [sub(queues)]),
    ]


def secret_arn(group: str) -> Json:
    return {"Ref": f"Secret{camel(group)}"}


def table_grants(spec: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Json]:
    """A statement for each kind of access; a table's indexes can only be read."""
    writes, reads, scans = spec.get("write", []), spec.get("read", []), spec.get("scan", [])
    indexed = {name for name, table in tables.items() if "indexes" in table}
    grants = {
        "Write": (WRITE, patterns(writes, tables)),
        "Read": (READ, patterns(reads, tables)),
        "Query": (["Query"], [f"{p}/index/*" for p in patterns(indexed & {*writes, *reads}, indexed)]),
        "Scan": (["Scan"], patterns(scans, tables)),
    }
    return {
        access: allow("dynamodb", actions, [table_arn(p) for p in on])
        for access, (actions, on) in grants.items()
        if on
    }


def patterns(names: Iterable[str], of: Iterable[str]) -> list[str]:
    """Names, but `group_*` for all that begin so, where a role has every one of them: an ARN has 75
    characters, and IAM takes 10,240 for a role."""
    left, made = set(names), []
    for prefix in sorted({name.partition("_")[0] for name in left}):
        family = {name for name in of if name.startswith(prefix)}
        if len(family) > 1 and family <= left:
            made.append(f"{prefix}*")
            left -= family
    return sorted([*made, *left])


def file_grants(spec: Mapping[str, Any]) -> list[Json]:
    """Files by prefix. To tell that one is not there takes ListBucket; without it S3 answers 403."""
    made = []
    for access, actions in (
        ("write", ["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload"]),
        ("read", ["GetObject"]),
    ):
        if prefixes := spec.get(access):
            made.append(allow("s3", actions, [sub(f"{FILES}/{prefix}/*") for prefix in prefixes]))
    if made:
        made.append(allow("s3", ["ListBucket"], [sub(FILES)]))
    return made


def queue(name: str, spec: Mapping[str, Any]) -> Json:
    """A queue, its dead-letter queue, and alarms on both."""
    fifo, options = spec["queue"]["fifo"], spec["queue"]
    properties: Json = {
        **queue_properties(name, fifo),
        "VisibilityTimeout": options.get("hidden", 6 * spec["seconds"]),
        "RedrivePolicy": {
            "deadLetterTargetArn": arn_of(f"{camel(name)}Dlq"),
            "maxReceiveCount": options.get("attempts", RECEIVES),
        },
    }
    made = {f"{camel(name)}Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}}
    made |= dead_letters(f"{camel(name)}Dlq", f"{name}-dlq", fifo)
    if "max_age" in options:
        made[f"{camel(name)}Waits"] = alarm(
            f"messages wait over {options['max_age']} s for {name}",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": {"Fn::GetAtt": [f"{camel(name)}Queue", "QueueName"]}},
            "Maximum",
            options["max_age"],
        )
    return made


def queue_properties(name: str, fifo: bool) -> Json:
    properties: Json = {
        "QueueName": sub("${AWS::StackName}-" + name + (".fifo" if fifo else "")),
        "SqsManagedSseEnabled": True,
    }
    if fifo:  # by group, so that throughput grows with customers
        properties |= {
            "FifoQueue": True,
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        }
    return properties


def dead_letters(logical_id: str, name: str, fifo: bool) -> Json:
    properties = {**queue_properties(name, fifo), "MessageRetentionPeriod": DLQ_DAYS * 86_400}
    return {
        logical_id: {"Type": "AWS::SQS::Queue", "Properties": properties},
        f"{logical_id}Alarm": alarm(
            f"something was given up: look into {name}",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": {"Fn::GetAtt": [logical_id, "QueueName"]}},
            "Maximum",
        ),
    }


def queue_source(name: str, spec: Mapping[str, Any], handler: str) -> Json:
    properties = {
        "FunctionName": {"Ref": handler},
        "EventSourceArn": arn_of(f"{camel(name)}Queue"),
        "BatchSize": spec["queue"]["batch"],
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": concurrency(spec["queue"])},
    }
    if "window" in spec["queue"]:
        properties["MaximumBatchingWindowInSeconds"] = spec["queue"]["window"]
    return {
        f"{camel(name)}QueueSource": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}
    }


def concurrency(queue: Mapping[str, Any]) -> Any:
    """What is reserved for the function, where something is: what is beyond it would be throttled."""
    if reserved := queue.get("reserved"):
        return {"Fn::If": [f"Has{reserved}", {"Ref": reserved}, queue["concurrency"]]}
    return queue["concurrency"]


def stream_source(name: str, spec: Mapping[str, Any], handler: str) -> Json:
    properties: Json = {
        "FunctionName": {"Ref": handler},
        "EventSourceArn": {"Ref": f"{camel(spec['table'])}Stream"},
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": spec["window"],
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "BisectBatchOnFunctionError": True,
        "MaximumRetryAttempts": spec.get("retries", STREAM_RETRIES),
        "DestinationConfig": {"OnFailure": {"Destination": arn_of(f"{camel(name)}StreamDlq")}},
        "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
    }
    if "tumbling" in spec:
        properties["TumblingWindowInSeconds"] = spec["tumbling"]
    source = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}
    behind = alarm(
        f"{name} is over a minute behind its stream",
        "AWS/Lambda",
        "IteratorAge",
        {"FunctionName": sub("${AWS::StackName}-" + name)},
        "Maximum",
        60_000,
    )
    made = {f"{camel(name)}StreamSource": source, f"{camel(name)}Behind": behind}
    return made | dead_letters(f"{camel(name)}StreamDlq", f"{name}-stream-dlq", False)


def schedule(name: str, expression: str, handler: str) -> Json:
    """A schedule; what it could not start, and what failed after Lambda's own retries, is parked."""
    dlq = f"{camel(name)}ScheduleDlq"
    may = [
        allow("lambda", ["InvokeFunction"], [arn_of(handler)]),
        allow("sqs", ["SendMessage"], [arn_of(dlq)]),
    ]
    target = {
        "Arn": arn_of(handler),
        "RoleArn": arn_of(f"{camel(name)}ScheduleRole"),
        "DeadLetterConfig": {"Arn": arn_of(dlq)},
        "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
    }
    properties = {
        "Name": sub("${AWS::StackName}-" + name),
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": target,
    }
    return {
        f"{camel(name)}Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": properties},
        f"{camel(name)}ScheduleRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": trust("scheduler.amazonaws.com"),
                "Policies": [policy(name, may)],
            },
        },
        f"{camel(name)}ScheduleFailures": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": handler},
                "Qualifier": "$LATEST",
                "DestinationConfig": {"OnFailure": {"Destination": arn_of(dlq)}},
            },
        },
    } | dead_letters(dlq, f"{name}-schedule-dlq", False)


def subscription(name: str, topic: str, handler: str) -> Json:
    """A function that hears what is said on a topic. What fails is tried again twice, by Lambda."""
    return {
        f"{camel(name)}Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": {"Ref": topic}, "Protocol": "lambda", "Endpoint": arn_of(handler)},
        },
        f"{camel(name)}TopicPermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": handler},
                "Action": "lambda:InvokeFunction",
                "Principal": "sns.amazonaws.com",
                "SourceArn": {"Ref": topic},
            },
        },
    }


def alarm(
    what: str, space: str, metric: str, dimensions: Mapping[str, Any], statistic: str, over: int = 0
) -> Json:
    """An alarm on the topic when `metric` is over a threshold within a minute (errors: five)."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": what,
            "Namespace": space,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": 300 if metric == "Errors" else 60,
            "EvaluationPeriods": 1,
            "Threshold": over,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "AlarmTopic"}],
        },
    }


def log_group(name: str) -> Json:
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": sub("/aws/lambda/${AWS::StackName}-" + name),
            "RetentionInDays": LOG_DAYS,
        },
    }


def calls_out(spec: Mapping[str, Any]) -> bool:
    """Whether it calls WeCom or WeChat Pay, and so needs the fixed address."""
    return bool({"wecom", "wechatpay"} & set(spec.get("secrets", [])))


def camel(name: str) -> str:
    """live_codes → LiveCodes"""
    return "".join(part.capitalize() for part in name.split("_"))


def sub(text: str) -> Json:
    return {"Fn::Sub": text}


def table_arn(name: str) -> Json:
    return sub(f"{TABLES}{name}")


def arn_of(logical_id: str) -> Json:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def if_(condition: str, value: Any) -> Json:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]}


def s3_object(archive: str) -> Json:
    return {"S3Bucket": {"Ref": "ArchiveBucket"}, "S3Key": archive}


def key_schema(key: list[str]) -> list[Json]:
    return [{"AttributeName": a, "KeyType": t} for a, t in zip(key, ("HASH", "RANGE"), strict=False)]


def allow(service: str, actions: list[str], on: list[Any]) -> Json:
    return {"Effect": "Allow", "Action": [f"{service}:{action}" for action in actions], "Resource": on}


def policy(name: str, statements: list[Json]) -> Json:
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def managed_policy(statement: Json) -> Json:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def trust(service: str) -> Json:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
