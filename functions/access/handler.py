"""Who leaves the corp is let in no more: a listener of the timeline."""

from chalicelib.people.listeners import ACCESS
from chalicelib.platform import consumers

handler = consumers.lines(ACCESS)
