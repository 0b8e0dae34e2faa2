"""Work for payouts: settlements page by page, and the transfer's state machine."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="settle",
        queue="settle",
        handler="chalicelib.payouts.settlement:run_page",
        takes=("settlement_id", "cursor", "done"),
        order="settlement_id",
    ),
    Work(
        kind="sweep",
        queue="settle",
        handler="chalicelib.payouts.settlement:sweep_page",
        takes=("settlement_id", "cursor", "done"),
        order="settlement_id",
    ),
    Work(
        kind="payout",
        queue="payout",
        handler="chalicelib.payouts.transfers:advance",
        takes=("payout_id",),
        order="payout_id",
    ),
    Work(
        kind="payout_poll",
        queue="payout",
        handler="chalicelib.payouts.transfers:advance",
        takes=("payout_id",),
        order="payout_id",
    ),
    Work(
        kind="payout_notice",
        queue="payout",
        handler="chalicelib.payouts.transfers:notice",
        order="payout_id",
    ),
    Work(
        kind="payout_retry",
        queue="payout",
        handler="chalicelib.payouts.transfers:retry",
        takes=("payout_id",),
        order="payout_id",
    ),
    Work(
        kind="payout_offer",
        queue="payout",
        handler="chalicelib.payouts.offers:offer_again",
        takes=("payout_id",),
        order="payout_id",
    ),
]
