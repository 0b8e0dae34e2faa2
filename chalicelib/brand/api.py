"""Doors of the brand kit, and the one by which anybody sees its pictures."""

from chalicelib.brand import pictures, service
from chalicelib.brand.types import Brand, BrandPicture
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.versions import IfMatchHeader

door = http.Door(__name__, tag="Brand")

_MAX_PICTURE = 4 * 1024 * 1024
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@door.route(
    "GET",
    "/api/brand",
    permission="brand.read",
    answer=Brand,
    summary="The brand kit: name, logo, two colours, avatar",
)
def get(call: Call) -> Answer:
    return http.versioned(*service.get())


@door.route(
    "PUT",
    "/api/brand",
    body=Brand,
    headers=IfMatchHeader,
    permission="brand.write",
    answer=Brand,
    summary="Set the brand kit; pages have it within a minute, the next poster at once",
    others={409: "`If-Match` is of a version that is no longer there: `present`"},
)
def put(call: Call) -> Answer:
    return http.versioned(*service.put(call.body, call.if_match))


@door.route(
    "POST",
    "/api/brand/pictures",
    status=201,
    permission="brand.write",
    answer=BrandPicture,
    summary="Keep a logo or an avatar: the body is a PNG, JPEG or WebP, 4 MiB at most, 64 pixels at least",
    max_body=_MAX_PICTURE,
    takes="image/*",
)
def keep_picture(call: Call) -> Answer:
    return Answer(pictures.keep(call.raw), 201)


@door.route(
    "GET",
    "/brand/{name}",
    summary="A picture of the brand, at an address that never shows another",
    gives="image/png",
)
def show_picture(call: Call, name: str) -> Answer:
    file = pictures.read(name)
    return Answer(file.body, headers={"Content-Type": file.content_type, **_FOR_EVER})
