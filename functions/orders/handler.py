"""Order messages, one transaction each, in each order's own sequence."""

from chalicelib.orders import service
from chalicelib.platform import consumers

handler = consumers.sqs(service.take)
