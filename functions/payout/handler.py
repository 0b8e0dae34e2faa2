"""Payouts: call, ask again, take notice."""

from typing import Any

from chalicelib.payouts import service
from chalicelib.platform import consumers


def work(message: dict[str, Any]) -> None:
    if message["kind"] == "payout_notice":
        service.notice(message)
    else:  # payout, payout_poll
        service.advance(message["payout_id"])


handler = consumers.sqs(work)
