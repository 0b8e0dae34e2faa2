"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "sign_in_over": ("登录已失效，请重新登录", "this sign-in is over: begin again"),
    "access_revoked": ("您的访问权限已被收回", "this person's access was revoked"),
    "no_role": ("您还没有后台权限，请联系管理员分配角色", "no role was given to this person: ask an admin"),
    "staff_only": ("仅限企业成员登录", "only staff can sign in here"),
}
