"""Ad campaigns' outside work: acquisition links, the quota, notices, conversions told to ad platforms."""

from chalicelib.ads import service
from chalicelib.platform import consumers

handler = consumers.sqs(service.work)
