"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "member_unknown": (
        "企业微信中没有成员 {staff_id}，或应用看不到此人：请核对账号（userid）",
        "WeCom has no member {staff_id}, or does not show them to the app: check the userid",
    ),
    "member_left": ("成员 {staff_id} 已离职", "{staff_id} has left the corp"),
    "member_disabled": ("成员 {staff_id} 已被禁用", "{staff_id} is disabled in WeCom"),
    "member_not_activated": (
        "成员 {staff_id} 尚未激活企业微信或未实名认证，企业微信不为其生成联系方式",
        "{staff_id} has not activated WeCom, or is not real-name verified: WeCom makes no contact way",
    ),
    "member_not_real_named": (
        "成员 {staff_id} 尚未在企业微信实名认证",
        "{staff_id} is not real-name verified in WeCom",
    ),
    "member_not_serving": (
        "成员 {staff_id} 没有客户联系权限：请在“客户联系”的使用范围中添加此人",
        "{staff_id} may not serve customers: add them to the range of customer contact (客户联系) in WeCom",
    ),
    "member_invisible": (
        "成员 {staff_id} 不在应用的可见范围内",
        "{staff_id} is outside of what the app may see in WeCom",
    ),
    "member_not_checked": (
        "尚未向企业微信核对成员 {staff_id}",
        "WeCom could not be asked about {staff_id} yet",
    ),
    "unknown_staff": ("没有成员 {staff_id}", "there is no member of staff {staff_id}"),
}
