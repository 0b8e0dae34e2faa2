"""WeCom's events, one customer's in their order: see chalicelib.callbacks.service for what each leads to."""

from chalicelib.callbacks import service
from chalicelib.platform import consumers

handler = consumers.sqs(service.handle)
