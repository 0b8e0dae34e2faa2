"""Settings: plain ones from the environment, secret ones from Secrets Manager.

A secret group (`wecom`, `wechatpay`, `mall`) is one Secrets Manager secret holding a JSON map. A
function's environment names the secret (`SECRET_WECOM=arn…`), never its value, and its role may
read only the groups it uses. Values are kept for five minutes, so a rotation needs no deploy.
"""

import json
import os
import threading
import time
from functools import cache
from typing import Any

import botocore.session

_KEEP_SECONDS = 300
creating = threading.RLock()  # a session makes clients one thread at a time
_secrets: dict[str, tuple[float, dict[str, str]]] = {}


class Missing(RuntimeError):
    """A setting that this function needs is not there; names it."""


def env(name: str, default: str | None = None) -> str:
    value = os.environ.get(name) or default
    if value is None:
        raise Missing(f"the setting {name} is missing")
    return value


def table(name: str) -> str:
    """The full name of a table: the stage's prefix and the aggregate's name."""
    return os.environ.get("TABLE_PREFIX", "millrace-") + name


def region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "cn-north-1"


@cache
def session() -> Any:
    """The process's one botocore session: endpoints and models are read once for all clients."""
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """The process's one botocore client for an AWS service (`AWS_ENDPOINT_URL` is honoured)."""
    with creating:
        return session().create_client(service, region_name=region(), config=_config())


@cache
def s3() -> Any:
    """The process's one boto3 client for S3: for its transfers. Imported when a first file is touched."""
    import boto3

    with creating:
        return boto3.client("s3", region_name=region(), config=_config())


def _config() -> Any:
    from botocore.config import Config

    return Config(connect_timeout=2, read_timeout=20, retries={"max_attempts": 3, "mode": "standard"})


def secret(group: str, name: str, default: str | None = None) -> str:
    """A secret's value, e.g. `secret("wecom", "callback_token")`."""
    kept = _secrets.get(group)
    if kept is None or time.monotonic() - kept[0] > _KEEP_SECONDS:
        arn = env(f"SECRET_{group.upper()}")
        values = json.loads(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        kept = _secrets[group] = (time.monotonic(), values)
    value = kept[1].get(name) or default
    if value is None:
        raise Missing(f"the secret {group} has no {name}")
    return value


def forget_secrets() -> None:
    """Drop the kept values: the next read asks Secrets Manager (after a rejected credential)."""
    _secrets.clear()
