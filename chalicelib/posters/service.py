"""What others ask of posters: one poster, templates, pictures, batches. Nothing here draws.

The drawing is functions/poster's, which has the libraries for it. It is invoked and waited for, for
one poster; a batch goes to it by its queue.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import audit, files, ids, invocations, settings
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.versions import IfMatch
from chalicelib.posters import template_store
from chalicelib.posters.native_picture import fetch_native_picture
from chalicelib.posters.rules import WORDS, Format
from chalicelib.posters.types import Asset, PosterFile, PosterQuery, Sample, StoredTemplate, Template
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores

_ASSET = re.compile(r"as_[0-9a-f]{32}")
_LARGEST_ANSWER = 4_000_000  # bytes: Lambda takes 6 MB, and base64 makes 4 of 3
_SHORTEST = 60  # bytes of a link for which every template must do
_CODE = "AbCd2345"
_OWNER = "?g=gMacMacAGuidesOwnId"  # of a guide's or store's own poster


def make_poster(live_code_id: str, query: PosterQuery, form: Format, principal: Principal) -> PosterFile:
    """A live code's poster; of a native code with WeCom's own picture. Invalid, Upstream.

    NotFound, also for a code or a member of staff outside of the scope.
    """
    code = livecodes.get(live_code_id, principal)
    request = {name: value for name, value in msgspec.to_builtins(query).items() if value}
    staff_id, store_id = request.pop("staff_id", ""), request.pop("store_id", "")
    url = find_link(code, staff_id, store_id, principal)
    if staff_id:
        request["staff_name"] = _name_to_print(staff_id)
    if store_id and (store := stores.find(store_id)):
        request["store_name"] = store.name
    if (picture := fetch_native_picture(code)) is not None:
        request["qr_image_base64"] = base64.b64encode(picture).decode()
    return _file(_ask({"url": url, "code_name": code.name, "format": form, **request}))


def find_link(code: LiveCode, staff_id: str, store_id: str, principal: Principal) -> str:
    """The code's link; of a guide or a store the one of their own poster. Invalid, NotFound."""
    if staff_id and store_id:
        raise Invalid(issue("store_id", "one_of_fields", fields=["staff_id", "store_id"]))
    if staff_id:
        _check_staff(code, staff_id, principal)
        return poster_links.url(code, "guide", staff_id)
    if store_id:
        _check_store(code, store_id, principal)
        return poster_links.url(code, "store", store_id)
    return code.url


def create_template(template: Template, principal: Principal) -> StoredTemplate:
    """A new template, once codes on it are found readable. Invalid by field."""
    return template_store.create(template, _judge, principal)


def change_template(
    template_id: str, patch: Mapping[str, Any], principal: Principal, if_match: IfMatch
) -> StoredTemplate:
    """Apply a JSON merge patch. NotFound, Invalid, Conflict, Stale, Forbidden."""
    return template_store.change(template_id, patch, _judge, principal, if_match)


def preview(template: Template, sample: Sample) -> PosterFile:
    """A sample poster of a template that is not kept. Invalid by field, as `create_template`."""
    definition = template_store.check(template, lambda _: None)
    return _preview({"definition": definition}, sample)


def preview_stored(template_id: str, sample: Sample) -> PosterFile:
    """A sample poster. NotFound, Invalid."""
    template_store.get(template_id)
    return _preview({"template": template_id}, sample)


def keep_picture(data: bytes) -> Asset:
    """Keep a picture for templates, under the hash of its bytes. Invalid.

    Nobody can name it before this answers, so the audit's entry, which is written once it is known to be
    sound, is there before the picture is used.
    """
    key = f"uploads/pictures/{ids.short(20)}"
    files.put(key, data)
    try:
        asset = msgspec.convert(_ask({"kind": "asset", "key": key})["asset"], Asset)
    finally:
        files.delete(key)
    tx = Transaction()
    audit.add(tx, "poster_assets.create", asset.asset_id, None, asset)
    tx.commit()
    return asset


def read_picture(asset_id: str) -> PosterFile:
    """A kept picture; a link to it when it is larger than an answer may be. NotFound."""
    key = f"assets/{asset_id}"
    size = files.size(key) if _ASSET.fullmatch(asset_id) else None
    if size is None:
        raise NotFound(code="no_such_picture", asset_id=asset_id)
    if size > _LARGEST_ANSWER:
        return PosterFile(content_type="image/png", url=files.download_url(key, asset_id))
    body = files.get(key)
    return PosterFile(content_type="image/png" if body.startswith(b"\x89PNG") else "image/jpeg", body=body)


def check_texts(texts: Mapping[str, str]) -> None:
    """Invalid with the fields of texts that can't be printed, and the characters that no font has."""
    _ask({"kind": "texts", "texts": texts})


def check_template(template: Template, length: int) -> None:
    """Invalid when codes of links of `length` bytes can't be read on it, or a picture is not there."""
    _ask({"kind": "check", "definition": template_store.to_definition(template), "length": length})


def _name_to_print(staff_id: str) -> str:
    """Invalid while WeCom has told no name: an id is never printed."""
    name = staff.ask_names([staff_id]).get(staff_id)
    if not name or not name.strip():
        raise Invalid(issue("staff_id", "no_name_to_print", staff_id=staff_id))
    return name


def _check_staff(code: LiveCode, staff_id: str, principal: Principal) -> None:
    guides = stores.guides_in_scope(principal)
    if guides is not None and staff_id not in guides:
        raise NotFound(code="no_such_member", staff_id=staff_id)
    if staff_id not in code.rule.staff_ids:
        raise Invalid(issue("staff_id", "not_in_live_code"))
    if code.native:  # WeCom chooses who it is, whoever's name stands on it
        raise Invalid(issue("staff_id", "native_has_one_poster"))


def _check_store(code: LiveCode, store_id: str, principal: Principal) -> None:
    in_scope = stores.stores_in_scope(principal)
    if in_scope is not None and store_id not in in_scope:
        raise NotFound(code="unknown_store", store_id=store_id)
    if code.kind != "nearest_store":
        raise Invalid(issue("store_id", "only_for_nearest_store"))
    own = (code.definition.get("stores") or {}).get("store_ids")
    if stores.find(store_id) is None or (own is not None and store_id not in own):
        raise Invalid(issue("store_id", "not_in_live_code"))


def _preview(template: dict[str, Any], sample: Sample) -> PosterFile:
    words = {name: getattr(sample, name) for name in WORDS}
    request = {"kind": "preview", "url": sample.url or _longest_link(), "width": sample.width, **words}
    return _file(_ask({**request, **template, "length": len(_longest_link())}))


def _judge(definition: dict[str, Any]) -> None:
    _ask({"kind": "check", "definition": definition, "length": len(_longest_link())})


def _longest_link() -> str:
    """A link as ours are, or longer: every template must do for it."""
    link = f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/s/{_CODE}{_OWNER}"
    return link.ljust(_SHORTEST, "x")


def _file(answer: Mapping[str, Any]) -> PosterFile:
    content_type = answer.get("content_type", "image/png")
    told: dict[str, Any] = {"content_type": content_type, "left_out": answer.get("left_out", {})}
    if text := answer.get("png_base64") or answer.get("file_base64"):
        return PosterFile(body=base64.b64decode(text), **told)
    return PosterFile(url=files.download_url(answer["key"], answer["name"]), **told)


def _ask(request: Mapping[str, Any]) -> dict[str, Any]:
    """The poster function's answer."""
    return invocations.ask(settings.env("POSTER_FUNCTION"), request)
