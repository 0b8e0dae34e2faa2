"""Phone import and all that follows from it. What there is to do: chalicelib/prospects/works.py."""

from chalicelib.platform import consumers

handler = consumers.works("prospect")
