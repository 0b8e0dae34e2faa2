"""What facts listens to: every line after which a customer's facts may be others."""

from chalicelib.facts import sources
from chalicelib.platform.listeners import Listener

FACTS = Listener(
    name="facts", handlers=dict.fromkeys(sources.event_types(), "chalicelib.facts.service:on_line")
)
LISTENERS = [FACTS]
