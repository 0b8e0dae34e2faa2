"""SOPs begin and end: a listener of the timeline."""

from chalicelib.platform import consumers
from chalicelib.sops.listeners import ENROL

handler = consumers.lines(ENROL)
