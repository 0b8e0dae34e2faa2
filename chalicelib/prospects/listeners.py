"""What phone import listens to: arrivals are matched, the tasks of a guide who leaves are handed on."""

from chalicelib.platform.listeners import Listener

_ARRIVALS = "chalicelib.prospects.arrivals"

MATCH = Listener(
    name="match",
    handlers={
        "customer_added": f"{_ARRIVALS}:on_added",
        "follow_edited": f"{_ARRIVALS}:on_edited",
        "event_recorded": f"{_ARRIVALS}:on_recorded",
    },
)
LISTENERS = [MATCH]
