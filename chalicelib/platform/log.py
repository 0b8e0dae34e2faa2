"""Structured logs without personal data: ids and figures, never a body, a name, a phone number, a token."""

import os
import traceback

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(
    service="millrace",
    level=os.environ.get("LOG_LEVEL", "INFO"),
    log_uncaught_exceptions=False,
)


def failure(what: str, error: BaseException, **ids: str | int | None) -> None:
    """Log an error by its type and place. Its message may quote input, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [
        f"{frame.filename.rsplit('/', 2)[-2]}/{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
        for frame in frames
    ]
    cause = type(error.__cause__).__name__ if error.__cause__ else None
    logger.error(
        what,
        extra={"error": type(error).__name__, "cause": cause, "where": where, **ids},
    )


def measure(name: str, value: float, unit: str) -> None:
    """A metric of the stage, written at once as its own line of CloudWatch's embedded metric format."""
    stage = os.environ.get("STAGE", "local")
    with single_metric(
        name, MetricUnit(unit), value, namespace="Millrace", default_dimensions={"stage": stage}
    ):
        pass
