"""Doors of posters: a live code's poster, templates, their pictures, batches."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.livecodes import service as livecodes
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Paging
from chalicelib.posters import service
from chalicelib.posters.native_picture import fetch_native_picture
from chalicelib.posters.rules import MAX_WIDTH, MIN_WIDTH
from chalicelib.posters.types import (
    AssetOut,
    JobOut,
    NewPosterBatch,
    PosterTemplatePatch,
    Preview,
    PreviewStored,
    Template,
)

door = http.Door(__name__, tag="Posters")

_MAX_ASSET = 4 * 1024 * 1024  # what reaches a function through API Gateway: 6 MB as base64


_ELSEWHERE = {302: "The file is larger than an answer may be: `Location` has it"}


class PosterQuery(Struct, kw_only=True):
    template: Annotated[str, Meta(description="The poster's template")] = ""
    staff_id: Annotated[str, Meta(description="Whose name stands on it")] = ""
    title: Annotated[str, Meta(description="Instead of the template's")] = ""
    subtitle: Annotated[str, Meta(description="Instead of the template's")] = ""
    avatar_url: Annotated[str, Meta(description="The guide's picture, at WeCom's hosts")] = ""


class PictureQuery(PosterQuery, kw_only=True):
    width: Annotated[int, Meta(ge=MIN_WIDTH, le=MAX_WIDTH, description="Pixels")] | UnsetType = UNSET


class JpegQuery(PictureQuery, kw_only=True):
    quality: Annotated[int, Meta(ge=40, le=95)] | UnsetType = UNSET


_ASSET_KINDS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/poster.png",
    permission="live_codes.read",
    summary="The code's poster as a PNG",
    gives="image/png",
    others=_ELSEWHERE,
    query=PictureQuery,
)
def poster(call: Call, live_code_id: str) -> Answer:
    return _poster(call, live_code_id, "png")


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/poster.jpg",
    permission="live_codes.read",
    summary="The code's poster as a JPEG",
    gives="image/jpeg",
    others=_ELSEWHERE,
    query=JpegQuery,
)
def poster_jpg(call: Call, live_code_id: str) -> Answer:
    return _poster(call, live_code_id, "jpg")


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/poster.pdf",
    permission="live_codes.read",
    summary="The code's poster for print: 300 dpi, bleed and crop marks",
    gives="application/pdf",
    others=_ELSEWHERE,
    query=PosterQuery,
)
def poster_pdf(call: Call, live_code_id: str) -> Answer:
    return _poster(call, live_code_id, "pdf")


@door.route(
    "POST",
    "/api/poster-templates",
    body=Template,
    status=201,
    permission="poster_templates.write",
    summary="A new poster template",
)
def create(call: Call) -> dict[str, Any]:
    return service.create(call.body)


@door.route(
    "GET",
    "/api/poster-templates",
    permission="poster_templates.read",
    summary="Poster templates that were made, newest first",
    query=Paging,
)
def listing(call: Call) -> dict[str, Any]:
    items, cursor = service.page(*call.page())
    return {**http.listing(items, cursor), "built_in": service.built_in()}


@door.route(
    "POST",
    "/api/poster-templates/preview",
    body=Preview,
    permission="poster_templates.write",
    summary="A sample PNG of a template that is not kept; why its codes can't be read, if they can't",
    gives="image/png",
    others=_ELSEWHERE,
)
def preview(call: Call) -> Answer:
    return _answered(service.preview(call.body.template, call.body.sample))


@door.route(
    "GET",
    "/api/poster-templates/{template_id}",
    permission="poster_templates.read",
    summary="One poster template",
)
def get(call: Call, template_id: str) -> dict[str, Any]:
    return service.get(template_id)


@door.route(
    "PATCH",
    "/api/poster-templates/{template_id}",
    body=PosterTemplatePatch,
    permission="poster_templates.write",
    summary="Change a poster template: the next poster is drawn by it",
)
def change(call: Call, template_id: str) -> dict[str, Any]:
    return service.change(template_id, call.json(), lambda merged: http.convert(merged, Template))


@door.route(
    "DELETE",
    "/api/poster-templates/{template_id}",
    permission="poster_templates.write",
    summary="Delete a poster template",
)
def remove(call: Call, template_id: str) -> dict[str, Any]:
    service.remove(template_id)
    return {"template_id": template_id, "status": "deleted"}


@door.route(
    "POST",
    "/api/poster-templates/{template_id}/preview",
    body=PreviewStored,
    permission="poster_templates.write",
    summary="A sample PNG of a template",
    gives="image/png",
    others=_ELSEWHERE,
)
def preview_stored(call: Call, template_id: str) -> Answer:
    return _answered(service.stored_preview(template_id, call.body.sample))


@door.route(
    "POST",
    "/api/poster-assets",
    status=201,
    permission="poster_templates.write",
    answer=AssetOut,
    summary="Keep a picture for templates: the body is a PNG or a JPEG of at most 4 MiB",
    max_body=_MAX_ASSET,
    takes="image/*",
)
def asset(call: Call) -> AssetOut:
    if not call.raw.startswith(_ASSET_KINDS):
        raise Invalid(("body", "must be a PNG or a JPEG picture"))
    return msgspec.convert(service.asset(call.raw), AssetOut)


@door.route(
    "POST",
    "/api/poster-batches",
    body=NewPosterBatch,
    answer=JobOut,
    status=202,
    permission="poster_batches.write",
    summary="Many posters as one ZIP: of codes, or of one code for each guide or store",
)
def batch(call: Call) -> dict[str, Any]:
    return service.start_batch(call.body)


def _poster(call: Call, live_code_id: str, form: str) -> Answer:
    code = livecodes.get(live_code_id)
    wanted = {name: value for name, value in msgspec.to_builtins(call.query).items() if value}
    return _answered(service.poster(code, {**wanted, "format": form}, fetch_native_picture(code)))


def _answered(made: dict[str, Any]) -> Answer:
    """The picture; a link to it when it is larger than an answer may be."""
    if "url" in made:
        return Answer(b"", 302, {"Location": made["url"]})
    return Answer(made["body"], headers={"Content-Type": made["content_type"]})
