"""What ad campaigns listen to: adds and orders are credited to the campaign they came by."""

from chalicelib.platform.listeners import Listener

_CREDITS = "chalicelib.ads.credits"

CREDIT = Listener(
    name="credit",
    ordered=True,  # an order counts for the campaign of an add before it, a refund for its order
    handlers={
        "customer_added": f"{_CREDITS}:on_added",
        "order_paid": f"{_CREDITS}:on_paid",
        "order_refunded": f"{_CREDITS}:on_refunded",
    },
)
LISTENERS = [CREDIT]
