"""What phone import listens to: arrivals are matched, the tasks of a guide who leaves are handed on."""

from chalicelib.platform.listeners import Listener

_SERVICE = "chalicelib.prospects.service"

MATCH = Listener(
    name="match",
    handlers={
        "customer_added": f"{_SERVICE}:on_added",
        "follow_edited": f"{_SERVICE}:on_edited",
        "event_recorded": f"{_SERVICE}:on_recorded",
    },
)
LISTENERS = [MATCH]
