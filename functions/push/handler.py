"""Work for WeCom, one guide's in order: steps, their results, tags, gifts (works.py of each)."""

from chalicelib.platform import consumers

handler = consumers.works("push")
