"""Welcome a new customer inside WeCom's 20 s: see chalicelib.messaging.service."""

from chalicelib.messaging import service
from chalicelib.platform import consumers

handler = consumers.sqs(service.welcome)
