"""Deploy the packaged template into the emulator, as `aws cloudformation deploy` would into an account."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.platform import auth
from infra.local.settings import REGION, STACK
from infra.template import camel

BUCKET = "millrace-archives"


class Account:
    """An AWS account at an endpoint."""

    def __init__(self, endpoint: str):
        self.endpoint = endpoint

    @cache  # noqa: B019 (one account lives as long as the process)
    def client(self, service: str) -> Any:
        """A client with the emulator's root credentials."""
        config = Config(retries={"max_attempts": 2, "mode": "standard"}, s3={"addressing_style": "path"})
        return botocore.session.get_session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def deploy(self, template: Path, parameters: dict[str, str], secrets: dict[str, dict[str, str]]) -> str:
        """Create or update the stack; answers the id of its REST API. RuntimeError says why it failed."""
        self.upload(template.parent / "archives")
        arns = {f"Secret{camel(group)}": self.put_secret(group, values) for group, values in secrets.items()}
        given = parameters | arns | {"ArchiveBucket": BUCKET}
        call = {
            "StackName": STACK,
            "TemplateURL": self.put_template(template),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }
        cloudformation = self.client("cloudformation")
        try:
            cloudformation.create_stack(**call)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            self.update(call)
        outputs = self.outputs()
        self.mend_api(outputs["RestAPIId"], json.loads(template.read_text()))
        return outputs["RestAPIId"]

    def update(self, call: dict[str, Any]) -> None:
        try:
            self.client("cloudformation").update_stack(**call)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise

    def outputs(self) -> dict[str, str]:
        """The stack's outputs once it is complete."""
        cloudformation = self.client("cloudformation")
        waiter_events = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}
        while (stack := cloudformation.describe_stacks(StackName=STACK)["Stacks"][0])[
            "StackStatus"
        ] in waiter_events:
            pass
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
            reasons = [e.get("ResourceStatusReason", "") for e in events if "FAILED" in e["ResourceStatus"]]
            raise RuntimeError(f"the stack is {stack['StackStatus']}: {'; '.join(reasons)}")
        return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}

    def upload(self, archives: Path) -> None:
        """Put the archives that are not there yet; their names carry their hash."""
        s3 = self.client("s3")
        try:
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
                raise
        there = {o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
        for path in sorted(archives.iterdir()):
            if path.name not in there:
                s3.put_object(Bucket=BUCKET, Key=path.name, Body=path.read_bytes())

    def put_template(self, template: Path) -> str:
        """A template over 51,200 bytes is taken from S3 only."""
        self.client("s3").put_object(Bucket=BUCKET, Key=template.name, Body=template.read_bytes())
        return f"{self.endpoint}/{BUCKET}/{template.name}"

    def put_secret(self, group: str, values: dict[str, str]) -> str:
        """Store a group of secrets; answers its ARN."""
        manager, name, text = self.client("secretsmanager"), f"{STACK}/{group}", json.dumps(values)
        try:
            return str(manager.create_secret(Name=name, SecretString=text)["ARN"])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
        return str(manager.put_secret_value(SecretId=name, SecretString=text)["ARN"])

    def mend_api(self, api_id: str, template: dict[str, Any]) -> None:
        """MiniStack does not read API Gateway's own answers from an API's body: say them by its API."""
        body = template["Resources"]["RestAPI"]["Properties"]["Body"]
        gateway = self.client("apigateway")
        for kind, answer in body["x-amazon-apigateway-gateway-responses"].items():
            gateway.put_gateway_response(restApiId=api_id, responseType=kind, **answer)
        gateway.create_deployment(restApiId=api_id, stageName="local")

    def put_admin_key(self, key: str) -> None:
        """The first admin's API key. The table holds its hash, so the key itself is nowhere."""
        item = {"key_hash": auth.hashed(key), "name": "admin", "role": "admin", "status": "active"}
        self.client("dynamodb").put_item(
            TableName=f"{STACK}-api_keys", Item={name: {"S": value} for name, value in item.items()}
        )

    def logs(self, group: str) -> list[str]:
        """The latest lines of a function's log."""
        events = self.client("logs").filter_log_events(logGroupName=group, limit=10_000)["events"]
        return [event["message"] for event in events[-500:]]
