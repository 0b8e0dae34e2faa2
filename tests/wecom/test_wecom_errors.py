"""Each errcode has one treatment, and the treatment says whether to try again."""

import pytest

from chalicelib.platform.errors import Upstream
from chalicelib.wecom import errors
from chalicelib.wecom.errors import Treatment, WeComError, treatment


@pytest.mark.parametrize(
    ("codes", "expected", "retryable"),
    [
        ((-1, 6000, 41063, 41096, 45033), Treatment.RETRY, True),
        ((40014, 42001, 41001), Treatment.REFRESH_TOKEN, True),
        ((45009, 41094), Treatment.WAIT, True),
        ((40007,), Treatment.REUPLOAD, True),
        ((40029, 42022, 50100), Treatment.RESTART, False),
        ((40001, 40013, 60020, 48002, 50003, 41045, 301002), Treatment.CONFIGURE, False),
        ((40003, 40058, 40068, 84061, 41050, 41048, 60111, 90500), Treatment.DATA, False),
        ((40071, 41051, 41093), Treatment.DONE, False),
        ((123456,), Treatment.DATA, False),
    ],
)
def test_treatments(codes: tuple[int, ...], expected: Treatment, retryable: bool) -> None:
    for code in codes:
        error = WeComError("externalcontact/get", code)
        assert (treatment(code), error.treatment, error.retryable) == (expected, expected, retryable)
        assert isinstance(error, Upstream)
        assert (error.retry_after is not None) is (expected is Treatment.WAIT)


def test_no_code_has_two_treatments_and_every_one_makes_an_error() -> None:
    listed = [code for codes in errors._CODES.values() for code in codes]
    assert len(listed) == len(set(listed)) == len(errors.TREATMENTS)
    for code in listed:
        assert str(code) in str(WeComError("p", code))


def test_how_long_to_wait() -> None:
    assert WeComError("externalcontact/get", 45009).retry_after == 60
    assert WeComError("gettoken", 45009).retry_after == 3600  # the address is banned
    assert WeComError("externalcontact/remind_groupmsg_send", 41094).retry_after == 86400
