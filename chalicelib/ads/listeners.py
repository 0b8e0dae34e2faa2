"""What ad campaigns listen to: adds and orders are credited to the campaign they came by."""

from chalicelib.platform.listeners import Listener

_CONVERSIONS = "chalicelib.ads.conversions"

CREDIT = Listener(
    name="credit",
    ordered=True,  # an order counts for the campaign of an add before it, a refund for its order
    handlers={
        "customer_added": f"{_CONVERSIONS}:on_added",
        "order_paid": f"{_CONVERSIONS}:on_paid",
        "order_refunded": f"{_CONVERSIONS}:on_refunded",
    },
)
LISTENERS = [CREDIT]
