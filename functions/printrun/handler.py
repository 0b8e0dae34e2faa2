"""Files of print runs, piece by piece. What there is to do: chalicelib/printruns/works.py."""

from chalicelib.platform import consumers

handler = consumers.works("printrun")
