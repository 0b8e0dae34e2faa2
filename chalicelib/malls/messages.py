"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "between_years": ("应在 {first} 年到 {last} 年之间", "must be a time between {first} and {last}"),
    "line_total": ("数量乘以单价应小于 {limit}", "times the quantity must be less than {limit}"),
    "lines_over_total": (
        "各行合计 {total}，超过退款金额 {maximum}",
        "together are {total}, more than the refund's amount_fen, {maximum}",
    ),
    "signature": ("X-Signature 与内容不符", "X-Signature is not that of this body"),
}
