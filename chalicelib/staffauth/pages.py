"""What somebody reads whose sign-in to the console came to nothing, each with the way on."""

from collections.abc import Sequence

from chalicelib.platform.errors import DomainError, Exhausted, Forbidden, Unauthorized
from chalicelib.web.frame import Page, notice
from chalicelib.web.frame import page as framed

Words = tuple[str, str]  # Chinese, English
_TITLE = ("登录管理后台", "Sign in to the console")


def refused(error: DomainError, folder: str, admins: Sequence[str]) -> Page:
    """Why nobody was signed in. admins: whom to ask for a role."""
    begin = f"{folder}/console/login"
    back = (f"{folder}/console", "返回登录页", "Back to sign-in")
    if isinstance(error, Unauthorized):
        why = ("登录已失效，或不是在这个浏览器里发起的", "It has lapsed, or was begun in another browser")
        link = (begin, "重新登录", "Sign in again")
        return _page("retry", ("请重新登录", "Please sign in again"), why, link)
    if isinstance(error, Exhausted):
        minutes = max(1, -(-(error.retry_after or 60) // 60))
        why = (f"登录失败次数过多，请 {minutes} 分钟后再试", f"Too many failed tries: wait {minutes} minutes")
        return _page("clock", ("请稍后再试", "Please wait a while"), why, back)
    if isinstance(error, Forbidden):
        return _page("question", *_refusal(error.message_code, admins), back)
    why = ("企业微信暂时没有应答，请稍后再试", "WeCom does not answer at the moment")
    link = (begin, "再试一次", "Try again")
    return _page("retry", ("登录没有成功", "The sign-in did not work out"), why, link)


def not_connected(folder: str) -> Page:
    """The stack knows no WeCom yet."""
    title = ("还没有接入企业微信", "WeCom is not connected yet")
    why = (
        "请先用访问密钥登录，再到「设置 › 接入检查」完成接入",
        "Sign in with an API key first, then connect it under Settings › Connections",
    )
    return _page("question", title, why, (f"{folder}/console", "用密钥登录", "Sign in with a key"))


def _refusal(code: str | None, admins: Sequence[str]) -> tuple[Words, Words]:
    if code == "no_role":
        who = "、".join(admins) or "管理员"
        in_english = ", ".join(admins) or "an admin"
        return (
            ("您还没有后台权限", "You have no access to the console yet"),
            (
                f"请联系 {who}，在「设置 › 成员与权限」里为您分配角色",
                f"Ask {in_english} to give you a role under Settings › People",
            ),
        )
    if code == "access_revoked":
        return (
            ("您的后台权限已被收回", "Your access was revoked"),
            ("如有疑问，请联系管理员", "Ask an admin if you think this is wrong"),
        )
    return (
        ("仅限企业成员登录", "For staff only"),
        ("请用企业微信里的员工账号扫码", "Scan the code with your staff account in WeCom"),
    )


def _page(icon: str, title: Words, why: Words, link: tuple[str, str, str]) -> Page:
    return framed(_TITLE[0], notice(icon, title, why, link))
