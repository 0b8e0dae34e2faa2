"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "other_site": ("不能由其他网站代为登录", "another site can't sign anybody in"),
    "sign_in_failures": ("登录失败次数过多，请稍后再试", "too many failed sign-ins: wait"),
    "unknown_key_id": ("没有 API 密钥 {api_key_id}", "there is no API key {api_key_id}"),
    "unknown_user": ("{staff_id} 还没有角色", "there is no user {staff_id}"),
    "unknown_session": ("没有这个登录，或它已经结束", "there is no such session, or it is over"),
    "user_exists": ("{staff_id} 已有角色，请直接修改", "{staff_id} is a user already: change them instead"),
    "last_admin": (
        "这是最后一位长期有效的管理员，请先添加另一位",
        "this is the last admin whose access does not expire: make another one first",
    ),
    "admin_scope": (
        "管理员不能限定范围：能授权他人的人不应只管一家门店",
        "an admin has none: whoever makes people can't be kept to a store",
    ),
}
