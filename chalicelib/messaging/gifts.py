"""The gift in a welcome: the coupon code in {coupon_code}, one for each person.

A try of the welcome has 4 s, and a gift gets one of them. A code that could not be had in time, or that
stood in a welcome of which we don't know that it arrived, is owed: the queue `push` brings it to the
guide, who sends it. The person has the same code by then, or gets it then: a claim is by person.
"""

import threading
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct

from chalicelib.coupons import service as coupons
from chalicelib.livecodes import service as livecodes
from chalicelib.messaging import rules
from chalicelib.messaging.types import Add
from chalicelib.platform import clock, log, queues
from chalicelib.platform.errors import NotFound

_SECONDS = 1.0  # for the claim, of the function's 4


class Gift(Struct, frozen=True):
    """text: what stands for {coupon_code}. failed: it could not be claimed, though there may be one."""

    pool_id: str | None = None
    text: str = ""
    claimed: bool = False
    failed: bool = False

    def is_owed(self, how: str | None, reason: str) -> bool:
        """Whether the person may be without the code, given how the welcome went out, or why it did not."""
        if self.failed:
            return reason != rules.Next.CONSENT.value  # then a new welcome comes
        return self.claimed and (how == "already" or (how is None and reason != rules.Next.CONSENT.value))


def find(add: Add, live_code_id: str | None, text: str) -> Gift:
    """The gift for a welcome's text; an empty one when it has none."""
    if rules.COUPON not in text or not live_code_id:
        return Gift()
    gift = None
    with suppress(NotFound):
        gift = livecodes.current(live_code_id).definition.get("gift")
    if not gift:
        return Gift()
    pool_id, empty = str(gift["pool_id"]), str(gift["empty_text"])
    claim = _claim_in_time(pool_id, add)
    if claim is None:
        log.logger.warning("gift not claimed in time", extra={"pool_id": pool_id})
        log.measure("GiftOwed", 1, "Count")
        return Gift(pool_id, empty, failed=True)
    if claim.code is None:
        log.logger.warning("no gift left", extra={"pool_id": pool_id})
        return Gift(pool_id, empty)
    return Gift(pool_id, claim.code, claimed=True)


def owe(add: Add, gift: Gift) -> None:
    """Have the guide bring the code. Upstream: the queue did not take it."""
    work = {
        "kind": "gift",
        "pool_id": gift.pool_id,
        "external_userid": add.external_userid,
        "staff_id": add.staff_id,
        "at": clock.iso(add.at),
    }
    queues.send("push", work, group=add.external_userid)


def _claim_in_time(pool_id: str, add: Add) -> coupons.Claim | None:
    """None when it took too long or failed; what the thread claims after that, `bring` finds."""
    claims: list[coupons.Claim] = []
    until = clock.now() + timedelta(seconds=_SECONDS)

    def claim() -> None:
        try:
            claims.append(coupons.claim(pool_id, add.external_userid, add.at, until))
        except Exception as error:  # noqa: BLE001 (nothing that a gift does may cost the welcome)
            log.failure("gift not claimed", error, pool_id=pool_id)

    thread = threading.Thread(target=claim, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return claims[0] if claims else None
