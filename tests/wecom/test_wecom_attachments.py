"""Attachments in WeCom's shape."""

import pytest

from chalicelib.wecom import attachments


@pytest.mark.parametrize(
    ("attachment", "good"),
    [
        ({"msgtype": "link", "link": {"title": "a", "url": "https://a"}}, True),
        ({"msgtype": "link", "image": {}}, False),
        ({"msgtype": "text", "text": {}}, False),
        ({"msgtype": ["link"], "link": {}}, False),
        ({}, False),
    ],
)
def test_well_formed(attachment: dict[str, object], good: bool) -> None:
    assert attachments.well_formed(attachment) is good
