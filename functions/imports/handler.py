"""The first import and the repair: steps of it, each as long as a call to WeCom is worth waiting for."""

from chalicelib.platform import consumers

handler = consumers.works("imports")
