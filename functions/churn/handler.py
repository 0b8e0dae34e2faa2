"""Who deleted whom is kept and said: a listener of the timeline."""

from chalicelib.churn.listeners import CHURN
from chalicelib.platform import consumers

handler = consumers.lines_and_works(CHURN)
