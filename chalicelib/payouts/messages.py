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
    "distributor_frozen": (
        "分销员 {distributor_id} 已冻结，暂不打款",
        "the distributor {distributor_id} is frozen, and not paid for now",
    ),
    "nothing_to_offer": (
        "付款 {payout_id} 退回的钱已经随后续结算发放，或已被退款冲抵",
        "the money of the payout {payout_id} has gone out with a later settlement, or to refunds",
    ),
    # what a payout needs, or waits for
    "cure_top_up": (
        "给微信支付商户号充值后点「立即重试」；不点也会每小时自动重试，单号不变，不会重复打款",
        "top up the merchant's balance, then retry; it is also sent again each hour under the same number",
    ),
    "cure_mend": (
        "按上面的原因处理好后点「立即重试」；单号不变，不会重复打款",
        "mend what the reason says, then retry: the same number is sent, nothing is paid twice",
    ),
    "cure_offer": (
        "钱已退回分销员的可提现余额：可以现在重新发放，也可以等下次结算",
        "the money is back in what is available: offer it again now, or leave it to the next settlement",
    ),
    "cure_look": (
        "已超过 2 小时没有开始，请点「立即重试」；仍不动请看「设置 › 处理失败的消息」",
        "it has not begun for two hours: retry, and look at the dead letters if it stays",
    ),
    "wait_wait_user_confirm": (
        "等收款人在微信里点「确认收款」，超过 24 小时会自动退回",
        "waits for the receiver to collect it in WeChat; after 24 hours it comes back by itself",
    ),
    "wait_calling": ("正在向微信支付核实结果，请勿重复付款", "WeChat Pay is being asked what became of it"),
    "wait_processing": ("微信支付处理中", "WeChat Pay is at it"),
    "wait_planned": ("一分钟内开始打款", "begins within the minute"),
    "wait_replaced": ("已用新的单号重新发放", "offered again under a new number"),
    "wait_gone": (
        "这笔钱已随后续结算发放，或已被退款冲抵",
        "the money has gone out with a later settlement, or to refunds",
    ),
}
