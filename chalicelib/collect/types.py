"""What a distributor sees of their money."""

from msgspec import Struct

from chalicelib.payouts.collecting import Collected


class Earnings(Struct, frozen=True):
    """earned_fen: all commission, less what refunds took back; tax is in it."""

    earned_fen: int
    pending_fen: int
    available_fen: int
    in_payout_fen: int
    paid_fen: int
    tax_fen: int
    debt_fen: int
    payouts: list[Collected]
