"""The scan page: a guide's or a group's code to press, or why there is none. No script, and no other
request but the QR picture's.
"""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType

from chalicelib.web.frame import Page, Preview, notice, query, speak, words
from chalicelib.web.frame import page as framed

_HERE = Path(__file__).parent
_STYLE = (_HERE / "scan.css").read_text(encoding="utf-8")
_CODE = Template((_HERE / "code.html").read_text(encoding="utf-8"))
# Of nobody by name: who opens the link may get another guide than the preview did.
_GUIDE_PREVIEW = (
    ("添加您的专属顾问", "Add your personal advisor"),
    ("打开后长按识别二维码，一对一为您服务", "Open it, then press and hold the QR code"),
)
_GROUP_PREVIEW = (
    ("邀请您加入客户群", "Join our group chat"),
    ("打开后长按识别二维码，即可入群", "Open it, then press and hold the QR code"),
)
_CLOSED = {  # title; what to do
    "not_yet": (
        ("活动还没开始", "This event hasn't started yet"),
        ("开始后再扫一次即可", "Please scan again once it starts"),
    ),
    "ended": (
        ("活动已结束", "This event has ended"),
        ("感谢您的关注，下次活动见", "Thank you for your interest. See you next time!"),
    ),
    "hours": (
        ("现在是休息时间", "We are closed right now"),
        ("请在服务时间再扫一次", "Please scan again during our service hours"),
    ),
    "full": (
        ("名额暂时已满", "All places are taken for now"),
        ("请稍后或明天再扫一次", "Please scan again later today or tomorrow"),
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
        title=speak(f"添加{name}", f"Add {name}"),
        role=("您的专属顾问", "Your personal advisor"),
        alt=speak(f"{name}的企业微信二维码", f"WeCom QR code of {name}"),
        do=("长按识别二维码", "Press and hold the QR code"),
        last=("添加好友", "Tap “Add”"),
        store="" if store is None else _store(store, distance_m, told),
        preview=_preview(_GUIDE_PREVIEW, picture),
    )


def group(name: str, qr_url: str, picture: str = "") -> Page:
    """A group's join way. `name`: the group's, as its members see it. picture: of the link."""
    name = name or speak("客户群", "the group chat")
    return _code(
        name,
        qr_url,
        title=speak(f"加入{name}", f"Join {name}"),
        role=("邀请您加入群聊", "You are invited to join"),
        alt=speak(f"{name}的入群二维码", f"QR code to join {name}"),
        do=("长按识别二维码", "Press and hold the QR code"),
        last=("加入群聊", "Tap “Join”"),
        preview=_preview(_GROUP_PREVIEW, picture),
    )


def closed(reason: str = "ended", opens_at: datetime | None = None) -> Page:
    """Nobody can be added by this code now. `reason`: not_yet, ended, hours, full; `opens_at`: local time."""
    title, text = _CLOSED[reason]
    if opens_at is not None:
        text = (
            f"{opens_at.month} 月 {opens_at.day} 日 {opens_at:%H:%M} 开放，届时再扫一次即可",
            f"We open on {opens_at:%-d %B} at {opens_at:%H:%M}. Please scan again then.",
        )
    return _notice("clock", title, text)


def used() -> Page:
    """A card for one person, which another person holds."""
    text = (
        "每张卡仅限一人使用，如有疑问请联系客服",
        "Each card can be used by one person only. Any questions? Please contact customer service.",
    )
    return _notice("clock", ("此卡已使用", "This card has already been used"), text)


def unknown() -> Page:
    """No such code."""
    title = ("二维码无效或已失效", "This QR code is invalid or has expired")
    text = ("请核对后重新扫描", "Please check the code and scan it again")
    return _notice("question", title, text)


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
        role=words(*role),
        store=store,
        qr_url=escape(qr_url),
        alt=escape(alt),
        do=words(*do),
        hold=words("长按二维码", "Press and hold the code"),
        tap=words("点「识别图中的二维码」", "Tap “Extract QR Code”"),
        last=words(*last),
        elsewhere=words(
            "不在微信里？请截图保存，再用微信「扫一扫」从相册识别",
            "Not in WeChat? Take a screenshot, then scan it from your album in WeChat",
        ),
        desktop=words("请用手机微信扫一扫", "Scan this code with WeChat on your phone"),
        desktop_how=words(
            "打开手机微信，点右上角「＋」→「扫一扫」，对准上方二维码",
            "Open WeChat on your phone, tap ⊕ in the top corner, then Scan",
        ),
    )
    return framed(title, body, style=_STYLE, pictures=qr_url, preview=preview)


def _notice(icon: str, title: tuple[str, str], text: tuple[str, str]) -> Page:
    shown = speak(*title)
    return framed(shown, notice(icon, title, text), preview=Preview(shown, speak(*text)))


def _preview(texts: tuple[tuple[str, str], tuple[str, str]], picture: str) -> Preview:
    title, text = texts
    return Preview(speak(*title), speak(*text), picture)


def _initial(name: str) -> str:
    """Of the name, behind flowers and flags that may stand before it."""
    return next(filter(str.isalnum, name), name[:1]).upper()


def _store(name: str, distance_m: int | None, told: Mapping[str, str]) -> str:
    far = ""
    if distance_m is not None:
        far = f" <i>· {distance_m / 1000:.1f} km</i>" if distance_m >= 1000 else f" <i>· {distance_m} m</i>"
    other = words("换一家门店", "Another store")
    link = query(told, choose="1")
    return f'<p class="store"><span>{escape(name)}{far}</span><a href="{link}">{other}</a></p>\n'
