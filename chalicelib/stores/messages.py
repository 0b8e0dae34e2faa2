"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "unknown_store": ("没有门店 {store_id}", "there is no store {store_id}"),
    "store_exists": ("门店 {store_id} 已存在", "there is a store {store_id} already"),
    "null_island": (
        "经纬度都是 0：请填写门店的实际位置",
        "0, 0 is a place in the ocean: give the store's own",
    ),
    "store_hours": (
        "应如 10:00-22:00；仅部分日子营业：12345 10:00-22:00（1 为周一）",
        "must be like 10:00-22:00, or on some days only 12345 10:00-22:00 (1 is Monday)",
    ),
    "coordinates_swapped": (
        "经纬度填反了？对调后在中国境内",
        "latitude and longitude the wrong way round? The other way it is in China",
    ),
}
