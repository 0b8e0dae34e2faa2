"""Logo and avatar: files of the bucket that anybody may read, at an address that never changes its picture.

The poster function decodes what was sent, since it has the library for it, and draws it anew: upright,
without EXIF, no larger than a page needs. A name is the hash of what was sent.
"""

import re

from msgspec import Struct

from chalicelib.brand.types import BrandPicture
from chalicelib.platform import audit, files, ids, invocations, settings
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.storage import Transaction

PATH = "/brand"
FOLDER = "brand/"
_NAME = re.compile(r"[0-9a-f]{32}\.(png|jpg)")
_KINDS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_MARKUP, _SPACE = b"<", b"\xef\xbb\xbf \t\r\n"
_TYPES = {"png": "image/png", "jpg": "image/jpeg"}


class File(Struct, frozen=True):
    """A picture's bytes, and what they are."""

    body: bytes
    content_type: str


def keep(data: bytes) -> BrandPicture:
    """Keep a picture. The same bytes are the same picture. Invalid."""
    if data.lstrip(_SPACE).startswith(_MARKUP):
        raise Invalid(issue("body", "no_svg"))
    if not data.startswith(_KINDS):
        raise Invalid(issue("body", "not_a_brand_picture"))
    key = f"uploads/pictures/{ids.short(20)}"
    files.put(key, data)
    try:
        kept = invocations.ask(settings.env("POSTER_FUNCTION"), {"kind": "brand_picture", "key": key})[
            "picture"
        ]
    finally:
        files.delete(key)
    address = str(url(kept.pop("file")))
    picture = BrandPicture(url=address, **kept)
    tx = Transaction()
    audit.add(tx, "brand_pictures.create", picture.asset_id, None, picture)
    tx.commit()
    return picture


def read(name: str) -> File:
    """NotFound."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise NotFound(code="no_thing")
    return File(files.get(FOLDER + name), _TYPES[match[1]])


def url(name: str | None) -> str | None:
    """The address of a picture by its file's name."""
    return f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}{PATH}/{name}" if name else None


def name_in(address: str | None) -> str | None:
    """The file's name in an address of ours; "" when it is none."""
    if not address:
        return None
    start, _, name = address.rpartition("/")
    ours = settings.env("PUBLIC_BASE_URL").rstrip("/") + PATH
    return name if start == ours and _NAME.fullmatch(name) else ""
