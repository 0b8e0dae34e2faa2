"""What changed of customers' facts, some seconds of it at a time, into the lake's files."""

from functools import partial

import msgspec

from chalicelib.facts.types import Change
from chalicelib.lake import writing
from chalicelib.lake.engine import current
from chalicelib.platform import consumers

handler = consumers.batch(partial(msgspec.convert, type=Change), partial(writing.take, current()))
