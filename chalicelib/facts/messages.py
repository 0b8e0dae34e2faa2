"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "rule_node": (
        "每个条件只能有一项：all、any、not 或一个字段",
        "a node is just one of all, any, not, or a field",
    ),
    "rule_field": ("没有这个字段", "there is no such field to ask for"),
    "rule_operator": ("这里只能用：{allowed}", "can only be asked with: {allowed}"),
    "rule_depth": ("条件最多嵌套 {depth} 层", "a rule may be at most {depth} levels deep"),
    "rule_nodes": ("最多 {nodes} 个条件", "a rule may have at most {nodes} nodes"),
    "rule_time": (
        "应为带时区的时间（例如 2026-11-22T10:00:00+08:00）或时长（例如 P7D）",
        "must be a time with its offset, e.g. 2026-11-22T10:00:00+08:00, or a duration, e.g. P7D",
    ),
}
