"""Counters from the timeline's stream, each line exactly once: see chalicelib.metrics."""

from collections.abc import Sequence

from chalicelib.metrics import service as metrics
from chalicelib.platform import consumers
from chalicelib.platform.timeline import Line
from chalicelib.printruns import figures


def project(lines: Sequence[tuple[Line, str]], shard: str) -> None:
    """Each projection keeps its own marks of how far it has counted: done twice is counted once."""
    metrics.project(lines, shard)
    figures.project(lines, shard)


handler = consumers.stream(project)
