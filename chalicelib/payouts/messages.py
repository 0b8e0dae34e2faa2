"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_settlement": ("没有结算单 {settlement_id}", "there is no settlement {settlement_id}"),
    "no_payout": ("没有付款 {payout_id}", "there is no payout {payout_id}"),
}
