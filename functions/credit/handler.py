"""Adds and orders are credited to the ad campaign they came by: a listener of the timeline."""

from chalicelib.ads.listeners import CREDIT
from chalicelib.platform import consumers

handler = consumers.lines(CREDIT)
