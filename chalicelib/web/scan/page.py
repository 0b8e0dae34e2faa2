"""The scan page: a guide's or a group's code to press, or why there is none. No script, and no other
request but the QR picture's.
"""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType

from chalicelib.web.frame import Page, Preview, both, notice, query
from chalicelib.web.frame import page as framed

_HERE = Path(__file__).parent
_STYLE = (_HERE / "scan.css").read_text(encoding="utf-8")
_CODE = Template((_HERE / "code.html").read_text(encoding="utf-8"))
# Of nobody by name: who opens the link may get another guide than the preview did.
_GUIDE_PREVIEW = "添加您的专属顾问", "打开后长按识别二维码，一对一为您服务 · Add your personal advisor"
_GROUP_PREVIEW = "邀请您加入客户群", "打开后长按识别二维码，即可入群 · Join the group chat"
_CLOSED = {  # title; what to do
    "not_yet": (
        ("活动还没开始", "It has not begun yet"),
        ("再等等，开始后再扫一次就好", "Just scan it again later"),
    ),
    "ended": (("活动已结束", "It has ended"), ("感谢您的关注，欢迎到门店看看", "Thank you for coming by")),
    "hours": (
        ("现在是休息时间", "We are off duty"),
        ("请在服务时间再扫一次", "Please scan again in our hours"),
    ),
    "full": (
        ("名额暂时已满", "Full for the moment"),
        ("请晚些时候或明天再扫一次", "Please scan again later or tomorrow"),
    ),
}


def guide(
    name: str,
    qr_url: str,
    store: str | None = None,
    distance_m: int | None = None,
    told: Mapping[str, str] = MappingProxyType({}),
    picture: str = "",
) -> Page:
    """The guide's contact way. `name`: as customers see it; `qr_url`: the picture of WeCom's QR code.

    store: the name of the store whose guide it is; distance_m: to it, when it is known. told: what the
    link to another store tells on. picture: of the link, for its preview.
    """
    return _code(
        name,
        qr_url,
        title=f"添加{name}",
        role=("您的专属顾问", "Your personal advisor"),
        alt=f"{name} 的企业微信二维码",
        do=("长按识别二维码", "Press and hold the code to add"),
        last=("添加好友", "Tap Add"),
        store="" if store is None else _store(store, distance_m, told),
        preview=Preview(*_GUIDE_PREVIEW, picture),
    )


def group(name: str, qr_url: str, picture: str = "") -> Page:
    """A group's join way. `name`: the group's, as its members see it. picture: of the link."""
    name = name or "客户群"
    return _code(
        name,
        qr_url,
        title=f"加入{name}",
        role=("扫码加入群聊", "Join the group chat"),
        alt=f"{name} 的入群二维码",
        do=("长按识别二维码", "Press and hold the code to join"),
        last=("加入群聊", "Tap Join"),
        preview=Preview(*_GROUP_PREVIEW, picture),
    )


def closed(reason: str = "ended", opens_at: datetime | None = None) -> Page:
    """Nobody can be added by this code now. `reason`: not_yet, ended, hours, full; `opens_at`: local time."""
    title, text = _CLOSED[reason]
    if opens_at is not None:
        text = (
            f"{opens_at.month} 月 {opens_at.day} 日 {opens_at:%H:%M} 开放，到时再扫一次就好",
            f"It opens on {opens_at:%-d %B, %H:%M}; just scan it again",
        )
    return _notice("clock", title, text)


def used() -> Page:
    """A card for one person, which another person holds."""
    text = ("每张卡仅限一位顾客使用，如有疑问请联系客服", "Each card is for one person only")
    return _notice("clock", ("此卡已使用", "This card has been used"), text)


def unknown() -> Page:
    """No such code."""
    text = ("请核对二维码后重新扫描", "Please check the code and scan it again")
    return _notice("question", ("没有找到这个活码", "We don't know this code"), text)


def _code(
    name: str,
    qr_url: str,
    *,
    title: str,
    role: tuple[str, str],
    alt: str,
    do: tuple[str, str],
    last: tuple[str, str],
    preview: Preview,
    store: str = "",
) -> Page:
    body = _CODE.substitute(
        name=escape(name),
        initial=escape(_initial(name)),
        role=both(*role),
        store=store,
        qr_url=escape(qr_url),
        alt=escape(alt),
        do=both(*do),
        hold=both("长按二维码", "Hold the code"),
        tap=both("点击「识别」", "Tap Extract"),
        last=both(*last),
        elsewhere=both(
            "不在微信里？截图后用微信「扫一扫」打开相册识别",
            "Not in WeChat? Take a screenshot and scan it there",
        ),
    )
    return framed(title, body, style=_STYLE, pictures=qr_url, preview=preview)


def _notice(icon: str, title: tuple[str, str], text: tuple[str, str]) -> Page:
    return framed(title[0], notice(icon, title, text), preview=Preview(title[0], f"{text[0]} · {text[1]}"))


def _initial(name: str) -> str:
    """Of the name, behind flowers and flags that may stand before it."""
    return next(filter(str.isalnum, name), name[:1]).upper()


def _store(name: str, distance_m: int | None, told: Mapping[str, str]) -> str:
    far = ""
    if distance_m is not None:
        far = f" <i>· {distance_m / 1000:.1f} km</i>" if distance_m >= 1000 else f" <i>· {distance_m} m</i>"
    other = both("换一家门店", "Another store")
    link = query(told, choose="1")
    return f'<p class="store"><span>{escape(name)}{far}</span><a href="{link}">{other}</a></p>\n'
