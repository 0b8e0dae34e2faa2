"""Doors of posters: a live code's poster, templates, their pictures, batches."""

from urllib.parse import urlencode

from chalicelib.platform import http
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.posters import batch_start, service, template_store
from chalicelib.posters.types import (
    Asset,
    DeletedTemplate,
    JpegQuery,
    NewPosterBatch,
    PictureQuery,
    PosterFile,
    PosterQuery,
    PosterTemplatePatch,
    Preview,
    PreviewStored,
    StoredTemplate,
    Template,
    TemplatePage,
    TemplatesQuery,
)

door = http.Door(__name__, tag="Posters")

_MAX_ASSET = 4 * 1024 * 1024  # what reaches a function through API Gateway: 6 MB as base64
_ASSET_KINDS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_ELSEWHERE = {302: "The file is larger than an answer may be: `Location` has it"}


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/poster.png",
    permission="live_codes.read",
    summary="The code's poster as a PNG",
    gives="image/png",
    others=_ELSEWHERE,
    query=PictureQuery,
)
def make_png(call: Call, live_code_id: str) -> Answer:
    return _answer(service.make_poster(live_code_id, call.query, "png", call.principal))


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/poster.jpg",
    permission="live_codes.read",
    summary="The code's poster as a JPEG",
    gives="image/jpeg",
    others=_ELSEWHERE,
    query=JpegQuery,
)
def make_jpeg(call: Call, live_code_id: str) -> Answer:
    return _answer(service.make_poster(live_code_id, call.query, "jpg", call.principal))


@door.route(
    "GET",
    "/api/live-codes/{live_code_id}/poster.pdf",
    permission="live_codes.read",
    summary="The code's poster for print: 300 dpi, bleed and crop marks",
    gives="application/pdf",
    others=_ELSEWHERE,
    query=PosterQuery,
)
def make_pdf(call: Call, live_code_id: str) -> Answer:
    return _answer(service.make_poster(live_code_id, call.query, "pdf", call.principal))


@door.route(
    "POST",
    "/api/poster-templates",
    body=Template,
    status=201,
    permission="poster_templates.write",
    summary="A new poster template",
    answer=StoredTemplate,
)
def create_template(call: Call) -> StoredTemplate:
    return service.create_template(call.body, call.principal)


@door.route(
    "GET",
    "/api/poster-templates",
    permission="poster_templates.read",
    summary="Poster templates that were made, newest first, and the ids of those that are always there",
    query=TemplatesQuery,
    answer=TemplatePage,
)
def list_templates(call: Call) -> TemplatePage:
    return template_store.list_templates(call.query, call.principal)


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
    return _answer(service.preview(call.body.template, call.body.sample))


@door.route(
    "GET",
    "/api/poster-templates/{template_id}",
    permission="poster_templates.read",
    summary="One poster template",
    answer=StoredTemplate,
)
def get_template(call: Call, template_id: str) -> Answer:
    return _versioned(template_store.get(template_id, call.principal))


@door.route(
    "PATCH",
    "/api/poster-templates/{template_id}",
    body=PosterTemplatePatch,
    headers=IfMatchHeader,
    permission="poster_templates.write",
    summary="Change a poster template: the next poster is drawn by it",
    answer=StoredTemplate,
)
def change_template(call: Call, template_id: str) -> Answer:
    return _versioned(service.change_template(template_id, call.json(), call.principal, call.if_match))


@door.route(
    "DELETE",
    "/api/poster-templates/{template_id}",
    permission="poster_templates.write",
    summary="Delete a poster template",
    answer=DeletedTemplate,
)
def delete_template(call: Call, template_id: str) -> DeletedTemplate:
    template_store.delete(template_id, call.principal)
    return DeletedTemplate(template_id=template_id)


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
    return _answer(service.preview_stored(template_id, call.body.sample))


@door.route(
    "POST",
    "/api/poster-assets",
    status=201,
    permission="poster_templates.write",
    answer=Asset,
    summary="Keep a picture for templates: the body is a PNG or a JPEG of at most 4 MiB",
    max_body=_MAX_ASSET,
    takes="image/*",
)
def keep_picture(call: Call) -> Asset:
    if not call.raw.startswith(_ASSET_KINDS):
        raise Invalid(issue("body", "not_a_picture"))
    return service.keep_picture(call.raw)


@door.route(
    "GET",
    "/api/poster-assets/{asset_id}",
    permission="poster_templates.read",
    summary="A kept picture",
    gives="image/png",
    others=_ELSEWHERE,
)
def show_picture(call: Call, asset_id: str) -> Answer:
    return _answer(service.read_picture(asset_id))


@door.route(
    "POST",
    "/api/poster-batches",
    body=NewPosterBatch,
    answer=Job,
    status=202,
    permission="poster_batches.write",
    summary="Many posters as one ZIP: of codes, or of one code for each guide or store",
)
def start_batch(call: Call) -> Job:
    return batch_start.start(call.body, call.principal)


def _versioned(stored: StoredTemplate) -> Answer:
    """A built-in one has no version: it changes with the brand alone."""
    return http.versioned(stored, stored.version or 0)


def _answer(poster: PosterFile) -> Answer:
    """The picture; a link to it when it is larger than an answer may be. `X-Left-Out`: emoji that are not on
    it, by field, as a query string."""
    told = {"X-Left-Out": urlencode(poster.left_out)} if poster.left_out else {}
    if poster.url is not None:
        return Answer(b"", 302, {"Location": poster.url, **told})
    return Answer(poster.body, headers={"Content-Type": poster.content_type, **told})
