"""What SOPs listen to: who begins one, and whom it ends for."""

from chalicelib.platform.listeners import Listener

_ON_LINE = "chalicelib.sops.service:on_line"

ENROL = Listener(
    name="enrol",
    ordered=True,  # what ends an SOP comes after what began it
    handlers=dict.fromkeys(("customer_added", "customer_lost", "tags_changed", "order_paid"), _ON_LINE),
)
LISTENERS = [ENROL]
