"""Pictures from outside: uploaded ones, avatars, another code's. Decoded as PNG or JPEG, and as nothing else.

An uploaded picture is kept under the hash of its bytes, drawn anew: upright, without EXIF or any
other text. Its size is judged before a pixel is unpacked, so that no small file fills the memory.
"""

import hashlib
import io
import struct
from functools import lru_cache

import urllib3
import zxingcpp
from PIL import Image, ImageOps

from chalicelib.brand import pictures as brand_pictures
from chalicelib.platform import files, log
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.posters import rules
from chalicelib.posters.types import Asset, BrandFile

MAX_PIXELS = 25_000_000
_MAX_SIDE = 20_000
_FORMATS = ("PNG", "JPEG")
_BRAND_FORMATS = (*_FORMATS, "WEBP")
_BRAND_SIDES = 64, 1024  # of a brand's picture: at least; what it is made smaller to
_MAX_AVATAR = 1_000_000  # bytes
_TIMEOUT = urllib3.Timeout(connect=2, read=3)
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    EOFError,
    OverflowError,
    Image.DecompressionBombError,
)


def decode(data: bytes, field: str, formats: tuple[str, ...] = _FORMATS) -> Image.Image:
    """The picture upright, in RGB or RGBA. Invalid(field) for all but a sound picture of these formats."""
    try:
        picture: Image.Image = Image.open(io.BytesIO(data), formats=formats)
        if picture.width * picture.height > MAX_PIXELS or max(picture.size) > _MAX_SIDE:
            size = f"{picture.width} x {picture.height}"
            raise Invalid(issue(field, "picture_too_large", size=size, maximum=MAX_PIXELS // 1_000_000))
        if picture.format == "JPEG" and getattr(picture, "n_frames", 1) > 1:
            picture.seek(0)
        picture.load()
        picture = ImageOps.exif_transpose(picture)
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    except _BROKEN as error:
        code = "not_a_picture" if formats == _FORMATS else "not_a_brand_picture"
        raise Invalid(issue(field, code)) from error


def store(data: bytes) -> Asset:
    """Keep a picture. The same bytes are the same asset. Invalid."""
    asset_id = "as_" + hashlib.sha256(data).hexdigest()[:32]
    picture = decode(data, "body")
    kept, kind = _encoded(picture, data.startswith(b"\x89PNG"))
    files.put(f"assets/{asset_id}", kept, f"image/{kind}")
    return Asset(asset_id=asset_id, width=picture.width, height=picture.height, bytes=len(kept))


def store_brand_picture(data: bytes) -> BrandFile:
    """Keep a picture of the brand: a file that pages show, and under the same hash for templates. Invalid."""
    name = hashlib.sha256(data).hexdigest()[:32]
    picture = decode(data, "body", _BRAND_FORMATS)
    least, most = _BRAND_SIDES
    if min(picture.size) < least:
        size = f"{picture.width} x {picture.height}"
        raise Invalid(issue("body", "picture_too_small", size=size, minimum=least))
    picture.thumbnail((most, most))
    kept, kind = _encoded(picture, picture.mode == "RGBA" or data.startswith(b"\x89PNG"))
    file = f"{name}.{'png' if kind == 'png' else 'jpg'}"
    for key in (brand_pictures.FOLDER + file, f"assets/as_{name}"):
        files.put(key, kept, f"image/{kind}")
    return BrandFile(
        file=file, asset_id=f"as_{name}", width=picture.width, height=picture.height, bytes=len(kept)
    )


def _encoded(picture: Image.Image, as_png: bool) -> tuple[bytes, str]:
    kept = io.BytesIO()
    if as_png:
        picture.save(kept, "PNG")
    else:
        picture.save(kept, "JPEG", quality=92, subsampling=0)
    return kept.getvalue(), "png" if as_png else "jpeg"


@lru_cache(maxsize=3)  # 75 MB each at most
def load(asset_id: str) -> Image.Image:
    """An uploaded picture. NotFound."""
    return decode(files.get(f"assets/{asset_id}"), "asset_id")


def check_all(asset_ids: dict[str, str]) -> None:
    """Invalid with the fields whose pictures are not there."""
    missing = []
    for field, asset_id in asset_ids.items():
        try:
            load(asset_id)
        except NotFound:
            missing.append(issue(field, "no_such_picture", asset_id=asset_id))
    if missing:
        raise Invalid(*missing)


@lru_cache(maxsize=64)
def load_avatar(url: str) -> Image.Image | None:
    """A guide's picture from WeCom's hosts, small; None when it can't be had."""
    if not rules.is_avatar(url):
        return None
    try:
        answer = _http().request(
            "GET", url, redirect=False, retries=False, timeout=_TIMEOUT, preload_content=False
        )
        try:
            body = answer.read(_MAX_AVATAR + 1) if answer.status == 200 else b""
        finally:
            answer.release_conn()
        if not 0 < len(body) <= _MAX_AVATAR:
            return None
        picture = decode(body, "avatar_url")
    except (urllib3.exceptions.HTTPError, Invalid) as error:
        log.failure("no avatar", error)
        return None
    picture.thumbnail((640, 640))
    return picture


def read_code(data: bytes) -> str:
    """What the QR code in a picture says. Invalid("qr_image")."""
    picture = decode(data, "qr_image")
    if picture.mode == "RGBA":
        light = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(light, picture)
    page = ImageOps.expand(picture.convert("L"), border=max(8, picture.width // 8), fill=255)
    code = zxingcpp.read_barcode(page, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    if not code or not 0 < len(code.text) <= rules.MAX_URL:
        raise Invalid(issue("qr_image", "no_code_in_picture"))
    return str(code.text)


@lru_cache(maxsize=1)
def _http() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=4, cert_reqs="CERT_REQUIRED")
