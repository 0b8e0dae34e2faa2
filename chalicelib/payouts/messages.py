"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_settlement": ("没有结算单 {settlement_id}", "there is no settlement {settlement_id}"),
    "no_payout": ("没有付款 {payout_id}", "there is no payout {payout_id}"),
    "payout_ended": (
        "付款 {payout_id} 已经结束（{status}），不能重发",
        "the payout {payout_id} has ended ({status}), it can't be sent again",
    ),
    "payout_not_failed": (
        "付款 {payout_id} 的状态是 {status}，只有失败的付款可以重新发放",
        "the payout {payout_id} is {status}: only one that has failed can be offered again",
    ),
    "nothing_to_offer": (
        "付款 {payout_id} 退回的钱已经随后续结算发放，或已被退款冲抵",
        "the money of the payout {payout_id} has gone out with a later settlement, or to refunds",
    ),
}
