"""What WeCom's error codes mean for us: each is sorted into one treatment, as data.

Source: WeCom's table of global error codes (developer.work.weixin.qq.com, document 90313).
"""

from enum import Enum

from chalicelib.platform.errors import Upstream


class Treatment(Enum):
    """What to do about an errcode."""

    DONE = "done"  # what was asked for is already so
    RETRY = "retry"  # the same call, a little later
    REFRESH_TOKEN = "refresh_token"  # the client does it, once  # noqa: S105  # nosec B105
    WAIT = "wait"  # a quota: nothing before `retry_after`
    RESTART = "restart"  # begin again: a new OAuth code, the first page
    REUPLOAD = "reupload"  # the media has lapsed: upload it again, once
    CONFIGURE = "configure"  # an operator must change something; repeating gets our address banned
    DATA = "data"  # this row can't: record it there and go on


_CODES: dict[Treatment, tuple[int, ...]] = {
    Treatment.DONE: (0, 40071, 41051, 41093),
    Treatment.RETRY: (-1, 6000, 41063, 41078, 41079, 41096, 45033, 90507, 830003),
    Treatment.REFRESH_TOKEN: (40014, 41001, 42001),
    Treatment.WAIT: (40100, 40129, 41094, 45009),
    Treatment.RESTART: (40029, 42003, 42022, 50100),
    Treatment.REUPLOAD: (40007,),
    Treatment.CONFIGURE: (
        *(40001, 40013, 40056, 40091, 40093, 40098, 40126, 41045, 41054, 41055, 41057, 41095),
        *(42012, 43012, 48001, 48002, 48005, 48006, 48009, 50001, 50002, 50003, 60011, 60020),
        *(60021, 81017, 84074, 84083, 85005, 85008, 301002, 701008),
    ),
    Treatment.DATA: (
        *(40003, 40004, 40005, 40006, 40008, 40031, 40032, 40033, 40035, 40058, 40063, 40066),
        *(40068, 40096, 40097, 40099, 40123, 40128, 40130, 40131, 40143, 41041, 41042, 41044),
        *(41046, 41047, 41048, 41050, 41053, 41058, 41059, 41060, 41061, 41062, 41064, 41065),
        *(41067, 41068, 41069, 41070, 41071, 41072, 41076, 41077, 41080, 41081, 41082, 41088),
        *(41089, 41091, 42052, 44001, 44004, 45001, 45002, 60111, 60136, 81013, 84061, 84084),
        *(90500, 90501, 90502, 90503, 90504, 90505, 90506, 90508, 90509, 90511, 301019, 830001),
    ),
}
TREATMENTS: dict[int, Treatment] = {code: does for does, codes in _CODES.items() for code in codes}

# Seconds that a WAIT lasts. WeCom does not say which window was hit; the shortest is tried first.
_WAIT_SECONDS = {45009: 60, 41094: 86_400, 40100: 14_400, 40129: 14_400}
# A wrong secret or too many of them: the address is banned from gettoken for an hour.
_BANNED_SECONDS = 3_600
_MAY_PASS = {Treatment.RETRY, Treatment.REFRESH_TOKEN, Treatment.WAIT, Treatment.REUPLOAD}


def treatment(errcode: int) -> Treatment:
    """What to do about `errcode`. An unknown one is the row's: repeating it blindly helps nobody."""
    return TREATMENTS.get(errcode, Treatment.DATA)


class WeComError(Upstream):
    """WeCom answered with an `errcode`. `retry_after`: seconds, set when the treatment is WAIT."""

    title = "WeCom refused"

    def __init__(self, path: str, errcode: int):
        self.path = path
        self.errcode = errcode
        self.treatment = treatment(errcode)
        self.retryable = self.treatment in _MAY_PASS
        self.retry_after: int | None = None
        if self.treatment is Treatment.WAIT:
            self.retry_after = _BANNED_SECONDS if path == "gettoken" else _WAIT_SECONDS[errcode]
        super().__init__(code="wecom_refused", path=path, errcode=errcode)


class AnswerLost(Upstream):
    """A call that must not be repeated blindly may or may not have been carried out.

    Ask WeCom what became of it (list_contact_way, groupmsg_list, …) before calling again.
    """

    title = "WeCom's answer was lost"

    def __init__(self, path: str):
        self.path = path
        super().__init__(code="wecom_answer_lost", path=path)
