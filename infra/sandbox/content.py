"""What a welcome or a mass send may hold: text and attachments (wecom-api.md §4.6)."""

from typing import Any

from infra.sandbox.errors import ApiError
from infra.sandbox.world import World

MEDIA_LIFE = 3 * 86400
_MOST_ATTACHMENTS = 9
_MOST_TEXT = 4000
# kind → the fields it needs, and the most bytes of those that are limited
_KINDS: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "image": ((), {}),
    "link": (("title", "url"), {"title": 128, "desc": 512, "url": 2048}),
    "miniprogram": (("title", "pic_media_id", "appid", "page"), {"title": 64}),
    "video": (("media_id",), {}),
    "file": (("media_id",), {}),
}


def _media(world: World, media_id: str) -> None:
    known = world.state.media.get(media_id)
    if known is None or known.purpose or world.ts() - known.created_at > MEDIA_LIFE:
        raise ApiError(40007)


def _attachment(world: World, item: Any) -> None:
    kind = item.get("msgtype") if isinstance(item, dict) else None
    if kind not in _KINDS:
        raise ApiError(41065)
    body = item.get(kind)
    if not isinstance(body, dict) or any(not isinstance(v, str) for v in body.values()):
        raise ApiError(40058, kind)
    needed, most = _KINDS[kind]
    for name in needed:
        if not body.get(name):
            raise ApiError(40063, f"{kind}.{name}")
    for name, size in most.items():
        if len(body.get(name, "").encode()) > size:
            raise ApiError(41082, f"{kind}.{name}")
    if kind == "image" and not body.get("media_id"):
        if not any(m.url and m.url == body.get("pic_url") for m in world.state.media.values()):
            raise ApiError(40058, "image.pic_url is not from media/uploadimg")
        return
    for name in ("media_id", "pic_media_id"):
        if body.get(name):
            _media(world, body[name])


def check_content(world: World, args: dict[str, Any]) -> dict[str, Any]:
    """The text and attachments of a message. One bad attachment fails the whole call.

    ApiError 41089 (both empty), 45002 (text), 41064, 41065, 41082 (attachments), 40007 (media).
    """
    text, attachments = args.get("text") or {}, args.get("attachments") or []
    words = text.get("content") or ""
    if not isinstance(words, str):
        raise ApiError(40058, "text.content")
    if not words and not attachments:
        raise ApiError(41089)
    if len(words.encode()) > _MOST_TEXT:
        raise ApiError(45002)
    if len(attachments) > _MOST_ATTACHMENTS:
        raise ApiError(41064)
    for item in attachments:
        _attachment(world, item)
    return {"text": {"content": words}, "attachments": attachments}
