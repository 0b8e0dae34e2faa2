"""Deploy the package into the emulator, by what `make deploy` does to an account."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.platform import auth
from infra import deploy
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

    def deploy(self, folder: Path, parameters: dict[str, str], secrets: dict[str, dict[str, str]]) -> str:
        """Create or update both stacks; answers the id of the REST API. deploy.Failed says why it failed."""
        arns = {f"Secret{camel(group)}": self.put_secret(group, values) for group, values in secrets.items()}
        target = deploy.Target(STACK, BUCKET, self.client)
        deploy.deploy(target, folder, parameters | arns)
        api_id = deploy.outputs(target, STACK)["RestAPIId"]
        self.mend_api(api_id, json.loads((folder / "template.json").read_text()))
        return api_id

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
