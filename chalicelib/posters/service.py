"""What others ask of posters: one poster, templates, pictures, batches. Nothing here draws.

The drawing is functions/poster's, which has the libraries for it. It is invoked and waited for, for
one poster; a batch goes to it by its queue.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import files, ids, settings
from chalicelib.platform.errors import Conflict, Invalid, Issue, NotFound, Upstream
from chalicelib.posters import batch_start, template_store
from chalicelib.posters.rules import WORDS
from chalicelib.posters.template_store import built_in, get, page, remove
from chalicelib.posters.types import NewPosterBatch, Sample, Template
from chalicelib.staff import service as staff

__all__ = [
    "asset",
    "built_in",
    "change",
    "create",
    "get",
    "page",
    "poster",
    "preview",
    "remove",
    "start_batch",
    "stored_preview",
]

_SHORTEST = 60  # bytes of a link for which every template must do
_CODE = "AbCd2345"


def poster(code: LiveCode, wanted: Mapping[str, Any], qr_image: bytes | None = None) -> dict[str, Any]:
    """A live code's poster: `{"content_type"}` with `body`, or the `url` of a file too large for that.

    wanted: "template", "width", "title", "subtitle", "format", "quality", "avatar_url", and "staff_id",
    whose name stands on it. qr_image: the picture of WeCom's own code, to stand there instead of our link.
    Invalid, NotFound, Upstream.
    """
    request = {name: value for name, value in wanted.items() if value and name != "staff_id"}
    if staff_id := wanted.get("staff_id"):
        if staff_id not in code.rule.staff_ids:
            raise Invalid(("staff_id", "is not in this live code"))
        request["staff_name"] = staff.name(staff_id)
    if qr_image is not None:
        request["qr_image_base64"] = base64.b64encode(qr_image).decode()
    return _file(_asked({"url": code.url, "code_name": code.name, **request}))


def create(template: Template) -> dict[str, Any]:
    """A new template, once codes on it are found readable. Invalid by field."""
    return template_store.create(template, _judge)


def change(template_id: str, patch: Mapping[str, Any], complete: Any) -> dict[str, Any]:
    """Apply a JSON merge patch. NotFound, Invalid, Conflict."""
    return template_store.change(template_id, patch, complete, _judge)


def preview(template: Template, sample: Sample) -> dict[str, Any]:
    """A sample poster of a template that is not kept. Invalid by field, as `create`."""
    definition = template_store.checked(template, lambda _: None)
    return _preview({"definition": definition}, sample)


def stored_preview(template_id: str, sample: Sample) -> dict[str, Any]:
    """A sample poster. NotFound, Invalid."""
    get(template_id)
    return _preview({"template": template_id}, sample)


def asset(data: bytes) -> dict[str, Any]:
    """Keep a picture for templates: `{"asset_id","width","height","bytes"}`. Invalid."""
    key = f"uploads/pictures/{ids.short(20)}"
    files.put(key, data)
    try:
        return dict(_asked({"kind": "asset", "key": key})["asset"])
    finally:
        files.delete(key)


def start_batch(wanted: NewPosterBatch) -> dict[str, Any]:
    """Have many posters made: the job, as it begins. Invalid, NotFound."""
    try:
        template_store.template(wanted.template)
    except NotFound as error:
        raise Invalid(("template", str(error))) from error
    return batch_start.start(wanted)


def _preview(of: dict[str, Any], sample: Sample) -> dict[str, Any]:
    words = {name: getattr(sample, name) for name in WORDS}
    request = {"kind": "preview", "url": sample.url or _longest_link(), "width": sample.width, **of, **words}
    return _file(_asked({**request, "length": len(_longest_link())}))


def _judge(definition: dict[str, Any]) -> None:
    _asked({"kind": "check", "definition": definition, "length": len(_longest_link())})


def _longest_link() -> str:
    """A link as ours are, or longer: every template must do for it."""
    link = f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/s/{_CODE}"
    return link + "?" + "x" * (_SHORTEST - len(link) - 1) if len(link) < _SHORTEST - 1 else link


def _file(told: Mapping[str, Any]) -> dict[str, Any]:
    text = told.get("png_base64") or told.get("file_base64")
    kind = {"content_type": told.get("content_type", "image/png")}
    if text:
        return {**kind, "body": base64.b64decode(text)}
    return {**kind, "url": files.download_url(told["key"], told["name"])}


def _asked(request: Mapping[str, Any]) -> dict[str, Any]:
    """The poster function's answer. What it says of the caller's input is said on; the rest is Upstream."""
    function = settings.env("POSTER_FUNCTION")
    answer = settings.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request).encode())
    told = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Upstream("the poster function failed")
    if error := told.get("error"):
        if error["status"] == Invalid.status:
            raise Invalid(*msgspec.convert(error.get("errors", []), list[Issue]))
        if error["status"] == Conflict.status:
            raise Conflict(str(error.get("detail")))
        raise Upstream(str(error.get("detail") or "the poster could not be made"))
    return dict(told)
