"""Customers' facts follow the timeline: a listener of it."""

from chalicelib.facts.listeners import FACTS
from chalicelib.platform import consumers

handler = consumers.lines(FACTS)
