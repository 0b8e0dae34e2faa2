"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "not_a_time_of_orders": (
        "应为 {first} 年以后、且不晚于现在一天以上的时间",
        "must be a time from {first} on, and not more than a day ahead of now",
    ),
    "line_total": ("数量乘以单价应小于 {limit}", "times the quantity must be less than {limit}"),
    "lines_over_total": (
        "各行合计 {total}，超过退款金额 {maximum}",
        "together are {total}, more than the refund's amount_fen, {maximum}",
    ),
    "signature": ("X-Signature 与内容不符", "X-Signature is not that of this body"),
}
