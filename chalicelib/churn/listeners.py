"""What churn listens to: the end of a bond."""

from chalicelib.platform.listeners import Listener

CHURN = Listener(name="churn", handlers={"customer_lost": "chalicelib.churn.service:on_line"})
LISTENERS = [CHURN]
