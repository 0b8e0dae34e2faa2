"""Ad campaigns' outside work: chalicelib/ads/works.py."""

from chalicelib.platform import consumers

handler = consumers.works("convert")
