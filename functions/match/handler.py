"""Arrivals are looked for among the prospects: a listener of the timeline, which asks functions/prospect."""

from chalicelib.platform import consumers
from chalicelib.prospects.listeners import MATCH

handler = consumers.lines(MATCH)
