"""Counters from the timeline's stream, each line exactly once: see chalicelib.metrics."""

from chalicelib.metrics import service
from chalicelib.platform import consumers

handler = consumers.stream(service.project)
