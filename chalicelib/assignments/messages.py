"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_such_assignment": ("没有这次分配", "there is no such assignment"),
    "where": (
        "请提供位置（纬度和经度）或门店编号",
        "give a position (latitude and longitude), or a store_id",
    ),
    "not_a_store_of_code": ("不是这个活码的门店", "is not a store of this code"),
}
