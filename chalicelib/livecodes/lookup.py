"""What a live code is now, and whose contact way somebody came by: the light half of the service.

Functions that only look a code up (welcome, push, react) import this: what decides scans, with stores
and groups, would be a third of their cold start.
"""

from chalicelib.livecodes.codes import LiveCode, current
from chalicelib.livecodes.ways import Way, find_way

__all__ = ["LiveCode", "Way", "current", "find_way"]
