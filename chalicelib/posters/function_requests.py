"""What the poster function is asked for and waited upon: one poster, a preview, a judgement, a picture."""

import base64
import hashlib
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.platform import files, invocations
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.posters import outside_pictures, printable, rendering, rules, template_store
from chalicelib.posters.built_in_templates import DEFAULT, TEMPLATES
from chalicelib.posters.types import Template

_LARGEST = 4_000_000  # bytes in an answer: Lambda takes 6 MB, and base64 makes 4 of 3


def answer(event: Any) -> dict[str, Any]:
    """The answer to an event, or its error (platform/invocations.py).

    `{"kind": "check", "definition", "length"}` → {}; `{"kind": "preview", "definition" or "template",
    "length", …a poster's}` and a poster's own (rules.parse_request) → `{"png_base64" or "file_base64",
    "content_type", "left_out"}`, a large file as `{"key","name","content_type","left_out"}`;
    `{"kind": "asset", "key"}` → {"asset"}; `{"kind": "brand_picture", "key"}` → {"picture"};
    `{"kind": "texts", "texts": {field: text}}` → {}.
    """
    return invocations.answer(lambda: _answer(event))


def _answer(event: Any) -> dict[str, Any]:
    kind = event.get("kind") if isinstance(event, dict) else None
    if kind == "asset":
        return {"asset": msgspec.to_builtins(outside_pictures.store(files.get(event["key"])))}
    if kind == "brand_picture":
        return {"picture": msgspec.to_builtins(outside_pictures.store_brand_picture(files.get(event["key"])))}
    if kind == "texts":
        _check_texts(event["texts"])
        return {}
    if kind == "check":
        _judge(_template(event["definition"]), event["length"])
        return {}
    return _poster(event)


def _poster(event: Any) -> dict[str, Any]:
    request = rules.parse_request(event, TEMPLATES, DEFAULT)
    if event.get("definition"):
        template = _template(event["definition"])
        _judge(template, event["length"])
    else:
        template = _named(request.template)
    if request.qr_image:
        request = replace(request, url=outside_pictures.read_code(request.qr_image))
    request, left_out = printable.clean_request(request)
    return {**_file(rendering.render(request, template), request), "left_out": left_out}


def _file(data: bytes, request: rules.Request) -> dict[str, Any]:
    kind = {"content_type": rendering.TYPES[request.format]}
    if len(data) > _LARGEST:
        name = f"{hashlib.sha256(data).hexdigest()[:24]}.{request.format}"
        key = f"results/posters/single/{name}"
        files.put(key, data, kind["content_type"])
        return {**kind, "key": key, "name": f"poster.{request.format}"}
    field = "png_base64" if request.format == "png" else "file_base64"
    return {**kind, field: base64.b64encode(data).decode()}


def _named(template_id: str) -> Template:
    try:
        return template_store.get_design(template_id)
    except NotFound as error:
        raise Invalid(issue("template", "no_such_poster_template", template_id=template_id)) from error


def _template(definition: Any) -> Template:
    return msgspec.convert(definition, Template)


def _check_texts(texts: dict[str, str]) -> None:
    if issues := printable.find_issues(texts):
        raise Invalid(*issues)


def _judge(template: Template, length: int) -> None:
    if issues := rendering.find_template_issues(template, length):
        raise Invalid(*issues)
