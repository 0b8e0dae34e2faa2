"""Structured logs without personal data: ids and figures, never a body, a name, a phone number, a token."""

import json
import os
import time
import traceback
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    logger: Logger


@cache
def _logger() -> "Logger":
    from aws_lambda_powertools import Logger  # as long as a fifth of boto3, and most calls log nothing

    level = os.environ.get("LOG_LEVEL", "INFO")
    return Logger(service="millrace", level=level, log_uncaught_exceptions=False)


def __getattr__(name: str) -> Any:
    """`logger`, made when it is first asked for."""
    if name != "logger":
        raise AttributeError(name)
    return _logger()


def failure(what: str, error: BaseException, **ids: str | int | None) -> None:
    """Log an error by its type and place. Its message may quote input, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [
        f"{frame.filename.rsplit('/', 2)[-2]}/{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        for frame in frames
    ]
    cause = type(error.__cause__).__name__ if error.__cause__ else None
    _logger().error(
        what,
        extra={"error": type(error).__name__, "cause": cause, "where": where, **ids},
    )


def measure(name: str, value: float, unit: str) -> None:
    """A metric of the stage: one line in CloudWatch's embedded metric format, on standard output."""
    metric = {"Namespace": "Millrace", "Dimensions": [["stage"]], "Metrics": [{"Name": name, "Unit": unit}]}
    emf = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]}
    print(json.dumps({"_aws": emf, "stage": os.environ.get("STAGE", "local"), name: value}))  # noqa: T201
