"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "contact_ways_used_up": (
        "企业的 {limit} 个联系方式已用完，请归档不再使用的活码",
        "all {limit} contact ways of the corp are used up: archive live codes that are no longer used",
    ),
    "way_being_made": (
        "联系方式正在生成，请稍后再试",
        "the contact way is being made: try again in a moment",
    ),
    "too_many_ways_made": (
        "正在生成的联系方式过多，请稍后再试",
        "too many contact ways are being made to look for this one: try again in a moment",
    ),
    "nobody_to_list": (
        "这个活码中无人可接待客户，企业微信无法生成空码",
        "nobody in this code can get customers, and WeCom makes no code of nobody",
    ),
    "way_removed": (
        "活码的联系方式刚刚被删除，请重试",
        "the code's contact way was removed at this moment: try again",
    ),
}
