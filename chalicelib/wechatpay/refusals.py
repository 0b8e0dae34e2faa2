"""What an error of WeChat Pay's says of a transfer: one row a code, whatever its HTTP status is.

| treatment | what is known | what follows, always under the same number |
|---|---|---|
| AGAIN | nothing was done, it passes by itself | sent again |
| MEND | nothing was done, nor will be until somebody mends it | sent again, for ever; an alarm |
| REFUSED | nothing was done, it says; once that was untrue | fails once WeChat surely lacks it; an alarm |
| UNCERTAIN | nothing: a 5xx, no answer, a new code | asked for; when it is not known: sent again |

Sending the same number twice is harmless: with the same parameters it is the same transfer, with others
it is refused. The words for each code are in messages.py.
"""

from collections.abc import Mapping
from enum import Enum


class Treatment(Enum):
    AGAIN = "again"
    MEND = "mend"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"


TREATMENTS: Mapping[str, Treatment] = {
    "FREQUENCY_LIMIT": Treatment.AGAIN,
    "FREQUENCY_LIMITED": Treatment.AGAIN,
    "FREQUENCY_LIMIT_EXCEED": Treatment.AGAIN,
    "RATELIMIT_EXCEEDED": Treatment.AGAIN,
    "NOT_ENOUGH": Treatment.MEND,  # top up
    "NO_AUTH": Treatment.MEND,
    "SIGN_ERROR": Treatment.MEND,
    # an address or a scene that is not allowed, a limit of the day; also: the number is in use
    "INVALID_REQUEST": Treatment.MEND,
    "SCENE_REPORTS": Treatment.MEND,  # ours: the settings do not give what the scene must be told
    "PARAM_ERROR": Treatment.REFUSED,
    "SYSTEM_ERROR": Treatment.UNCERTAIN,
}


def treatment(code: str) -> Treatment:
    return TREATMENTS.get(code, Treatment.UNCERTAIN)


def known(code: str) -> bool:
    """Whether this table has a row for it."""
    return code in TREATMENTS
