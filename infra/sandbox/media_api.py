"""Media: uploads, which live three days, and pictures for links, which stay (wecom-api.md §4.14)."""

import mimetypes
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.content import MEDIA_LIFE
from infra.sandbox.endpoint import Call, Download, Endpoint, P, ok
from infra.sandbox.errors import ApiError
from infra.sandbox.world import World, day_of

_MB = 1 << 20
_SIZES = {"image": 10 * _MB, "voice": 2 * _MB, "video": 10 * _MB, "file": 20 * _MB}
_PICTURES_A_DAY, _PICTURES_A_MONTH = 1_000, 3_000
_FETCHED_AFTER = 5  # seconds until WeCom has fetched a file from an address


def _bytes(call: Call, most: int) -> bytes:
    if call.upload is None or len(call.upload.data) <= 5:
        raise ApiError(44001)
    if len(call.upload.data) > most:
        raise ApiError(40006)
    return call.upload.data


def _keep(call: Call, prefix: str, kind: str, data: bytes, purpose: int = 0) -> st.Media:
    world, name = call.world, call.upload.filename if call.upload else ""
    _forget_old(world)
    media = st.Media(world.new_id(prefix, 40), kind, world.ts(), purpose=purpose, filename=name)
    world.state.media[media.media_id] = media
    world.files.put(media.media_id, data)
    return media


def _forget_old(world: World) -> None:
    """The bytes of media that are over; that they were is remembered (40007)."""
    for media in world.state.media.values():
        if media.url:
            continue
        if world.ts() - media.created_at <= MEDIA_LIFE:
            break  # they are in the order of their making
        world.files.drop(media.media_id)


def upload(call: Call) -> dict[str, Any]:
    kind = call["type"]
    media = _keep(call, "MEDIA", kind, _bytes(call, _SIZES[kind]))
    return ok(type=kind, media_id=media.media_id, created_at=str(int(media.created_at)))


def upload_attachment(call: Call) -> dict[str, Any]:
    kind = call["media_type"]
    media = _keep(call, "ATTACH", kind, _bytes(call, _SIZES[kind]), call["attachment_type"])
    return ok(type=kind, media_id=media.media_id, created_at=int(media.created_at))


def uploadimg(call: Call) -> dict[str, Any]:
    world, data = call.world, _bytes(call, 2 * _MB)
    today, times = day_of(world.ts()), [m.created_at for m in world.state.media.values() if m.type == "img"]
    if sum(at >= today for at in times) >= _PICTURES_A_DAY:
        raise ApiError(45009)
    if sum(at >= today - 30 * 86_400 for at in times) >= _PICTURES_A_MONTH:
        raise ApiError(45009)
    media = _keep(call, "IMG", "img", data)
    media.url = f"{world.base_url}/img/{media.media_id}"
    return ok(url=media.url)


def get(call: Call) -> Download:
    world = call.world
    media = world.state.media.get(call["media_id"])
    data = world.files.get(call["media_id"]) if media is not None else None
    if media is None or data is None or (not media.url and world.ts() - media.created_at > MEDIA_LIFE):
        raise ApiError(40007)
    return download(media, data)


def download(media: st.Media, data: bytes) -> Download:
    name = media.filename or media.media_id
    return Download(data, name, mimetypes.guess_type(name)[0] or _sniffed(data))


def _sniffed(data: bytes) -> str:
    heads = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF": "application/pdf"}
    return next((kind for head, kind in heads.items() if data.startswith(head)), "application/octet-stream")


def upload_by_url(call: Call) -> dict[str, Any]:
    """WeCom fetches it by itself and tells when it is there. The sandbox looks at no address: it is there
    after some seconds, empty."""
    if not call["url"].startswith(("http://", "https://")):
        raise ApiError(830001)
    world, now = call.world, call.world.ts()
    media = st.Media(world.new_id("MEDIABIG", 40), call["type"], now, filename=call["filename"])
    media.ready_at = now + _FETCHED_AFTER
    world.state.media[media.media_id] = media
    jobid = f"JOB_{media.media_id}"
    world.post_event(media.ready_at, "upload_media_job_finish", JobId=jobid)
    return ok(jobid=jobid)


def get_upload_by_url_result(call: Call) -> dict[str, Any]:
    media = call.world.state.media.get(call["jobid"].removeprefix("JOB_"))
    if media is None or not media.ready_at:
        raise ApiError(40058, "jobid")
    if call.world.ts() < media.ready_at:
        return ok(status=1)
    made = {"media_id": media.media_id, "created_at": str(int(media.ready_at))}
    return ok(status=2, detail=ok(**made))


TABLE = (
    Endpoint(
        "POST", "media/upload", upload, (P("type", str, True, choices=tuple(_SIZES), code=40004),),
        in_query=("type",),
    ),
    Endpoint(
        "POST", "media/upload_attachment", upload_attachment,
        (P("media_type", str, True, choices=("image", "video", "file"), code=40004),
         P("attachment_type", int, True, choices=(1, 2))),
        in_query=("media_type", "attachment_type"),
    ),
    Endpoint("POST", "media/uploadimg", uploadimg),
    Endpoint("GET", "media/get", get, (P("media_id", str, True),)),
    Endpoint("GET", "media/get/jssdk", get, (P("media_id", str, True),)),
    Endpoint(
        "POST", "media/upload_by_url", upload_by_url,
        (P("scene", int, True, choices=(1,)), P("type", str, True, choices=("video", "file"), code=40004),
         P("filename", str, True, most=128), P("url", str, True, most=1024), P("md5", str, True, most=32)),
    ),
    Endpoint("POST", "media/get_upload_by_url_result", get_upload_by_url_result, (P("jobid", str, True),)),
)  # fmt: skip
