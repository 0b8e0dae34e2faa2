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
    "text_encoding": ("既不是 UTF-8 也不是 GB 18030 文本", "is neither UTF-8 nor GB 18030 text"),
    "columns_missing": ("第一行缺少列：{columns}", "the first line lacks the columns {columns}"),
    "column_twice": ("第一行有重复的列", "the first line names a column twice"),
    "too_many_rows": ("超过 {max_rows} 行，请分批导入", "more than {max_rows} rows: import them in parts"),
    "csv_quotes": ("第 {line} 行不是 CSV：引号有误", "line {line} is not CSV: a quotation mark is wrong"),
}
