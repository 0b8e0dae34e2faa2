"""Structured logs without personal data: ids and figures, never a body, a name, a phone number, a token."""

import os
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


def failure(message: str, error: BaseException, **ids: str | int | None) -> None:
    """Log an error by its type and place. Its message may quote input, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [
        f"{frame.filename.rsplit('/', 2)[-2]}/{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        for frame in frames
    ]
    cause = type(error.__cause__).__name__ if error.__cause__ else None
    _logger().error(
        message,
        extra={"error": type(error).__name__, "cause": cause, "where": where, **ids},
    )


def measure(name: str, value: float, unit: str) -> None:
    """A metric of the stage, written at once as its own line of CloudWatch's embedded metric format."""
    from aws_lambda_powertools import single_metric
    from aws_lambda_powertools.metrics import MetricUnit

    stage = os.environ.get("STAGE", "local")
    with single_metric(
        name, MetricUnit(unit), value, namespace="Millrace", default_dimensions={"stage": stage}
    ):
        pass
