"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "too_many_cards": (
        "{format} 最多 {maximum} 张；csv 最多 {csv} 张",
        "at most {maximum} cards for {format}; csv takes {csv}",
    ),
    "card_beyond_page": (
        "加上出血和裁切线后超出纸张",
        "does not fit the page with its bleed and cut marks",
    ),
    "gutter_too_narrow": (
        "小于出血的两倍，相邻卡片会相互覆盖",
        "is less than twice the bleed: neighbours would run into each other",
    ),
    "card_code_too_small": (
        "二维码会小于 {minimum_mm} 毫米",
        "the code would be under {minimum_mm} mm",
    ),
    "max_lines": ("最多 {max_lines} 行", "may have at most {max_lines} lines"),
    "template_has_its_own": (
        "模板里已经有了，不能再填",
        "is the template's own: leave it out",
    ),
    "native_reserves_nobody": (
        "企业微信自己的活码不预留接待人，谁扫都接待",
        "a native code reserves nobody: WeCom's own code serves whoever scans it",
    ),
    "no_such_print_run": ("没有印刷批次 {print_run_id}", "there is no print run {print_run_id}"),
    "no_such_card": ("没有这张卡", "there is no such card"),
    "print_run_closed": ("这个印刷批次已关闭", "the run is closed"),
    "prefix_taken": (
        "前缀 {prefix} 已被其他印刷批次使用：{print_run_id}",
        "another run has the prefix {prefix}: {print_run_id}",
    ),
    "card_bound": ("{card} 已绑定其他订单", "{card} is bound to another order"),
    "archived_prints_nothing": (
        "活码已归档，不能再印",
        "the live code is archived: nothing is printed of it",
    ),
}
