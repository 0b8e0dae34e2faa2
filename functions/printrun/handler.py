"""Files of print runs, piece by piece: see chalicelib.printruns.printing."""

from chalicelib.platform import consumers
from chalicelib.printruns import printing

handler = consumers.sqs(printing.work)
