"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "coupon_code": (
        "券码为 1 到 64 个字母、数字或符号，不能有空格",
        "a code is 1 to 64 letters, digits or signs, without spaces",
    ),
    "coupon_pool_full": ("一个券池最多 {maximum} 个券码", "a pool takes at most {maximum} codes"),
    "no_such_coupon_pool": ("没有券池 {pool_id}", "there is no coupon pool {pool_id}"),
}
